import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/cox.ts";
import { Kubectl } from "../support/kubectl.ts";

// Deployments, the scheduler and node life cycle as a kubectl user sees them; three simulated nodes.

let cluster: TestCluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await TestCluster.start({ simulated: 3 });
  kubectl = new Kubectl(cluster.kubeconfig);
});

afterAll(async () => {
  await cluster?.stop();
});

const podsOf = async (app: string): Promise<any[]> => (await kubectl.get(`pods -l app=${app}`)).items;

const pod = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "c", image: "busybox" }], ...spec },
});

describe("a Deployment", () => {
  test("runs, spread over the nodes", async () => {
    expect(await kubectl.run("create deployment web --image=web:v1 --replicas=3")).toBe(
      "deployment.apps/web created\n",
    );
    await kubectl.run("rollout status deployment/web --timeout=30s");
    expect(await kubectl.run("get deployment web")).toMatch(
      /NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +3\/3 +3 +3 +/,
    );
    expect(new Set((await podsOf("web")).map(({ spec }) => spec.nodeName)).size).toBe(3);
    expect(await kubectl.run("get replicasets -l app=web")).toMatch(/web-[a-z0-9]+ +3 +3 +3 +/);
    expect(await kubectl.run("get pods -l app=web -o wide")).toMatch(
      /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES/,
    );
  });

  test("scales up and down", async () => {
    await kubectl.run("scale deployment/web --replicas=6");
    await kubectl.run("rollout status deployment/web --timeout=30s");
    await kubectl.run("scale deployment/web --replicas=2");
    await eventually("two pods are left", async () => expect(await podsOf("web")).toHaveLength(2));
  });

  test("rolls to a new image, back, and tells its history", async () => {
    await kubectl.run("set image deployment/web web=web:v2");
    await kubectl.run("rollout status deployment/web --timeout=30s");
    // A rollout is complete while the old pods are still ending.
    await eventually("v2 alone", async () =>
      expect((await podsOf("web")).map(({ spec }) => spec.containers[0].image)).toEqual(["web:v2", "web:v2"]),
    );
    expect(await kubectl.run("rollout history deployment/web")).toMatch(/REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/);
    expect(await kubectl.run("rollout undo deployment/web")).toBe("deployment.apps/web rolled back\n");
    await kubectl.run("rollout status deployment/web --timeout=30s");
    await eventually("v1 again", async () =>
      expect((await podsOf("web")).map(({ spec }) => spec.containers[0].image)).toEqual(["web:v1", "web:v1"]),
    );
    expect(await kubectl.run("rollout history deployment/web")).toMatch(/\n2 +<none>\n3 +<none>/);
  });

  test("pauses and resumes", async () => {
    await kubectl.run("rollout pause deployment/web");
    await kubectl.run("set image deployment/web web=web:v3");
    expect(await kubectl.refused("rollout undo deployment/web")).toContain("you cannot rollback a paused deployment");
    await kubectl.run("rollout resume deployment/web");
    await kubectl.run("rollout status deployment/web --timeout=30s");
    await eventually("v3 alone", async () =>
      expect((await podsOf("web")).map(({ spec }) => spec.containers[0].image)).toEqual(["web:v3", "web:v3"]),
    );
  });

  test("says in describe and events what was done", async () => {
    const described = await kubectl.run("describe deployment web");
    expect(described).toMatch(/Scaled up replica set web-[a-z0-9]+ from 0 to 3/);
    expect(described).toMatch(/Available +True +MinimumReplicasAvailable/);
    expect(described).toMatch(/Progressing +True +NewReplicaSetAvailable/);
    expect(await kubectl.run("get events --field-selector=reason=Scheduled")).toMatch(
      /Successfully assigned default\/web-/,
    );
  });

  test("is gone with its ReplicaSets and pods", async () => {
    await kubectl.run("delete deployment web");
    await eventually("nothing is left", async () => expect(await kubectl.run("get all -l app=web -o name")).toBe(""));
  });

  test("leaves its ReplicaSet when orphans are asked for", async () => {
    await kubectl.run("create deployment orphaned --image=web:v1");
    await kubectl.run("rollout status deployment/orphaned --timeout=30s");
    await kubectl.run("delete deployment orphaned --cascade=orphan");
    const [set] = (await kubectl.get("replicasets -l app=orphaned")).items;
    expect(set.metadata.ownerReferences).toBeUndefined();
    expect(await podsOf("orphaned")).toHaveLength(1);
    await kubectl.run("delete replicaset -l app=orphaned");
  });
});

describe("the scheduler", () => {
  test("says why a pod fits nowhere, and places it when a node can take it", async () => {
    await kubectl.run("apply -f -", pod("picky", { nodeSelector: { disk: "ssd" } }));
    await eventually("the reason is told", async () =>
      expect(await kubectl.run("describe pod picky")).toMatch(
        /FailedScheduling .*0\/3 nodes are available: 3 node\(s\) didn't match Pod's node affinity\/selector/,
      ),
    );
    expect(await kubectl.run("get pod picky")).toMatch(/picky +0\/1 +Pending/);
    const [node] = (await kubectl.get("nodes")).items;
    await kubectl.run(`label node ${node.metadata.name} disk=ssd`);
    await kubectl.run("wait pod/picky --for=condition=Ready --timeout=30s");
    expect((await kubectl.get("pod picky")).spec.nodeName).toBe(node.metadata.name);
  });

  test("counts each reason once a node", async () => {
    const nodes = (await kubectl.get("nodes")).items.map((item: any) => item.metadata.name);
    await kubectl.run(`taint nodes ${nodes[0]} dedicated=gpu:NoSchedule`);
    await kubectl.run(`cordon ${nodes[1]}`);
    await kubectl.run(
      "apply -f -",
      pod("huge", { containers: [{ name: "c", image: "busybox", resources: { requests: { cpu: "100000" } } }] }),
    );
    await eventually("three reasons", async () =>
      expect(await kubectl.run("get events --field-selector=reason=FailedScheduling")).toContain(
        "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.",
      ),
    );
    expect(await kubectl.run("get nodes")).toMatch(/Ready,SchedulingDisabled/);
    await kubectl.run(`uncordon ${nodes[1]}`);
    await kubectl.run(`taint nodes ${nodes[0]} dedicated-`);
    await kubectl.run("delete pod huge picky");
  });

  test("drain moves the pods of a node elsewhere", async () => {
    await kubectl.run("create deployment moved --image=web:v1 --replicas=3");
    await kubectl.run("rollout status deployment/moved --timeout=30s");
    const drained = (await podsOf("moved"))[0].spec.nodeName;
    await kubectl.run(`drain ${drained} --timeout=30s`);
    await kubectl.run("rollout status deployment/moved --timeout=30s");
    await eventually("they run elsewhere", async () => {
      const nodes = (await podsOf("moved")).map(({ spec }) => spec.nodeName);
      expect(nodes).toHaveLength(3);
      expect(nodes).not.toContain(drained);
    });
    await kubectl.run(`uncordon ${drained}`);
    await kubectl.run("delete deployment moved");
  });
});

describe("Endpoints", () => {
  test("follow the pods that a Service selects", async () => {
    await kubectl.run("create deployment served --image=web:v1 --replicas=2 --port=8080");
    await kubectl.run("expose deployment served --port=80 --target-port=8080");
    await kubectl.run("rollout status deployment/served --timeout=30s");
    const addressesOf = (slice: any) => slice.endpoints.flatMap(({ addresses }: any) => addresses).sort();
    await eventually("both are endpoints", async () => {
      const pods = (await podsOf("served")).map(({ status }) => status.podIP).sort();
      const [slice] = (await kubectl.get("endpointslices -l kubernetes.io/service-name=served")).items;
      expect(addressesOf(slice)).toEqual(pods);
      expect(slice.ports).toMatchObject([{ port: 8080, protocol: "TCP" }]);
      expect((await kubectl.get("endpoints served")).subsets[0].addresses).toHaveLength(2);
    });
    await kubectl.run("scale deployment/served --replicas=0");
    await eventually("none is", async () => {
      const [slice] = (await kubectl.get("endpointslices -l kubernetes.io/service-name=served")).items;
      expect(slice.endpoints ?? []).toEqual([]);
    });
  });
});

describe("a restart of the control plane", () => {
  test("kill -9 in the middle of a rollout: it goes on by itself", async () => {
    await kubectl.run("create deployment resumed --image=web:v1 --replicas=8");
    cluster.kill9();
    await cluster.ready();
    await kubectl.run("rollout status deployment/resumed --timeout=60s");
    expect(await podsOf("resumed")).toHaveLength(8);
  });
});
