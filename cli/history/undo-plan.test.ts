import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/object.ts";
import { planUndo } from "./undo-plan.ts";

const deployment = (
  revision: number,
  image: string,
  more: { metadata?: object; status?: object } = {},
): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    name: "web",
    namespace: "default",
    uid: "1",
    resourceVersion: String(revision),
    generation: revision,
    creationTimestamp: "2026-01-31T12:00:00Z",
    ...more.metadata,
  },
  spec: { image },
  ...(more.status && { status: more.status }),
});
const version = (revision: number, object: KubeObject, type: "ADDED" | "MODIFIED" | "DELETED" = "MODIFIED") => ({
  revision,
  type,
  object,
});
/** Created with web:1, changed to web:2, then the controller reported twice. */
const REPORTED = [
  version(40, deployment(40, "web:2", { status: { ready: 2 } })),
  version(30, deployment(30, "web:2", { status: { ready: 1 } })),
  version(20, deployment(20, "web:2")),
  version(10, deployment(10, "web:1"), "ADDED"),
];
const DELETED = [version(50, REPORTED[0]!.object, "DELETED"), ...REPORTED];

describe("undo", () => {
  test("goes back to the last version in which the user's part was another; status and identity stay", () => {
    expect(planUndo(REPORTED)).toEqual({
      do: "update",
      revision: 10,
      object: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: {
          name: "web",
          namespace: "default",
          uid: "1",
          resourceVersion: "40",
          generation: 40,
          creationTimestamp: "2026-01-31T12:00:00Z",
        },
        spec: { image: "web:1" },
        status: { ready: 2 },
      },
    });
  });

  test("goes to any revision of the cluster: what the object was then counts", () => {
    expect(planUndo(REPORTED, 19)).toMatchObject({ do: "update", revision: 19, object: { spec: { image: "web:1" } } });
  });

  test("does nothing where the user's part is as it was", () => {
    expect(planUndo(REPORTED, 20)).toEqual({ do: "nothing", revision: 20 });
    expect(planUndo(REPORTED, 99)).toEqual({ do: "nothing", revision: 99 });
    expect(planUndo(DELETED, 50)).toEqual({ do: "nothing", revision: 50 });
  });

  test("brings labels and annotations back, but not what a controller notes in them", () => {
    const noted = (revision: number, tier: string, rollout: string) =>
      version(
        revision,
        deployment(revision, "web:1", {
          metadata: {
            labels: { tier },
            annotations: { "deployment.kubernetes.io/revision": rollout, note: tier },
          },
        }),
      );
    expect(planUndo([noted(30, "b", "2"), noted(20, "b", "1"), noted(10, "a", "1")])).toMatchObject({
      do: "update",
      revision: 10,
      object: {
        metadata: { labels: { tier: "a" }, annotations: { "deployment.kubernetes.io/revision": "2", note: "a" } },
      },
    });
  });

  test("takes away labels and fields that were not there", () => {
    const later = deployment(20, "web:1", { metadata: { labels: { a: "b" } } });
    const plan = planUndo([version(20, { ...later, extra: 1 }), version(10, deployment(10, "web:1"), "ADDED")]);
    expect(plan).toMatchObject({ do: "update", revision: 10 });
    const { object } = plan as { object: KubeObject };
    expect(JSON.parse(JSON.stringify(object))).toEqual({ ...deployment(20, "web:1") });
  });

  test("creates what was deleted anew, without what belonged to the old one", () => {
    const dying = deployment(40, "web:2", {
      metadata: {
        labels: { a: "b" },
        finalizers: ["foregroundDeletion", "example.com/mine"],
        deletionTimestamp: "2026-01-31T13:00:00Z",
        deletionGracePeriodSeconds: 0,
        managedFields: [{}],
      },
      status: { ready: 1 },
    });
    expect(planUndo([version(50, dying, "DELETED"), version(40, dying), ...REPORTED.slice(2)])).toEqual({
      do: "create",
      revision: 40,
      object: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "web", namespace: "default", labels: { a: "b" }, finalizers: ["example.com/mine"] },
        spec: { image: "web:2" },
      },
    });
    expect(planUndo(DELETED, 10)).toMatchObject({ do: "create", revision: 10, object: { spec: { image: "web:1" } } });
  });

  test("of an object that was made anew reaches the one before", () => {
    const anew = deployment(60, "web:3", { metadata: { uid: "2" } });
    expect(planUndo([version(60, anew, "ADDED"), ...DELETED])).toMatchObject({
      do: "update",
      revision: 40,
      object: { metadata: { uid: "2", resourceVersion: "60" }, spec: { image: "web:2" } },
    });
    expect(planUndo([version(60, anew, "ADDED"), ...DELETED], 55)).toEqual({
      do: "refuse",
      why: "it did not exist at revision 55",
    });
  });

  test.each([
    ["without an earlier version", REPORTED.slice(3), undefined, "history keeps no earlier version of it"],
    [
      "where only controllers wrote",
      REPORTED.slice(0, 3),
      undefined,
      "nothing that a user owns was changed since revision 20, and history shows no earlier version",
    ],
    ["beyond history", REPORTED, 9, "history keeps nothing of it before revision 10"],
    [
      "of a deletion that is all that is kept",
      DELETED.slice(0, 1),
      undefined,
      "history keeps no earlier version of it",
    ],
    [
      "while it is being deleted",
      [version(50, deployment(50, "web:2", { metadata: { deletionTimestamp: "2026-01-31T13:00:00Z" } })), ...REPORTED],
      undefined,
      "it is being deleted: once it is gone, this brings it back",
    ],
  ])("is refused %s", (_, versions, to, why) => {
    expect(planUndo(versions, to)).toEqual({ do: "refuse", why });
  });
});
