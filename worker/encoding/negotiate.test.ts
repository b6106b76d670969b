import { expect, test } from "vitest";
import { isPretty, mediaTypes, type Negotiated, negotiate, refusalFormat } from "./negotiate.ts";

const TABLE = "as=Table;v=v1;g=meta.k8s.io";
const PARTIAL = "as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

test.each<[string | null, Partial<Negotiated>]>([
  [null, { format: "json", as: "object" }],
  ["", { format: "json", as: "object" }],
  ["*/*", { format: "json", as: "object" }],
  ["application/yaml", { format: "yaml", as: "object" }],
  ["application/vnd.kubernetes.protobuf, application/json", { format: "protobuf", as: "object" }],
  ["application/vnd.kubernetes.protobuf, */*", { format: "protobuf", as: "object" }],
  ["application/vnd.kubernetes.protobuf;q=0.5, application/json", { format: "json", as: "object" }],
  [
    `application/json;${TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`,
    { format: "json", as: "Table", metaVersion: "v1" },
  ],
  [
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
    { format: "json", as: "Table", metaVersion: "v1beta1" },
  ],
  [`application/yaml;${TABLE}`, { format: "yaml", as: "Table" }],
  // Tables have no protobuf.
  [`application/vnd.kubernetes.protobuf;${TABLE}, application/json`, { format: "json", as: "object" }],
  [`application/vnd.kubernetes.protobuf;${PARTIAL}`, { format: "protobuf", as: "PartialObjectMetadataList" }],
  ["application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", { format: "json", as: "PartialObjectMetadata" }],
  ["application/json;as=Table;g=meta.k8s.io;v=v2, application/yaml", { format: "yaml", as: "object" }],
  ["application/json;as=Table;g=example.com;v=v1, application/yaml", { format: "yaml", as: "object" }],
  ["application/yaml;q=0.5, application/json", { format: "json", as: "object" }],
  ["*/*, application/yaml", { format: "yaml", as: "object" }],
  ["application/json;pretty=1", { format: "json", pretty: true }],
  ["application/json;stream=watch", { format: "json", as: "object" }],
  ["application/json;stream=read, application/yaml", { format: "yaml", as: "object" }],
])("%s", (accept, expected) => {
  expect(negotiate(accept)).toMatchObject(expected);
});

test("what is of no type that is served is refused as upstream's router does", () => {
  expect(() => negotiate("text/html")).toThrow(
    "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  );
  expect(negotiate("text/html, */*")).toMatchObject({ format: "json", as: "object" });
});

test.each([
  `application/vnd.kubernetes.protobuf;${TABLE}`,
  "application/json;as=Picture;g=meta.k8s.io;v=v1",
  "application/json;as=__proto__;g=meta.k8s.io;v=v1",
  "application/json;g=meta.k8s.io",
])("%s is not acceptable", (accept) => {
  expect(() => negotiate(accept)).toThrow(
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  );
});

test("custom resources have no protobuf, but their metadata have", () => {
  const both = "application/vnd.kubernetes.protobuf, application/json";
  expect(negotiate(both, { isCustom: true })).toMatchObject({ format: "json" });
  expect(negotiate(both)).toMatchObject({ format: "protobuf" });
  expect(negotiate(`application/vnd.kubernetes.protobuf;${PARTIAL}`, { isCustom: true })).toMatchObject({
    format: "protobuf",
  });
});

test("a watch has no YAML", () => {
  expect(() => negotiate("application/yaml", { isWatch: true })).toThrow(
    "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
  );
  expect(negotiate("application/vnd.kubernetes.protobuf", { isWatch: true })).toMatchObject({ format: "protobuf" });
});

test.each([
  [null, { format: "json", pretty: false }],
  ["application/yaml", { format: "yaml", pretty: false }],
  [`application/json;${TABLE}, application/json`, { format: "json", pretty: false }],
  [`application/json;${TABLE}`, { format: "json", pretty: true }],
  ["text/html", { format: "json", pretty: true }],
  ["application/vnd.kubernetes.protobuf", { format: "protobuf", pretty: false }],
])("a refusal to who accepts %s", (accept, expected) => {
  expect(refusalFormat(accept)).toEqual(expected);
});

const human = (agent: string, query = "") =>
  isPretty(new Request("https://cluster.example/", { headers: { "user-agent": agent } }), new URLSearchParams(query));

test("people's programs get indented JSON, unless the query says otherwise", () => {
  expect(human("curl/8.5.0")).toBe(true);
  expect(human("Mozilla/5.0 (X11)")).toBe(true);
  expect(human("kubectl/v1.36.0")).toBe(false);
  expect(human("curl/8.5.0", "pretty=false")).toBe(false);
  expect(human("kubectl/v1.36.0", "pretty=true")).toBe(true);
  expect(human("kubectl/v1.36.0", "pretty=yes")).toBe(false);
});

test("a header of very many clauses is read no further than it makes sense", () => {
  expect(mediaTypes("a/b,".repeat(100_000)).length).toBeLessThan(100);
});
