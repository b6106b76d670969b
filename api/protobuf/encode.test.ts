import { existsSync, readFileSync } from "node:fs";
import { createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryObject } from "../../test/support/arbitrary-object.ts";
import { allKinds } from "../kinds.ts";
import { decodeObject, decodeText } from "../schema/decode.ts";
import { definitionOf } from "../schema/facts.ts";
import { encodeObject, encodeWatchEvent, hasProtobuf, ListEncoder } from "./encode-object.ts";
import { decodeProtobuf } from "./envelope.ts";

const RUNS = 25;
const kinds = allKinds().filter(({ group, version, kind }) => definitionOf(group, version, kind));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** What protobuf cannot tell apart: zeros, and empty lists and maps, are on the wire as if they were not there. */
const withoutEmpty = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_key, inner) => {
    const isZero = !inner || inner === "0" || (typeof inner === "object" && Object.keys(inner).length === 0);
    return isZero ? undefined : inner;
  });

test("what is sent in protobuf of every kind is read as what it was", () => {
  for (const kind of kinds) {
    fc.assert(
      fc.property(arbitraryObject(kind), (given) => {
        const { object } = decodeText(kind, JSON.stringify(given), "Ignore");
        const sent = encodeObject(object)!;
        const read = decodeObject(kind, decodeProtobuf(kind, sent), "Strict").object;
        expect(withoutEmpty(read)).toEqual(withoutEmpty(object));
        expect(hex(encodeObject(read)!)).toBe(hex(sent));
      }),
      { numRuns: RUNS },
    );
  }
  expect(kinds.length).toBeGreaterThan(80);
});

const reference = new URL("../../../shared/reference/k8s-v1.33-protobuf.binpb", import.meta.url);

test("upstream's descriptors read it, and would write the same bytes", (context) => {
  if (!existsSync(reference)) {
    console.warn("skipped: no reference");
    context.skip("skipped: no reference");
  }
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(reference)));
  const unknown = registry.getMessage("k8s.io.apimachinery.pkg.runtime.Unknown")!;
  let compared = 0;
  for (const kind of kinds) {
    const { name } = definitionOf(kind.group, kind.version, kind.kind)!;
    const message = registry.getMessage(`k8s.io.api.${name}`);
    if (!message) continue; // Newer than the reference.
    for (const given of fc.sample(arbitraryObject(kind), RUNS)) {
      const sent = encodeObject(decodeText(kind, JSON.stringify(given), "Ignore").object)!;
      const { raw, typeMeta } = fromBinary(unknown, sent.subarray(4)) as any;
      expect(typeMeta.kind).toBe(kind.kind);
      // What is newer than the reference is kept as it is, but behind the rest: only the lengths are the same then.
      expect(toBinary(message, fromBinary(message, raw)).length).toBe(raw.length);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(1000);
});

// The bytes are those of k8s.io/apimachinery v0.36.0.
test.each<[string, object, string]>([
  [
    "zeros that are no pointers are written",
    {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name: "a" },
      spec: { replicas: 3 },
      status: { replicas: 2, selector: "a=b" },
    },
    "azhzAAoXCg5hdXRvc2NhbGluZy92MRIFU2NhbGUSIAoRCgFhEgAaACIAKgAyADgAQgASAggDGgcIAhIDYT1iGgAiAA==",
  ],
  [
    "a Status",
    {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'pods "x" not found',
      reason: "NotFound",
      details: {
        name: "x",
        kind: "pods",
        causes: [{ reason: "a", message: "b", field: "c" }],
        retryAfterSeconds: 4,
      },
      code: 404,
    },
    "azhzAAoMCgJ2MRIGU3RhdHVzEk4KBgoAEgAaABIHRmFpbHVyZRoScG9kcyAieCIgbm90IGZvdW5kIghOb3RGb3VuZCoaCgF4EgAaBHBvZHMiCQoBYRIBYhoBYygEMgAwlAMaACIA",
  ],
  [
    "discovery, whose verbs are a message",
    {
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: "apps/v1",
      resources: [
        {
          name: "deployments",
          singularName: "deployment",
          namespaced: true,
          kind: "Deployment",
          verbs: ["get"],
          shortNames: ["deploy"],
          categories: ["all"],
          storageVersionHash: "x",
        },
        {
          name: "deployments/scale",
          singularName: "",
          namespaced: true,
          group: "autoscaling",
          version: "v1",
          kind: "Scale",
          verbs: ["get"],
        },
      ],
    },
    "azhzAAoVCgJ2MRIPQVBJUmVzb3VyY2VMaXN0EocBCgdhcHBzL3YxEkIKC2RlcGxveW1lbnRzEAEaCkRlcGxveW1lbnQiBQoDZ2V0KgZkZXBsb3kyCmRlcGxveW1lbnQ6A2FsbEIASgBSAXgSOAoRZGVwbG95bWVudHMvc2NhbGUQARoFU2NhbGUiBQoDZ2V0MgBCC2F1dG9zY2FsaW5nSgJ2MVIAGgAiAA==",
  ],
])("%s", (_, object, bytes) => {
  expect(hex(encodeObject(object as never)!)).toBe(bytes);
});

const MAP = { metadata: { name: "b", annotations: { z: "é", a: "x".repeat(300) } }, data: { k: "v".repeat(20_000) } };
const LIST = { kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: "7" }, items: [MAP, {}] };

test("a list that comes item by item has the bytes of one that comes at once", () => {
  const encoder = new ListEncoder("v1", "ConfigMap");
  for (const item of LIST.items) encoder.add([item]);
  expect(hex(Buffer.concat(encoder.finish(LIST)))).toBe(hex(encodeObject(LIST)!));
});

test("a watch's event is framed by its length, and holds an object with its envelope", () => {
  const object = { kind: "ConfigMap", apiVersion: "v1", ...MAP };
  const frame = Buffer.from(encodeWatchEvent("ADDED", object));
  expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
  const sent = Buffer.from(encodeObject(object)!);
  expect(frame.subarray(4, 11).toString("latin1")).toBe("\n\x05ADDED");
  expect(frame.subarray(-sent.length).equals(sent)).toBe(true);
});

test.each([
  ["v1", "Pod", true],
  ["v1", "PodList", true],
  ["meta.k8s.io/v1", "PartialObjectMetadataList", true],
  ["meta.k8s.io/v1", "Table", false],
  ["example.com/v1", "Widget", false],
  ["example.com/v1", "WidgetList", false],
  ["v1", "__proto__", false],
])("%s %s has protobuf: %s", (apiVersion, kind, has) => {
  expect(hasProtobuf(apiVersion, kind)).toBe(has);
});
