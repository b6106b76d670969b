import { expect, test } from "vitest";
import { Observations } from "./observations.ts";
import { ANNOTATION, LABEL } from "./pod-config.ts";
import type { ContainerStatus, Runtime } from "./runtime/runtime.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

/** A container that has ended; `reasons` are what the runtime says of it, one answer after the other. */
function fixture(reasons: string[], { finishedAt = NOW - 1_000, exitCode = 137 } = {}) {
  const labels = { [LABEL.podUid]: "u", [LABEL.podName]: "p", [LABEL.podNamespace]: "default" };
  const common = { createdAt: 1, labels, annotations: { [ANNOTATION.node]: "n" }, attempt: 0 };
  const container = { ...common, id: "c", sandboxId: "s", name: "app", state: "exited" as const };
  let asked = 0;
  const runtime = {
    listSandboxes: async () => [{ ...common, id: "s", uid: "u", name: "p", namespace: "default", ready: true }],
    listContainers: async () => [container],
    sandboxStatus: async () => undefined,
    containerStatus: async () => ({
      ...container,
      ...{ startedAt: 2, finishedAt, exitCode, message: "", image: "i", imageRef: "r", logPath: "" },
      reason: reasons[Math.min(asked++, reasons.length - 1)]!,
    }),
  };
  const observations = new Observations({
    runtime: runtime as unknown as Runtime,
    nodeName: "n",
    terminationMessage: async (_: ContainerStatus) => "",
    now: () => NOW,
  });
  const reason = async () => {
    await observations.relist();
    return [observations.pod("u").containers[0]?.reason, asked];
  };
  return { reason };
}

test("a container that was just killed is looked at again: that its memory was used up is told after its end", async () => {
  expect(await fixture(["Error", "OOMKilled"]).reason()).toEqual(["OOMKilled", 2]);
  expect(await fixture(["Error"]).reason()).toEqual(["Error", 2]);
});

test("a container that ended otherwise, or long ago, is looked at once", async () => {
  expect(await fixture(["OOMKilled"]).reason()).toEqual(["OOMKilled", 1]);
  expect(await fixture(["Error"], { exitCode: 1 }).reason()).toEqual(["Error", 1]);
  expect(await fixture(["Error"], { finishedAt: NOW - 60_000 }).reason()).toEqual(["Error", 1]);
});
