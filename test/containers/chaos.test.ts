import { kill } from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { containersOf, removeContainer } from "../support/containers.ts";
import { Cox, eventually } from "../support/cox.ts";
import { loadTestImage, TEST_IMAGE } from "../support/test-image.ts";

// Bar 3 of "the spine": whatever is killed, the cluster returns to the declared state by itself.

const BURST = 500;
const IN_FLIGHT = 16;

let cox: Cox;

beforeAll(async () => {
  cox = await Cox.up();
  await loadTestImage(cox);
  await cox.kubectl(["create", "deployment", "web", `--image=${TEST_IMAGE}`, "--replicas=2"]);
  await cox.kubectl(["rollout", "status", "deployment/web", "--timeout=90s"]);
});

afterAll(async () => {
  await cox?.destroy();
});

interface PodFacts {
  name: string;
  restarts: number;
  containerId: string;
  ready: boolean;
}

async function pods(): Promise<PodFacts[]> {
  const { items } = await cox.get("pods", "-l", "app=web");
  return items
    .filter((pod: any) => !pod.metadata.deletionTimestamp)
    .map((pod: any) => {
      const [status] = pod.status.containerStatuses ?? [];
      return {
        name: pod.metadata.name,
        restarts: status?.restartCount ?? 0,
        containerId: status?.containerID ?? "",
        ready: status?.ready ?? false,
      };
    });
}

const settled = (count: number) =>
  eventually(`${count} pods are ready`, async () => {
    const found = await pods();
    expect(found).toHaveLength(count);
    expect(found.every(({ ready }) => ready)).toBe(true);
    return found;
  });

describe("chaos", () => {
  test("a killed process is started again in its pod", async () => {
    const [pod] = await settled(2);
    const [container] = await containersOf(cox.home, pod!.name);
    kill(container!.pid, "SIGKILL");
    await eventually("the container is restarted", async () => {
      const again = (await pods()).find(({ name }) => name === pod!.name);
      expect(again).toMatchObject({ restarts: 1, ready: true });
    });
    const status = (await cox.get("pod", pod!.name)).status.containerStatuses[0];
    expect(status.lastState.terminated).toMatchObject({ exitCode: 137 });
  });

  test("a container removed behind the agent's back comes back", async () => {
    const [pod] = await settled(2);
    const [container] = await containersOf(cox.home, pod!.name);
    await removeContainer(container!);
    await eventually("another container runs", async () => {
      const again = (await pods()).find(({ name }) => name === pod!.name);
      expect(again?.ready).toBe(true);
      expect(again?.containerId).not.toBe(pod!.containerId);
    });
  });

  test("containers do not notice that the agent was killed; a new one goes on", async () => {
    const before = await settled(2);
    const agent = (await cox.status()).nodes[0]!;
    kill(agent.pid, "SIGKILL");
    await eventually("another agent is ready", async () => {
      const now = (await cox.status()).nodes[0]!;
      expect(now.ready).toBe(true);
      expect(now.pid).not.toBe(agent.pid);
    });
    await cox.kubectl(["scale", "deployment/web", "--replicas=3"]);
    const after = await settled(3);
    for (const pod of before) expect(after).toContainEqual(pod);
  });

  test("workerd killed in a burst of creates loses no acknowledged write and touches no container", async () => {
    const before = await settled(3);
    const { workerd } = await cox.status();
    const acknowledged = new Set<string>();
    let next = 0;
    const create = async () => {
      for (let index = next++; index < BURST; index = next++) {
        if (index === BURST / 2) kill(workerd.pid, "SIGKILL");
        const name = `burst-${index}`;
        for (;;) {
          const answer = await post(name).catch(() => undefined);
          if (answer === 201 || answer === 409) {
            acknowledged.add(name);
            break;
          }
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, create));
    const { items } = await cox.get("configmaps", "-l", "burst=yes");
    expect(new Set(items.map((item: any) => item.metadata.name))).toEqual(acknowledged);
    expect(acknowledged.size).toBe(BURST);
    expect((await cox.status()).workerd.pid).not.toBe(workerd.pid);
    expect(await settled(3)).toEqual(before);
    await cox.kubectl(["scale", "deployment/web", "--replicas=4"]);
    await settled(4);
  });

  test("stopped and started again, objects and running containers are as they were", async () => {
    const before = await settled(4);
    await cox.cox(["down"]);
    await cox.start();
    expect(await settled(4)).toEqual(before);
  });

  async function post(name: string): Promise<number> {
    const { url, token, ca } = await cox.credentials();
    const { request } = await import("node:https");
    const body = JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, labels: { burst: "yes" } },
      data: { text: "x".repeat(1000) },
    });
    return await new Promise((resolve, reject) => {
      const asked = request(
        `${url}/api/v1/namespaces/default/configmaps`,
        { method: "POST", ca, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } },
        (answer) => {
          answer.resume();
          answer.once("end", () => resolve(answer.statusCode ?? 0));
          answer.once("error", reject);
        },
      );
      asked.once("error", reject);
      asked.setTimeout(10_000, () => asked.destroy(new Error("no answer")));
      asked.end(body);
    });
  }
});
