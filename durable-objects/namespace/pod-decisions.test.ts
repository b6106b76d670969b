import { expect, test } from "vitest";
import { contextAt, viewOf } from "../../test/support/view-of.ts";
import { pod } from "../../test/support/workload-objects.ts";
import { evictPods } from "./pod-decisions.ts";

const evicted = (message: string) => {
  const lost = pod("lost", { node: "n1" });
  const eviction = { name: "lost", uid: lost.metadata.uid!, reason: "DeletionByPodGC", message, force: true };
  return evictPods([eviction])(viewOf([lost]), contextAt()).writes;
};
const DELETION = { op: "delete", name: "lost", graceSeconds: 0 };

test("a pod whose node is gone has failed, and says why it was disrupted", () => {
  const condition = { type: "DisruptionTarget", reason: "DeletionByPodGC", message: "PodGC: node no longer exists" };
  const conditions = expect.arrayContaining([expect.objectContaining(condition)]);
  expect(evicted("PodGC: node no longer exists")).toMatchObject([
    { op: "updateStatus", object: { status: { phase: "Failed", conditions } } },
    DELETION,
  ]);
});

test("a pod of a node that is out of service has failed, without a condition", () => {
  const [status, deletion] = evicted("");
  expect(status).toMatchObject({ op: "updateStatus", object: { status: { phase: "Failed" } } });
  expect(JSON.stringify(status)).not.toContain("DisruptionTarget");
  expect(deletion).toMatchObject(DELETION);
});
