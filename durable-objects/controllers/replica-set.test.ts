import { describe, expect, test } from "vitest";
import { Pod } from "../../api/kinds/pod.ts";
import { contextAt, viewOf } from "../../test/support/view-of.ts";
import { pod, replicaSetOf } from "../../test/support/workload-objects.ts";
import type { Plan } from "./controller.ts";
import { replicaSet } from "./replica-set.ts";

const namesOf = (plan: Plan, op: string) =>
  plan.writes.flatMap((write) =>
    write.op !== op ? [] : "object" in write ? [write.object.metadata.name] : "name" in write ? [write.name] : [],
  );
const eventsOf = (plan: Plan) =>
  plan.writes.flatMap((write) => (write.op === "event" ? [`${write.type} ${write.reason}: ${write.message}`] : []));
const statusOf = (plan: Plan) =>
  plan.writes.flatMap((write) => (write.op === "updateStatus" ? [write.object["status"]] : []))[0];

describe("scaling", () => {
  test("creates the pods that are missing, as the template says, and says so", () => {
    const set = replicaSetOf("web", { replicas: 2 });
    const plan = replicaSet.reconcile(set, viewOf([set, pod("web-here", { owner: set })]), contextAt());
    expect(namesOf(plan, "create")).toEqual(["web-00001"]);
    expect(eventsOf(plan)).toEqual(["Normal SuccessfulCreate: Created pod: web-00001"]);
    const created = plan.writes.find((write) => write.op === "create");
    expect(created).toMatchObject({
      kind: Pod,
      object: {
        metadata: {
          generateName: "web-",
          labels: { app: "web" },
          ownerReferences: [
            {
              apiVersion: "apps/v1",
              kind: "ReplicaSet",
              name: "web",
              uid: "uid-web",
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        spec: set.spec.template?.spec,
      },
    });
    expect(statusOf(plan)).toEqual({
      replicas: 2,
      fullyLabeledReplicas: 2,
      observedGeneration: 1,
      terminatingReplicas: 0,
    });
  });

  test("scaling down deletes the pod that is not placed yet", () => {
    const set = replicaSetOf("web", { replicas: 1 });
    const pods = [pod("placed", { owner: set, node: "n1" }), pod("waiting", { owner: set })];
    const plan = replicaSet.reconcile(set, viewOf([set, ...pods]), contextAt());
    expect(plan.writes.slice(0, 1)).toEqual([{ op: "delete", kind: Pod, name: "waiting", uid: "uid-waiting" }]);
    expect(eventsOf(plan)).toEqual(["Normal SuccessfulDelete: Deleted pod: waiting"]);
  });

  test("goes on in the next pass where there is much to do", () => {
    const set = replicaSetOf("web", { replicas: 120 });
    const plan = replicaSet.reconcile(set, viewOf([set]), contextAt());
    expect(namesOf(plan, "create")).toHaveLength(50);
    expect(plan.again).toEqual({ inSeconds: 0 });
  });

  test("pods that have ended or are being deleted are replaced", () => {
    const set = replicaSetOf("web", { replicas: 2 });
    const pods = [
      pod("failed", { owner: set, phase: "Failed" }),
      pod("leaving", { owner: set, deleted: true, node: "n1" }),
    ];
    const plan = replicaSet.reconcile(set, viewOf([set, ...pods]), contextAt());
    expect(namesOf(plan, "create")).toHaveLength(2);
    expect(statusOf(plan)).toMatchObject({ replicas: 2, terminatingReplicas: 1 });
  });

  test("a set that is being deleted creates and deletes nothing", () => {
    const set = replicaSetOf("web", { replicas: 3, deleted: true });
    const plan = replicaSet.reconcile(set, viewOf([set, pod("one", { owner: set })]), contextAt());
    expect(plan.writes.map(({ op }) => op)).toEqual(["updateStatus"]);
  });

  test("in a namespace that is being deleted nothing is created", () => {
    const set = replicaSetOf("web", { replicas: 3 });
    const plan = replicaSet.reconcile(set, viewOf([set]), contextAt(undefined, { terminating: true }));
    expect(namesOf(plan, "create")).toEqual([]);
  });

  test("a name that is taken is not drawn", () => {
    const set = replicaSetOf("web", { replicas: 1 });
    const plan = replicaSet.reconcile(set, viewOf([set, pod("web-00001", { labels: { app: "other" } })]), contextAt());
    expect(namesOf(plan, "create")).toEqual(["web-00002"]);
  });
});

describe("ownership", () => {
  test("a matching pod that nobody controls is adopted", () => {
    const set = replicaSetOf("web");
    const plan = replicaSet.reconcile(set, viewOf([set, pod("orphan")]), contextAt());
    expect(plan.writes[0]).toMatchObject({
      op: "update",
      object: { metadata: { name: "orphan", ownerReferences: [{ uid: "uid-web", controller: true }] } },
    });
    expect(namesOf(plan, "create")).toEqual([]);
  });

  test("a pod that matches no longer is released, and replaced", () => {
    const set = replicaSetOf("web");
    const plan = replicaSet.reconcile(
      set,
      viewOf([set, pod("debugged", { owner: set, labels: { app: "debug" } })]),
      contextAt(),
    );
    expect(plan.writes[0]).toMatchObject({
      op: "update",
      object: { metadata: { name: "debugged", ownerReferences: [] } },
    });
    expect(namesOf(plan, "create")).toHaveLength(1);
  });

  test("a pod of another controller is left alone", () => {
    const set = replicaSetOf("web", { replicas: 0 });
    const other = replicaSetOf("other");
    const plan = replicaSet.reconcile(set, viewOf([set, other, pod("theirs", { owner: other })]), contextAt());
    expect(plan.writes.map(({ op }) => op)).toEqual(["updateStatus"]);
  });

  test("an orphan concerns the sets that select it; a controlled pod concerns none by its labels", () => {
    const set = replicaSetOf("web");
    const watch = replicaSet.watches![0]!;
    const view = viewOf([set, replicaSetOf("also")]);
    expect(watch.concerns(pod("orphan"), undefined, view)).toEqual(["also", "web"]);
    expect(watch.concerns(pod("other", { labels: { app: "db" } }), undefined, view)).toEqual([]);
    expect(watch.concerns(pod("owned", { owner: set }), undefined, view)).toEqual([]);
  });
});

describe("status", () => {
  test("counts ready pods, and available ones only after minReadySeconds", () => {
    const set = replicaSetOf("web", { replicas: 3, minReadySeconds: 10 });
    const pods = [
      pod("old", { owner: set, node: "n1", ready: 60 }),
      pod("fresh", { owner: set, node: "n1", ready: 4 }),
      pod("unready", { owner: set, node: "n1", unready: true }),
    ];
    const plan = replicaSet.reconcile(set, viewOf([set, ...pods]), contextAt());
    expect(statusOf(plan)).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 2,
      availableReplicas: 1,
      observedGeneration: 1,
      terminatingReplicas: 0,
    });
    expect(plan.again).toEqual({ inSeconds: 6 });
  });

  test("is not written where nothing has changed", () => {
    const status = { replicas: 1, fullyLabeledReplicas: 1, observedGeneration: 1, terminatingReplicas: 0 };
    const set = replicaSetOf("web", { status });
    expect(replicaSet.reconcile(set, viewOf([set, pod("one", { owner: set })]), contextAt()).writes).toEqual([]);
  });

  test("tells of a refused create, and of its end", () => {
    const set = replicaSetOf("web");
    const write = { op: "create" as const, kind: Pod, object: pod("web-1") };
    const message = 'pods "web-1" is forbidden: exceeded quota';
    const plan = replicaSet.refused!({ write, reason: "Forbidden", message }, set, viewOf([set]), contextAt());
    expect(eventsOf(plan)).toEqual([`Warning FailedCreate: Error creating: ${message}`]);
    const conditions = [
      {
        type: "ReplicaFailure",
        status: "True",
        lastTransitionTime: "2026-06-01T12:00:00Z",
        reason: "FailedCreate",
        message,
      },
    ];
    expect(statusOf(plan)).toMatchObject({ replicas: 0, conditions });

    const failed = replicaSetOf("web", { status: { replicas: 0, conditions } as never });
    expect(statusOf(replicaSet.reconcile(failed, viewOf([failed]), contextAt()))).not.toHaveProperty("conditions");
  });
});
