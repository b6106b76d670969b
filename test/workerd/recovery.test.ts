import { readdirSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { eventually as eventuallyWithin } from "../support/cox.ts";

/** Longer than workerd keeps an object that nobody asks. */
const IDLE_MILLISECONDS = 15_000;
/** Below the time that a test has: what was not so is told then. */
const RECOVERY_SECONDS = 25;
const eventually = (what: string, look: () => Promise<void> | void) => eventuallyWithin(what, look, RECOVERY_SECONDS);

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ simulated: 3 });
});

afterAll(async () => {
  await cluster?.stop();
});

/** workerd is lost as in a crash, and another one has begun. */
async function crash(): Promise<void> {
  const { pid } = cluster;
  cluster.kill9();
  await eventually("another workerd", () => expect([undefined, pid]).not.toContain(cluster.pid));
  await cluster.ready();
}

async function get(path: string): Promise<any> {
  const { code, body } = await cluster.call("GET", path);
  expect(code, JSON.stringify(body)).toBe(200);
  return body;
}

async function create(path: string, object: object): Promise<any> {
  const { code, body } = await cluster.call("POST", path, object);
  expect(code, JSON.stringify(body)).toBe(201);
  return body;
}

async function createNamespace(name: string): Promise<string> {
  await create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return `/api/v1/namespaces/${name}`;
}

const POD_SPEC = { terminationGracePeriodSeconds: 1, containers: [{ name: "web", image: "web:1" }] };
const pod = (name: string) => ({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: POD_SPEC });
const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});
const service = (name: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { type: "NodePort", selector: { app: name }, ports: [{ port: 80 }] },
});
const deployment = (name: string, replicas: number) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: POD_SPEC },
  },
});
const isActive = ({ metadata, status }: any): boolean =>
  !metadata.deletionTimestamp && !["Succeeded", "Failed"].includes(status.phase);

/** Asks for all of these at once, workerd being lost when some are answered; tells which were acknowledged. */
async function duringCrash(names: string[], path: string, objectOf: (name: string) => object): Promise<string[]> {
  const acknowledged: string[] = [];
  let crashed: Promise<void> | undefined;
  const asked = names.map(async (name) => {
    const { code } = await cluster.call("POST", path, objectOf(name));
    expect(code).toBe(201);
    acknowledged.push(name);
    if (acknowledged.length === Math.floor(names.length / 3)) crashed = crash();
  });
  await Promise.allSettled(asked);
  expect(crashed, "some were answered before the crash").toBeDefined();
  await crashed;
  return acknowledged;
}

describe("after workerd was killed", () => {
  test("in the middle of a rollout, the rollout goes on by itself", async () => {
    const namespace = await createNamespace("rollout");
    const path = "/apis/apps/v1/namespaces/rollout/deployments";
    await create(path, deployment("web", 20));
    await eventually("20 replicas", async () => {
      expect((await get(`${path}/web`)).status.availableReplicas).toBe(20);
    });
    const changed = await get(`${path}/web`);
    changed.spec.template.spec.containers[0].image = "web:2";
    expect((await cluster.call("PUT", `${path}/web`, changed)).code).toBe(200);
    await eventually("the rollout's beginning", async () => {
      expect((await get(`${path}/web`)).status.updatedReplicas).toBeGreaterThan(0);
    });
    await crash();
    await eventually("the rollout's end", async () => {
      const { items } = await get(`${namespace}/pods`);
      // maxSurge is 25 %.
      expect(items.filter(isActive).length).toBeLessThanOrEqual(25);
      const { metadata, status } = await get(`${path}/web`);
      expect(status).toMatchObject({ observedGeneration: metadata.generation, replicas: 20, updatedReplicas: 20 });
      expect(status).toMatchObject({ availableReplicas: 20, readyReplicas: 20 });
      expect(items.map(({ spec }: any) => spec.containers[0].image)).toEqual(Array(20).fill("web:2"));
    });
  });

  test("in the middle of a namespace's deletion, the namespace goes by itself, and comes back empty", async () => {
    const namespace = await createNamespace("ending");
    await Promise.all(Array.from({ length: 40 }, (_, i) => create(`${namespace}/configmaps`, configMap(`c-${i}`))));
    await create("/apis/apps/v1/namespaces/ending/deployments", deployment("web", 10));
    await create(`${namespace}/services`, service("web"));
    await eventually("running pods", async () => {
      const { items } = await get(`${namespace}/pods`);
      expect(items.filter(({ status }: any) => status.phase === "Running").length).toBe(10);
    });
    expect((await cluster.call("DELETE", namespace)).code).toBe(200);
    await crash();
    await eventually("the end", async () => expect((await cluster.call("GET", namespace)).code).toBe(404));
    await createNamespace("ending");
    for (const resource of ["configmaps", "pods", "services"])
      expect(
        (await get(`${namespace}/${resource}`)).items.filter(
          ({ metadata }: any) => metadata.name !== "kube-root-ca.crt",
        ),
      ).toEqual([]);
    expect((await get("/apis/apps/v1/namespaces/ending/replicasets")).items).toEqual([]);
  });

  test("in a burst of new pods, none that was acknowledged is lost, and each runs once", async () => {
    const namespace = await createNamespace("burst");
    const names = Array.from({ length: 90 }, (_, i) => `p-${i}`);
    const acknowledged = await duringCrash(names, `${namespace}/pods`, pod);
    await eventually("all pods running", async () => {
      const { items } = await get(`${namespace}/pods`);
      expect(items.map(({ metadata }: any) => metadata.name)).toEqual(expect.arrayContaining(acknowledged));
      for (const { metadata, spec, status } of items)
        expect([metadata.name, status.phase, typeof spec.nodeName]).toEqual([metadata.name, "Running", "string"]);
      // Each node has given each of its pods an address of its own.
      const addresses = items.map(({ status }: any) => status.podIP);
      expect(new Set(addresses).size).toBe(items.length);
    });
    const { items } = await get(`${namespace}/events?fieldSelector=reason%3DScheduled`);
    for (const { involvedObject, count } of items)
      expect([involvedObject.name, count ?? 1]).toEqual([involvedObject.name, 1]);
  });

  test("while Services are given addresses, each address is one Service's, and none is forgotten", async () => {
    const namespace = await createNamespace("addresses");
    const names = Array.from({ length: 40 }, (_, i) => `s-${i}`);
    const acknowledged = await duringCrash(names, `${namespace}/services`, service);
    const kept = (await get(`${namespace}/services`)).items.map(({ metadata }: any) => metadata.name);
    expect(kept).toEqual(expect.arrayContaining(acknowledged));
    for (const name of names)
      expect([201, 409]).toContain((await cluster.call("POST", `${namespace}/services`, service(name))).code);
    await eventually("one address a Service", async () => {
      const { items } = await get("/api/v1/services");
      const addresses = items.map(({ spec }: any) => spec.clusterIP);
      const ports = items.flatMap(({ spec }: any) => spec.ports.flatMap(({ nodePort }: any) => nodePort ?? []));
      expect(new Set(addresses).size).toBe(items.length);
      expect(new Set(ports).size).toBe(ports.length);
      const held = (await get("/apis/networking.k8s.io/v1/ipaddresses")).items.map(
        ({ metadata }: any) => metadata.name,
      );
      expect(held.sort()).toEqual(addresses.sort());
    });
  });

  test("again and again, the API's own Service is there", async () => {
    for (let i = 0; i < 2; i++) {
      await crash();
      await eventually("the Service kubernetes", async () => {
        expect((await get("/api/v1/namespaces/default/services/kubernetes")).spec.clusterIP).toBe("10.96.0.1");
      });
    }
  });

  test("a watch that goes on from its last revision misses nothing and repeats nothing", async () => {
    const namespace = await createNamespace("watched");
    const path = `${namespace}/configmaps`;
    const seen: { type: string; name: string; revision: number }[] = [];
    let from = (await get(path)).metadata.resourceVersion;
    const stopped = new AbortController();
    const watching = (async () => {
      while (!stopped.signal.aborted)
        await watch(`${path}?watch=1&resourceVersion=${from}`, stopped.signal, ({ type, object }) => {
          from = object.metadata.resourceVersion;
          seen.push({ type, name: object.metadata.name, revision: Number(from) });
        });
    })();
    const names = Array.from({ length: 120 }, (_, i) => `w-${i}`);
    const acknowledged = await duringCrash(names, path, configMap);
    await create(path, configMap("last"));
    const { items } = await get(path);
    await eventually("the watch's end", () => expect(seen.at(-1)?.name).toBe("last"));
    stopped.abort();
    await watching;
    const created = items.filter(({ metadata }: any) => metadata.name !== "kube-root-ca.crt");
    expect(created.map(({ metadata }: any) => metadata.name)).toEqual(expect.arrayContaining(acknowledged));
    const told = seen.filter(({ name }) => name !== "kube-root-ca.crt");
    expect(told.map(({ type, name }) => `${type} ${name}`).sort()).toEqual(
      created.map(({ metadata }: any) => `ADDED ${metadata.name}`).sort(),
    );
    const revisions = seen.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
  });
});

describe("an idle control plane", () => {
  test("wakes for a new pod, places it, and hears that it runs", async () => {
    const namespace = await createNamespace("idle");
    await sleep(IDLE_MILLISECONDS);
    await create(`${namespace}/pods`, pod("late"));
    await eventually("the pod running", async () => {
      expect((await get(`${namespace}/pods/late`)).status.phase).toBe("Running");
    });
  });

  test("wakes for a Deployment, and for what becomes of its pods", async () => {
    await sleep(IDLE_MILLISECONDS);
    const path = "/apis/apps/v1/namespaces/idle/deployments";
    await create(path, deployment("web", 3));
    await eventually("3 replicas", async () => {
      expect((await get(`${path}/web`)).status.availableReplicas).toBe(3);
    });
  });
});

test("asking for a namespace that is not there writes nothing", async () => {
  const path = "/api/v1/namespaces/nowhere";
  const before = new Set(databases());
  expect((await get(`${path}/pods`)).items).toEqual([]);
  expect((await cluster.call("GET", `${path}/pods/web`)).body.message).toBe('pods "web" not found');
  expect((await cluster.call("DELETE", `${path}/pods/web`)).code).toBe(404);
  expect((await cluster.call("POST", `${path}/pods`, pod("web"))).body.message).toBe('namespaces "nowhere" not found');
  for (const file of databases().filter((each) => !before.has(each))) {
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare("SELECT name FROM sqlite_master").all()).toEqual([]);
    database.close();
  }
});

/** The files of all Durable Objects. */
const databases = (): string[] =>
  readdirSync(cluster.home.objects, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith(".sqlite"))
    .map(({ parentPath, name }) => join(parentPath, name));

/** Reads a watch until it ends, or is ended. */
function watch(path: string, signal: AbortSignal, onEvent: (event: any) => void): Promise<void> {
  return new Promise((resolve) => {
    let text = "";
    const asked = request(
      `${cluster.url}${path}`,
      { ca: cluster.caCertificate, agent: false, headers: { authorization: `Bearer ${cluster.token}` }, signal },
      (answer) => {
        answer.setEncoding("utf8");
        answer.on("data", (chunk) => {
          const lines = (text + chunk).split("\n");
          text = lines.pop() ?? "";
          for (const line of lines) onEvent(JSON.parse(line));
        });
        answer.on("error", () => undefined);
        answer.on("close", resolve);
      },
    );
    // Nobody is listening for a moment: asked again soon.
    asked.on("error", () => setTimeout(resolve, 50));
    asked.end();
  });
}
