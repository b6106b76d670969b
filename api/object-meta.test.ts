import { describe, expect, test } from "vitest";
import { describeFieldError } from "./field-error.ts";
import type { ObjectMeta } from "./object.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "./object-meta.ts";

const meta = (more: Partial<ObjectMeta> = {}): ObjectMeta => ({ name: "a", namespace: "default", ...more });
const complaints = (more: Partial<ObjectMeta>, options = { namespaced: true }) =>
  validateObjectMeta(meta(more), options).map(describeFieldError);
const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "rs", uid: "1" };

describe("metadata", () => {
  test("of a plain object is fine", () => {
    const fine = meta({
      labels: { "example.com/a": "b" },
      annotations: { "Example.com/A": "anything at all" },
      ownerReferences: [{ ...owner, controller: true }],
      finalizers: ["example.com/f"],
    });
    expect(validateObjectMeta(fine, { namespaced: true })).toEqual([]);
  });

  test.each([
    [{ name: "" }, "metadata.name: Required value: name or generateName is required"],
    [{ name: "A" }, 'metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of'],
    [{ generateName: "-A-" }, 'metadata.generateName: Invalid value: "-A-": a lowercase RFC 1123 subdomain'],
    [{ namespace: "" }, "metadata.namespace: Required value"],
    [{ namespace: "a.b" }, 'metadata.namespace: Invalid value: "a.b": must not contain dots'],
    [{ labels: { a: "-" } }, 'metadata.labels: Invalid value: "-": a valid label must be an empty string or'],
    [{ annotations: { "a b": "" } }, 'metadata.annotations: Invalid value: "a b": name part must consist of'],
    [{ annotations: { a: "é".repeat(140_000) } }, "metadata.annotations: Too long: may not be more than 262144 bytes"],
    [
      { ownerReferences: [{ ...owner, uid: "" }] },
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
    ],
    [{ finalizers: ["/"] }, 'metadata.finalizers: Invalid value: "/": prefix part must be non-empty'],
    [
      { finalizers: ["orphan", "foregroundDeletion"] },
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer foregroundDeletion and orphan cannot be both set',
    ],
  ])("%j is refused: %s", (more, message) => {
    expect(complaints(more)[0]).toContain(message);
  });

  test("only one owner controls", () => {
    const [complaint] = complaints({
      ownerReferences: [
        { ...owner, controller: true },
        { ...owner, name: "other", controller: true },
      ],
    });
    expect(complaint).toContain(
      'Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/rs and ReplicaSet/other',
    );
  });

  test("of what has no namespace may not name one", () => {
    expect(complaints({}, { namespaced: false })).toEqual(["metadata.namespace: Forbidden: not allowed on this type"]);
  });

  test("a prefix may end in a dash, and a role be called by a path", () => {
    expect(complaints({ generateName: "a-" })).toEqual([]);
    expect(validateObjectMeta(meta({ name: "system:A" }), { namespaced: true, nameRule: "path" })).toEqual([]);
  });
});

describe("an update", () => {
  const previous = meta({ uid: "1", resourceVersion: "1", creationTimestamp: "2025-01-01T00:00:00Z", generation: 2 });
  const update = (more: Partial<ObjectMeta>, from: ObjectMeta = previous) =>
    validateObjectMetaUpdate({ ...from, ...more }, from).map(describeFieldError);

  test("may change labels", () => expect(update({ labels: { a: "b" } })).toEqual([]));

  test.each([
    [{ name: "b" }, 'metadata.name: Invalid value: "b": field is immutable'],
    [{ uid: "2" }, 'metadata.uid: Invalid value: "2": field is immutable'],
    [{ deletionTimestamp: "2025-01-01T00:00:00Z" }, "metadata.deletionTimestamp: Invalid value"],
    [{ resourceVersion: "" }, 'metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    [{ generation: 1 }, "metadata.generation: Invalid value: 1: must not be decremented"],
  ])("%j is refused: %s", (more, message) => expect(update(more)[0]).toContain(message));

  test("of what is being deleted adds no finalizer", () => {
    const going = { ...previous, deletionTimestamp: "2025-01-01T00:00:00Z", finalizers: ["a.io/a", "a.io/b"] };
    expect(update({ finalizers: ["a.io/a"] }, going)).toEqual([]);
    expect(update({ finalizers: ["a.io/a", "a.io/c"] }, going)).toEqual([
      "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, " +
        'found new finalizers []string{"a.io/c"}',
    ]);
  });
});
