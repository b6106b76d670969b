import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { criRuntime } from "../node-agent/runtime/cri.ts";
import type { Runtime } from "../node-agent/runtime/runtime.ts";
import { bareContainer, bareSandbox } from "../test/support/bare-pod.ts";
import { socketsOf } from "../test/support/containers.ts";
import { Cox, eventually } from "../test/support/cox.ts";
import { loadTestImage, TEST_IMAGE } from "../test/support/test-image.ts";
import type { Row } from "./row.ts";
import { round } from "./row.ts";
import { drive, percentile, type Server } from "./support/load.ts";
import { openWatch } from "./support/watch.ts";

const RUNS = 20;
const OVERHEAD_MILLISECONDS = 150;
const PODS = "/api/v1/namespaces/default/pods";

/** `npm run bench -- pod-start`: from `create pod` to Running, beside bare CRI for the same sandbox and container. */
export default async function bench(): Promise<Row[]> {
  const logs = await mkdtemp(join(tmpdir(), "coxswain-bench-"));
  const cox = await Cox.up();
  try {
    await loadTestImage(cox);
    const server = await cox.credentials();
    const runtime = criRuntime(socketsOf(cox.home)[0]!);
    const bare: number[] = [];
    const whole: number[] = [];
    // By turns, so that what else the machine does falls on both alike.
    for (let index = 0; index < RUNS; index++) {
      bare.push(await bareStart(runtime, `bare-${index}`, logs));
      whole.push(await podStart(cox, server, `pod-${index}`));
    }
    runtime.close();
    bare.sort((a, b) => a - b);
    whole.sort((a, b) => a - b);
    return [0.5, 0.9].map((fraction) => {
      const peer = percentile(bare, fraction);
      const value = percentile(whole, fraction);
      const name = `create pod → Running, p${fraction * 100} (peer: bare CRI)`;
      const row: Row = { name, value: round(value), unit: "ms", peer: round(peer), ratio: round(peer / value) };
      return fraction === 0.5
        ? { ...row, goal: `≤ ${round(peer + OVERHEAD_MILLISECONDS)} ms (bare + ${OVERHEAD_MILLISECONDS})` }
        : row;
    });
  } finally {
    await cox.destroy();
    await rm(logs, { recursive: true, force: true });
  }
}

/** Milliseconds from the create's sending to the watch's telling of phase Running. */
async function podStart(cox: Cox, server: Server, name: string): Promise<number> {
  let running: (at: number) => void = () => {};
  const told = new Promise<number>((resolve) => {
    running = resolve;
  });
  const watch = await openWatch(server, `${PODS}?watch=true&fieldSelector=metadata.name%3D${name}`, ({ object }) => {
    if (object.status?.phase === "Running") running(performance.now());
  });
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", image: TEST_IMAGE }] },
  };
  const sent = performance.now();
  await drive(server, 1, 0.001, () => ({ method: "POST", path: PODS, body: JSON.stringify(pod) }));
  const at = await told;
  watch.close();
  await cox.kubectl(["delete", "pod", name, "--grace-period=1"]);
  await eventually("the pod is gone", async () => {
    if ((await cox.get("pods")).items.length > 0) throw new Error("it is there");
  });
  return at - sent;
}

/** Milliseconds for the runtime alone: sandbox with its network, container, start. */
async function bareStart(runtime: Runtime, name: string, logs: string): Promise<number> {
  const sandbox = bareSandbox(name, join(logs, name), { namespace: "bench" });
  const sent = performance.now();
  const id = await runtime.runSandbox(sandbox);
  await runtime.startContainer(await runtime.createContainer(id, bareContainer(TEST_IMAGE), sandbox));
  const elapsed = performance.now() - sent;
  await runtime.stopSandbox(id);
  await runtime.removeSandbox(id);
  return elapsed;
}
