import { describe, expect, test } from "vitest";
import type { DeploymentObject } from "../../api/kinds/deployment.ts";
import type { KubeObject } from "../../api/object.ts";
import { contextAt, NOON, viewOf } from "../../test/support/view-of.ts";
import { ago, deploymentOf, pod, replicaSetOf } from "../../test/support/workload-objects.ts";
import type { Plan } from "./controller.ts";
import { deployment } from "./deployment.ts";

const DESIRED = "deployment.kubernetes.io/desired-replicas";
const MAX = "deployment.kubernetes.io/max-replicas";
const REVISION = "deployment.kubernetes.io/revision";
const HISTORY = "deployment.kubernetes.io/revision-history";

const reconcile = (subject: DeploymentObject, others: KubeObject[], context = contextAt()) =>
  deployment.reconcile(subject, viewOf([subject, ...others]), context);
const eventsOf = (plan: Plan) =>
  plan.writes.flatMap((write) => (write.op === "event" ? [`${write.reason}: ${write.message}`] : []));
const statusOf = (plan: Plan) => plan.writes.find((write) => write.op === "updateStatus")?.object;
const sizesOf = (plan: Plan) =>
  Object.fromEntries(
    plan.writes.flatMap((write) =>
      (write.op === "update" || write.op === "create") && write.kind.kind === "ReplicaSet"
        ? [[write.object.metadata.name, write.object["spec"].replicas]]
        : [],
    ),
  );
const conditionOf = (plan: Plan, type: string) =>
  statusOf(plan)?.["status"].conditions.find((c: { type: string }) => c.type === type);

/** A replica set of `web` at a scale, with pods that serve. */
function scaled(name: string, replicas: number, available: number, options: Parameters<typeof replicaSetOf>[1] = {}) {
  const owner = deploymentOf("web");
  const set = replicaSetOf(name, {
    replicas,
    owner,
    hash: name,
    status: {
      replicas,
      readyReplicas: available,
      availableReplicas: available,
      observedGeneration: 1,
      terminatingReplicas: 0,
    } as never,
    ...options,
  });
  const pods = Array.from({ length: replicas }, (_, i) =>
    pod(`${name}-${i}`, { owner: set, node: "n1", ...(i < available ? { ready: 100 } : { unready: true }) }),
  );
  return { set, objects: [set, ...pods] };
}

const annotated = (desired: number, max: number, revision = "1") => ({
  [DESIRED]: String(desired),
  [MAX]: String(max),
  [REVISION]: revision,
});

describe("a new Deployment", () => {
  test("gets a replica set of its template, at full size", () => {
    const plan = reconcile(
      deploymentOf("web", { annotations: { team: "a", "kubectl.kubernetes.io/last-applied-configuration": "{}" } }),
      [],
    );
    const created = plan.writes[0];
    expect(created).toMatchObject({
      op: "create",
      object: {
        metadata: {
          annotations: { team: "a", [DESIRED]: "3", [MAX]: "4", [REVISION]: "1" },
          ownerReferences: [
            { kind: "Deployment", name: "web", uid: "uid-web", controller: true, blockOwnerDeletion: true },
          ],
        },
        spec: { replicas: 3 },
      },
    });
    const { metadata, spec } = (created as { object: KubeObject }).object;
    const hash = metadata.labels?.["pod-template-hash"];
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{7,10}$/);
    expect(metadata.name).toBe(`web-${hash}`);
    expect(metadata.annotations).not.toHaveProperty("kubectl.kubernetes.io/last-applied-configuration");
    expect(spec.selector.matchLabels).toEqual({ app: "web", "pod-template-hash": hash });
    expect(spec.template.metadata.labels).toEqual({ app: "web", "pod-template-hash": hash });
    expect(eventsOf(plan)).toEqual([`ScalingReplicaSet: Scaled up replica set web-${hash} from 0 to 3`]);
    expect(statusOf(plan)?.metadata.annotations?.[REVISION]).toBe("1");
    expect(statusOf(plan)?.["status"]).toMatchObject({ observedGeneration: 1, unavailableReplicas: 3 });
    expect(conditionOf(plan, "Progressing")).toMatchObject({
      status: "True",
      reason: "NewReplicaSetCreated",
      message: `Created new replica set "web-${hash}"`,
    });
    expect(conditionOf(plan, "Available")).toMatchObject({ status: "False", reason: "MinimumReplicasUnavailable" });
  });

  test("makes the same replica set however often it is looked at, and another for another template", () => {
    const nameOf = (plan: Plan) => (plan.writes[0] as { object: KubeObject }).object.metadata.name;
    const one = nameOf(reconcile(deploymentOf("web"), []));
    expect(nameOf(reconcile(deploymentOf("web"), []))).toBe(one);
    expect(nameOf(reconcile(deploymentOf("web", { image: "web:2" }), []))).not.toBe(one);
  });

  test("whose replica set's name is somebody else's counts the collision and draws another", () => {
    const first = reconcile(deploymentOf("web"), []).writes[0] as { object: KubeObject };
    const taken = {
      ...replicaSetOf(first.object.metadata.name),
      metadata: { ...first.object.metadata, ownerReferences: [], labels: { app: "other" } },
    };
    const plan = reconcile(deploymentOf("web"), [taken]);
    expect(statusOf(plan)?.["status"].collisionCount).toBe(1);
    expect(plan.again).toEqual({ inSeconds: 0 });
    const next = reconcile(deploymentOf("web", { status: { collisionCount: 1 } }), [taken]);
    expect(next.writes[0]).toMatchObject({ op: "create" });
  });

  test("a refused replica set is told by condition and event", () => {
    const subject = deploymentOf("web");
    const write = {
      op: "create" as const,
      kind: { group: "apps", version: "v1", kind: "ReplicaSet", resource: "replicasets", namespaced: true },
      object: replicaSetOf("web-1"),
    };
    const plan = deployment.refused!(
      { write, reason: "Forbidden", message: "exceeded quota" },
      subject,
      viewOf([subject]),
      contextAt(),
    );
    expect(eventsOf(plan)).toEqual(['ReplicaSetCreateError: Failed to create new replica set "web-1": exceeded quota']);
    expect(conditionOf(plan, "Progressing")).toMatchObject({ status: "False", reason: "ReplicaSetCreateError" });
  });
});

describe("a rolling update", () => {
  test("begins with as many new pods as may surge, and as few old ones as may be missing", () => {
    const old = scaled("old", 10, 10, { annotations: annotated(10, 13) });
    const plan = reconcile(deploymentOf("web", { replicas: 10, image: "web:2" }), old.objects);
    expect(Object.values(sizesOf(plan))).toEqual([8, 3]);
    expect(statusOf(plan)?.metadata.annotations?.[REVISION]).toBe("2");
  });

  test("takes away from the old set only what stays above maxUnavailable", () => {
    const old = scaled("old", 10, 10, { annotations: annotated(10, 13) });
    const now = scaled("now", 3, 0, { image: "web:2", annotations: annotated(10, 13, "2"), age: 10 });
    const plan = reconcile(deploymentOf("web", { replicas: 10, image: "web:2" }), [...old.objects, ...now.objects]);
    expect(sizesOf(plan)).toEqual({ old: 8 });
    expect(eventsOf(plan)).toEqual(["ScalingReplicaSet: Scaled down replica set old from 10 to 8"]);
  });

  test("waits where new pods do not become ready", () => {
    const old = scaled("old", 8, 8, { annotations: annotated(10, 13) });
    const now = scaled("now", 5, 0, { image: "web:2", annotations: annotated(10, 13, "2"), age: 10 });
    const plan = reconcile(deploymentOf("web", { replicas: 10, image: "web:2" }), [...old.objects, ...now.objects]);
    expect(sizesOf(plan)).toEqual({});
  });

  test("removes old pods that serve nobody first", () => {
    const old = scaled("old", 10, 6, { annotations: annotated(10, 12) });
    const now = scaled("now", 2, 2, { image: "web:2", annotations: annotated(10, 12, "2"), age: 10 });
    const subject = deploymentOf("web", { replicas: 10, image: "web:2", maxSurge: 2, maxUnavailable: 2 });
    expect(sizesOf(reconcile(subject, [...old.objects, ...now.objects]))).toEqual({ old: 6 });
  });

  test("with neither surge nor unavailability allowed still moves by one", () => {
    const old = scaled("old", 2, 2, { annotations: annotated(2, 2) });
    const now = scaled("now", 0, 0, { image: "web:2", annotations: annotated(2, 2, "2"), age: 10 });
    const subject = deploymentOf("web", { replicas: 2, image: "web:2", maxSurge: "0%", maxUnavailable: "10%" });
    expect(sizesOf(reconcile(subject, [...old.objects, ...now.objects]))).toEqual({ old: 1 });
  });

  test("to a template that was there before goes back to its set, under a new revision", () => {
    const before = scaled("before", 0, 0, { annotations: annotated(3, 4, "1") });
    const now = scaled("now", 3, 3, { image: "web:2", annotations: annotated(3, 4, "2"), age: 10 });
    const plan = reconcile(deploymentOf("web"), [...before.objects, ...now.objects]);
    expect(plan.writes[0]).toMatchObject({
      op: "update",
      object: { metadata: { name: "before", annotations: { [REVISION]: "3", [HISTORY]: "1" } }, spec: { replicas: 1 } },
    });
    expect(statusOf(plan)?.metadata.annotations?.[REVISION]).toBe("3");
  });

  test("that is complete says so, once", () => {
    const now = scaled("now", 3, 3, { annotations: annotated(3, 4) });
    const subject = deploymentOf("web", { annotations: { [REVISION]: "1" } });
    const plan = reconcile(subject, now.objects);
    expect(statusOf(plan)?.["status"]).toEqual({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
      conditions: [
        expect.objectContaining({
          type: "Available",
          status: "True",
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        }),
        expect.objectContaining({
          type: "Progressing",
          status: "True",
          reason: "NewReplicaSetAvailable",
          message: 'ReplicaSet "now" has successfully progressed.',
        }),
      ],
    });
    const done = { ...subject, status: statusOf(plan)?.["status"] };
    expect(reconcile(done, now.objects).writes).toEqual([]);
    expect(reconcile(done, now.objects).again).toBeUndefined();
  });

  test("old sets beyond revisionHistoryLimit are deleted, those with pods are not", () => {
    const idle = ["a", "b", "c"].map((name, i) =>
      scaled(name, 0, 0, { image: `web:0${name}`, annotations: annotated(3, 4, String(i + 1)) }),
    );
    const now = scaled("now", 3, 3, { annotations: annotated(3, 4, "4") });
    const status = { observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
    const objects = [...idle.flatMap(({ objects }) => objects), ...now.objects];
    const plan = reconcile(deploymentOf("web", { historyLimit: 1, status }), objects);
    expect(plan.writes.flatMap((write) => (write.op === "delete" ? [write.name] : []))).toEqual(["a", "b"]);
    const rolling = reconcile(deploymentOf("web", { historyLimit: 1 }), objects);
    expect(rolling.writes.filter(({ op }) => op === "delete")).toEqual([]);
  });
});

describe("Recreate", () => {
  test("removes all old pods before it makes new ones", () => {
    const old = scaled("old", 3, 3, { annotations: annotated(3, 3) });
    const subject = deploymentOf("web", { type: "Recreate", image: "web:2" });
    expect(sizesOf(reconcile(subject, old.objects))).toEqual({ old: 0 });
    const leaving = scaled("old", 0, 0, { annotations: annotated(3, 3) });
    const last = pod("old-last", { owner: leaving.set, node: "n1", deleted: true });
    expect(sizesOf(reconcile(subject, [...leaving.objects, last]))).toEqual({});
    expect(Object.values(sizesOf(reconcile(subject, leaving.objects)))).toEqual([3]);
  });
});

describe("scaling", () => {
  test("a finished rollout scales its one set", () => {
    const now = scaled("now", 3, 3, { annotations: annotated(3, 4) });
    const plan = reconcile(deploymentOf("web", { replicas: 5 }), now.objects);
    expect(sizesOf(plan)).toEqual({ now: 5 });
    expect(plan.writes[0]).toMatchObject({ object: { metadata: { annotations: { [DESIRED]: "5", [MAX]: "7" } } } });
  });

  test("in the middle of a rollout all sets grow in proportion, the largest takes the rest", () => {
    const old = scaled("old", 8, 8, { annotations: annotated(10, 13) });
    const now = scaled("now", 5, 0, { image: "web:2", annotations: annotated(10, 13, "2"), age: 10 });
    const subject = deploymentOf("web", { replicas: 20, image: "web:2", maxSurge: 3, maxUnavailable: 2 });
    expect(sizesOf(reconcile(subject, [...old.objects, ...now.objects]))).toEqual({ old: 14, now: 9 });
  });

  test("to nothing empties every set", () => {
    const old = scaled("old", 2, 2, { annotations: annotated(3, 4) });
    const now = scaled("now", 2, 0, { image: "web:2", annotations: annotated(3, 4, "2"), age: 10 });
    const subject = deploymentOf("web", { replicas: 0, image: "web:2" });
    expect(sizesOf(reconcile(subject, [...old.objects, ...now.objects]))).toEqual({ old: 0, now: 0 });
  });

  test("while paused only the size is followed, not the template", () => {
    const old = scaled("old", 3, 3, { annotations: annotated(3, 4) });
    const subject = deploymentOf("web", { image: "web:2", paused: true });
    const plan = reconcile(subject, old.objects);
    expect(plan.writes.map(({ op }) => op)).toEqual(["updateStatus"]);
    expect(conditionOf(plan, "Progressing")).toMatchObject({
      status: "Unknown",
      reason: "DeploymentPaused",
      message: "Deployment is paused",
    });
    const bigger = reconcile(deploymentOf("web", { image: "web:2", paused: true, replicas: 4 }), old.objects);
    expect(sizesOf(bigger)).toEqual({ old: 4 });
  });
});

describe("progress", () => {
  const stuck = scaled("now", 3, 0, { annotations: annotated(3, 4) });
  const waiting = (secondsAgo: number) =>
    deploymentOf("web", {
      deadline: 60,
      annotations: { [REVISION]: "1" },
      status: {
        observedGeneration: 1,
        replicas: 3,
        updatedReplicas: 3,
        unavailableReplicas: 3,
        conditions: [
          {
            type: "Progressing",
            status: "True",
            reason: "ReplicaSetUpdated",
            lastUpdateTime: ago(secondsAgo),
            lastTransitionTime: ago(900),
          },
        ],
      },
    });

  test("is awaited until the deadline", () => {
    const plan = reconcile(waiting(20), stuck.objects);
    expect(conditionOf(plan, "Progressing")).toMatchObject({ status: "True", reason: "ReplicaSetUpdated" });
    expect(plan.again).toEqual({ inSeconds: 41 });
  });

  test("that does not come is told", () => {
    const plan = reconcile(waiting(61), stuck.objects);
    expect(conditionOf(plan, "Progressing")).toMatchObject({
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: 'ReplicaSet "now" has timed out progressing.',
    });
    expect(plan.again).toBeUndefined();
  });

  test("of any kind starts the deadline anew, and keeps the time of the last transition", () => {
    const moving = scaled("now", 3, 1, { annotations: annotated(3, 4) });
    const plan = reconcile(waiting(59), moving.objects);
    expect(conditionOf(plan, "Progressing")).toMatchObject({
      status: "True",
      reason: "ReplicaSetUpdated",
      message: 'ReplicaSet "now" is progressing.',
      lastUpdateTime: contextAt(NOON).timestamp,
      lastTransitionTime: ago(900),
    });
  });

  test("a replica set's failure to create pods is the Deployment's", () => {
    const failure = {
      type: "ReplicaFailure",
      status: "True",
      reason: "FailedCreate",
      message: "quota",
      lastTransitionTime: ago(5),
    };
    const failing = scaled("now", 3, 0, {
      annotations: annotated(3, 4),
      status: { replicas: 0, conditions: [failure] } as never,
    });
    expect(conditionOf(reconcile(waiting(20), failing.objects), "ReplicaFailure")).toMatchObject({
      reason: "FailedCreate",
      message: "quota",
    });
  });
});

test("a matching replica set that nobody controls is adopted before anything else", () => {
  const plan = reconcile(deploymentOf("web"), [replicaSetOf("orphan", { replicas: 3 })]);
  expect(plan.writes).toMatchObject([
    { op: "update", object: { metadata: { name: "orphan", ownerReferences: [{ uid: "uid-web" }] } } },
  ]);
});

test("a Deployment that is being deleted scales nothing", () => {
  const subject = deploymentOf("web");
  subject.metadata.deletionTimestamp = ago(1);
  const plan = reconcile(subject, scaled("old", 1, 1).objects);
  expect(plan.writes.map(({ op }) => op)).toEqual(["updateStatus"]);
});

test("in a namespace that is being deleted no replica set is made", () => {
  const plan = reconcile(deploymentOf("web"), [], contextAt(NOON, { terminating: true }));
  expect(plan.writes.filter(({ op }) => op === "create")).toEqual([]);
});
