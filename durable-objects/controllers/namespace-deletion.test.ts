import { expect, test } from "vitest";
import { contextAt, viewOf } from "../../test/support/view-of.ts";
import { ago, pod, replicaSetOf, service } from "../../test/support/workload-objects.ts";
import { namespaceConditions, namespaceDeletion } from "./namespace-deletion.ts";

const namesOf = (plan: ReturnType<typeof namespaceDeletion>) =>
  plan.writes.flatMap((write) => (write.op === "delete" ? [write.name] : []));

test("pods go first, the rest when they are gone", () => {
  const rest = [service("web"), replicaSetOf("set")];
  const leaving = pod("leaving", { deleted: true });
  const first = namespaceDeletion(viewOf([pod("a"), leaving, ...rest]));
  expect(namesOf(first)).toEqual(["a"]);
  expect(first.remaining.resources).toEqual({ pods: 2 });
  expect(namesOf(namespaceDeletion(viewOf([leaving, ...rest])))).toEqual([]);
  expect(namesOf(namespaceDeletion(viewOf(rest))).sort()).toEqual(["set", "web"]);
});

test("an empty namespace has nothing remaining", () => {
  expect(namespaceDeletion(viewOf([]))).toEqual({ writes: [], remaining: { resources: {}, finalizers: {} } });
});

test("the conditions tell what remains, in upstream's words", () => {
  const held = service("web");
  held.metadata.finalizers = ["example.com/hold"];
  held.metadata.deletionTimestamp = ago(1);
  const { remaining } = namespaceDeletion(viewOf([held, replicaSetOf("set")]));
  const { timestamp } = contextAt();
  const conditions = namespaceConditions(undefined, remaining, timestamp);
  expect(conditions.map(({ type, status, reason, message }) => [type, status, reason, message])).toEqual([
    ["NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"],
    [
      "NamespaceDeletionGroupVersionParsingFailure",
      "False",
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ],
    [
      "NamespaceDeletionContentFailure",
      "False",
      "ContentDeleted",
      "All content successfully deleted, may be waiting on finalization",
    ],
    [
      "NamespaceContentRemaining",
      "True",
      "SomeResourcesRemain",
      "Some resources are remaining: replicasets.apps has 1 resource instances, services. has 1 resource instances",
    ],
    [
      "NamespaceFinalizersRemaining",
      "True",
      "SomeFinalizersRemain",
      "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    ],
  ]);
  const later = namespaceConditions(conditions, { resources: {}, finalizers: {} }, "2026-06-01T13:00:00Z");
  expect(later.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([
    timestamp,
    timestamp,
    timestamp,
    "2026-06-01T13:00:00Z",
    "2026-06-01T13:00:00Z",
  ]);
});

test("what could not be deleted is told, in one order", () => {
  const timestamp = "2026-06-01T12:00:00Z";
  const failed = namespaceConditions([], { resources: { pods: 2 }, finalizers: {} }, timestamp, [
    "b is stuck",
    "a is stuck",
  ]);
  expect(failed).toContainEqual({
    type: "NamespaceDeletionContentFailure",
    status: "True",
    lastTransitionTime: timestamp,
    reason: "ContentDeletionFailed",
    message: "Failed to delete all resource types, 2 remaining: a is stuck, b is stuck",
  });
});
