import { expect, test } from "vitest";
import { contextAt, viewOf } from "../../test/support/view-of.ts";
import { pod } from "../../test/support/workload-objects.ts";
import { podsOfLostNode } from "./pods-of-lost-node.ts";

test("ready pods of the node become not ready, all others stay as they are", () => {
  const pods = [
    pod("lost", { node: "n1", ready: 60 }),
    pod("unready", { node: "n1", unready: true }),
    pod("elsewhere", { node: "n2", ready: 60 }),
  ];
  const { writes } = podsOfLostNode("n1", viewOf(pods), contextAt());
  expect(writes).toMatchObject([
    {
      op: "updateStatus",
      object: {
        metadata: { name: "lost" },
        status: {
          phase: "Running",
          conditions: [{ type: "Ready", status: "False", lastTransitionTime: "2026-06-01T12:00:00Z" }],
        },
      },
    },
    { op: "event", type: "Warning", reason: "NodeNotReady", message: "Node is not ready" },
  ]);
  expect(podsOfLostNode("n3", viewOf(pods), contextAt()).writes).toEqual([]);
});
