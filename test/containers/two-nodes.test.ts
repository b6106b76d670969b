import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { homeAt } from "../../cli/home.ts";
import { namespaceOf } from "../../cli/node/network.ts";
import { Cox, eventually, run } from "../support/cox.ts";
import { loadTestImage, TEST_IMAGE, TEST_PORT } from "../support/test-image.ts";

// Bar 4 of "the spine": two nodes on one machine, each with a network namespace and a containerd of its own.

const TOLERATION_SECONDS = 5;

let cox: Cox;

const manifest = JSON.stringify({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: [
          {
            name: "web",
            image: TEST_IMAGE,
            ports: [{ containerPort: TEST_PORT }],
            readinessProbe: { tcpSocket: { port: TEST_PORT }, periodSeconds: 1 },
          },
        ],
        tolerations: ["node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"].map((key) => ({
          key,
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: TOLERATION_SECONDS,
        })),
      },
    },
  },
});

beforeAll(async () => {
  cox = await Cox.up("--nodes", "2");
  await loadTestImage(cox);
  await cox.kubectl(["apply", "-f", "-"], manifest);
  await cox.kubectl(["expose", "deployment/web", `--port=80`, `--target-port=${TEST_PORT}`]);
  await cox.kubectl(["rollout", "status", "deployment/web", "--timeout=120s"]);
});

afterAll(async () => {
  await cox?.destroy();
});

/** Takes a node's network away, as a broken cable would: nothing on it is told. */
async function cutOff(node: number): Promise<void> {
  const { bridge } = JSON.parse(await readFile(homeAt(cox.home).cluster, "utf8"));
  const { code, stderr } = await run("ip", ["link", "set", namespaceOf(bridge, node)!, "down"]);
  if (code !== 0) throw new Error(stderr);
}

interface Placed {
  name: string;
  node: string;
  ip: string;
}

async function placed(): Promise<Placed[]> {
  const { items } = await cox.get("pods", "-l", "app=web");
  return items
    .filter((pod: any) => !pod.metadata.deletionTimestamp)
    .map((pod: any) => ({ name: pod.metadata.name, node: pod.spec.nodeName, ip: pod.status.podIP }));
}

const fetchFrom = (pod: string, address: string) =>
  cox.kubectl(["exec", pod, "--", "timeout", "5", "wget", "-q", "-O", "-", `http://${address}/`]);

describe("two nodes", () => {
  test("pods spread", async () => {
    const byNode = Map.groupBy(await placed(), ({ node }) => node);
    expect([...byNode.values()].map((pods) => pods.length)).toEqual([2, 2]);
  });

  test("a pod reaches a pod on the other node", async () => {
    const pods = await placed();
    const [from] = pods;
    const to = pods.find(({ node }) => node !== from!.node)!;
    expect(await fetchFrom(from!.name, `${to.ip}:${TEST_PORT}`)).toContain(to.name);
  });

  test("from either node the Service is answered by pods of both", async () => {
    const pods = await placed();
    const { clusterIP } = (await cox.get("service", "web")).spec;
    for (const from of [pods[0]!, pods.find(({ node }) => node !== pods[0]!.node)!]) {
      const answeredBy = new Set<string>();
      await eventually("both nodes' pods answer", async () => {
        answeredBy.add((await fetchFrom(from.name, clusterIP)).trim());
        const nodes = new Set(
          pods.filter(({ name }) => [...answeredBy].some((text) => text.includes(name))).map((p) => p.node),
        );
        expect(nodes.size).toBe(2);
      });
    }
  });

  test("the pods of a node that is taken away run elsewhere after their toleration time", async () => {
    const { nodes } = await cox.status();
    const lost = nodes[1]!;
    const survivor = nodes[0]!;
    await cutOff(2);
    await eventually(
      "the node is not ready",
      async () => expect(await cox.kubectl(["get", "node", lost.name])).toContain("NotReady"),
      90,
    );
    await eventually(
      "all pods run on the node that is left",
      async () => {
        const pods = await placed();
        expect(pods).toHaveLength(4);
        expect(pods.every(({ node, ip }) => node === survivor.name && ip)).toBe(true);
      },
      90,
    );
  });
});
