import { describe, expect, test } from "vitest";
import type { KubeObject, OwnerReference } from "../../api/object.ts";
import { contextAt, viewOf } from "../../test/support/view-of.ts";
import { ago } from "../../test/support/workload-objects.ts";
import { garbageCollector } from "./garbage-collector.ts";

interface Options {
  owners?: Partial<OwnerReference>[];
  finalizers?: string[];
  deleted?: boolean;
}

const thing = (name: string, { owners, finalizers, deleted }: Options = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name,
    namespace: "default",
    uid: `uid-${name}`,
    resourceVersion: "1",
    ...(owners && {
      ownerReferences: owners.map((owner) => ({
        apiVersion: "v1",
        kind: "ConfigMap",
        name: "?",
        uid: `uid-${owner.name}`,
        ...owner,
      })),
    }),
    ...(finalizers && { finalizers }),
    ...(deleted && { deletionTimestamp: ago(1) }),
  },
});

const kind = { group: "", version: "v1", kind: "ConfigMap", resource: "configmaps", namespaced: true };
const collect = (object: KubeObject, others: KubeObject[] = []) =>
  garbageCollector.reconcileAny({ kind, object }, viewOf([object, ...others]), contextAt()).writes;

describe("an object", () => {
  test("whose owner is gone is deleted", () => {
    expect(collect(thing("a", { owners: [{ name: "gone" }] }))).toMatchObject([
      { op: "delete", name: "a", uid: "uid-a", propagation: "Background" },
    ]);
  });

  test("whose owner's name has a new bearer is deleted: the uid counts", () => {
    expect(collect(thing("a", { owners: [{ name: "owner", uid: "uid-before" }] }), [thing("owner")])).toMatchObject([
      { op: "delete" },
    ]);
  });

  test("with a living owner stays", () => {
    expect(collect(thing("a", { owners: [{ name: "owner" }] }), [thing("owner")])).toEqual([]);
  });

  test("whose owner this home cannot know stays", () => {
    expect(collect(thing("a", { owners: [{ kind: "Node", name: "n1" }] }))).toEqual([]);
  });

  test("that keeps one owner loses the reference to the other", () => {
    const writes = collect(thing("a", { owners: [{ name: "gone" }, { name: "owner" }] }), [thing("owner")]);
    expect(writes).toMatchObject([{ op: "update", object: { metadata: { ownerReferences: [{ name: "owner" }] } } }]);
  });

  test("without owners, or on its way out, is left alone", () => {
    expect(collect(thing("a"))).toEqual([]);
    expect(collect(thing("a", { owners: [{ name: "gone" }], deleted: true, finalizers: ["mine"] }))).toEqual([]);
  });
});

describe("foreground deletion", () => {
  const owner = thing("owner", { deleted: true, finalizers: ["foregroundDeletion", "mine"] });

  test("deletes dependents, those with dependents of their own in the foreground too", () => {
    const child = thing("child", { owners: [{ name: "owner", blockOwnerDeletion: true }] });
    expect(collect(child, [owner])).toMatchObject([{ op: "delete", propagation: "Background" }]);
    const grandchild = thing("grandchild", { owners: [{ name: "child" }] });
    expect(collect(child, [owner, grandchild])).toMatchObject([{ op: "delete", propagation: "Foreground" }]);
  });

  test("waits for those that block it, and for no others", () => {
    expect(collect(owner, [thing("child", { owners: [{ name: "owner", blockOwnerDeletion: true }] })])).toEqual([]);
    const writes = collect(owner, [thing("child", { owners: [{ name: "owner" }] })]);
    expect(writes).toMatchObject([{ op: "update", object: { metadata: { name: "owner", finalizers: ["mine"] } } }]);
  });

  test("concerns the owner and its dependents when it begins, the owner when a dependent goes", () => {
    const child = thing("child", { owners: [{ name: "owner", blockOwnerDeletion: true }] });
    const view = viewOf([owner, child]);
    const begun = garbageCollector.concerns({ kind, object: owner, previous: thing("owner"), deleted: false }, view);
    expect(begun.map(({ name }) => name)).toEqual(["owner", "child"]);
    const gone = garbageCollector.concerns({ kind, object: child, previous: child, deleted: true }, viewOf([owner]));
    expect(gone.map(({ name }) => name)).toEqual(["owner", "owner"]);
  });
});

test("orphaning takes the reference from all dependents, then lets the owner go", () => {
  const owner = thing("owner", { deleted: true, finalizers: ["orphan"] });
  const writes = collect(owner, [thing("child", { owners: [{ name: "owner" }, { name: "other" }] })]);
  expect(writes).toMatchObject([
    { op: "update", object: { metadata: { name: "child", ownerReferences: [{ name: "other" }] } } },
    { op: "update", object: { metadata: { name: "owner", finalizers: [] } } },
  ]);
});

describe("a change concerns", () => {
  const view = viewOf([thing("child", { owners: [{ name: "gone" }] }), thing("plain")]);
  const concerns = (object: KubeObject, previous?: KubeObject, deleted = false) =>
    garbageCollector.concerns({ kind, object, previous, deleted }, view).map(({ name }) => name);

  test("the dependents of what is deleted", () => {
    expect(concerns(thing("gone"), thing("gone"), true)).toEqual(["child"]);
  });

  test("an object that has new owners", () => {
    const child = thing("child", { owners: [{ name: "gone" }] });
    expect(concerns(child)).toEqual(["child"]);
    expect(concerns(child, child)).toEqual([]);
  });

  test("nobody, for an object without owners", () => {
    expect(concerns(thing("plain"), thing("plain"))).toEqual([]);
  });
});
