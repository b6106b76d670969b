import { expect, test } from "vitest";
import { deprecationOf } from "./deprecations.ts";
import { findKind } from "./kinds.ts";

test.each([
  ["", "v1", "endpoints", "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"],
  [
    "storage.k8s.io",
    "v1beta1",
    "volumeattributesclasses",
    "storage.k8s.io/v1beta1 VolumeAttributesClass is deprecated in v1.34+, unavailable in v1.37+; use storage.k8s.io/v1 VolumeAttributesClass",
  ],
  [
    "coordination.k8s.io",
    "v1beta1",
    "leasecandidates",
    "coordination.k8s.io/v1beta1 LeaseCandidate is deprecated in v1.36+, unavailable in v1.39+",
  ],
])("%s/%s %s is advised against", (group, version, resource, text) => {
  expect(deprecationOf(group, version, resource)).toBe(text);
  expect(text).toContain(` ${findKind(group, version, resource)?.kind} is deprecated`);
});

test("nobody advises against the others", () => {
  expect(deprecationOf("", "v1", "pods")).toBeUndefined();
  expect(deprecationOf("storage.k8s.io", "v1", "volumeattributesclasses")).toBeUndefined();
});
