import { expect, test } from "vitest";
import { ApiError } from "../../api/status.ts";
import type { Target } from "../../durable-objects/protocol.ts";
import { JSON_OBJECTS } from "./negotiate.ts";
import { respond, respondError } from "./respond.ts";
import { respondWatch } from "./respond-watch.ts";
import type { IncludeObject } from "./transform.ts";

const target = (group: string, version: string, resource: string, subresource = ""): Target => ({
  group,
  version,
  resource,
  namespace: "default",
  name: "",
  subresource,
});
const asTable = (about: Target, includeObject: IncludeObject = "Metadata") => ({
  negotiated: { ...JSON_OBJECTS, as: "Table" } as const,
  target: about,
  includeObject,
});
const cellsOf = (table: any) =>
  table.rows.map(({ cells }: any) =>
    Object.fromEntries(table.columnDefinitions.map(({ name }: any, i: number) => [name, cells[i]])),
  );

const event = {
  kind: "Event",
  apiVersion: "events.k8s.io/v1",
  metadata: { name: "web.1", namespace: "default", resourceVersion: "7" },
  regarding: { kind: "Pod", name: "web", namespace: "default" },
  reason: "Pulled",
  note: "Container image is present",
  type: "Normal",
};

test("the table of a version that is not stored has the columns of the stored one, and its own objects", async () => {
  const list = {
    kind: "EventList",
    apiVersion: "events.k8s.io/v1",
    metadata: { resourceVersion: "9" },
    items: [event],
  };
  const answer = () => ({ code: 200, body: JSON.stringify(list) });
  const about = target("events.k8s.io", "v1", "events");
  const table: any = await (await respond(answer(), asTable(about, "Object"))).json();
  expect(table.metadata).toEqual({ resourceVersion: "9" });
  expect(cellsOf(table)).toMatchObject([
    { Type: "Normal", Reason: "Pulled", Object: "pod/web", Message: "Container image is present" },
  ]);
  expect(table.rows[0].object).toEqual(event);
  const partial: any = await (await respond(answer(), asTable(about))).json();
  expect(partial.rows[0].object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "web.1" } });
  const bare: any = await (await respond(answer(), asTable(about, "None"))).json();
  expect(bare.rows[0].object).toBeNull();
});

test("an autoscaler of v1 shows its target in the columns of v2, and keeps the annotations that v1 has", async () => {
  const annotations = { "autoscaling.alpha.kubernetes.io/conditions": "[]" };
  const autoscaler = {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v1",
    metadata: { name: "web", namespace: "default", annotations },
    spec: { scaleTargetRef: { kind: "Deployment", name: "web" }, maxReplicas: 3, targetCPUUtilizationPercentage: 80 },
    status: { currentReplicas: 1, desiredReplicas: 1 },
  };
  const answer = { code: 200, body: JSON.stringify(autoscaler) };
  const table: any = await (
    await respond(answer, asTable(target("autoscaling", "v1", "horizontalpodautoscalers")))
  ).json();
  expect(cellsOf(table)[0].Targets).toContain("80%");
  expect(table.rows[0].object.metadata.annotations).toEqual(annotations);
});

test("what a subresource answers is not taken for the kind it belongs to", async () => {
  const scale = { kind: "Scale", apiVersion: "autoscaling/v1", metadata: { name: "web" }, spec: { replicas: 2 } };
  const answer = { code: 200, body: JSON.stringify(scale) };
  const table: any = await (await respond(answer, asTable(target("apps", "v1", "deployments", "scale")))).json();
  expect(table.columnDefinitions.map(({ name }: any) => name)).toEqual(["Name", "Created At"]);
});

test("a watched event of such a version becomes a row, too", async () => {
  const line = `${JSON.stringify({ type: "ADDED", object: event })}\n`;
  const events = new Response(line).body as ReadableStream<Uint8Array>;
  const text = await (
    await respondWatch({ code: 200, events }, asTable(target("events.k8s.io", "v1", "events")))
  ).text();
  const { type, object } = JSON.parse(text);
  expect(type).toBe("ADDED");
  expect(cellsOf(object)).toMatchObject([{ Reason: "Pulled", Object: "pod/web" }]);
});

test.each([429, 503])("a %i says when to come back", async (code) => {
  const body = JSON.stringify({ kind: "Status", code, details: { retryAfterSeconds: 7 } });
  const wanted = { ...asTable(target("", "v1", "pods")), negotiated: JSON_OBJECTS };
  expect((await respond({ code, body }, wanted)).headers.get("retry-after")).toBe("7");
  expect((await respondWatch({ code, body }, wanted)).headers.get("retry-after")).toBe("7");
});

const POD = { kind: "Pod", apiVersion: "v1", metadata: { name: "a", resourceVersion: "1" }, spec: { containers: [] } };
const pods = (as: "object" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList", more = {}) => ({
  negotiated: { ...JSON_OBJECTS, as, ...more },
  target: target("", "v1", "pods"),
});
const list = { kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "9" }, items: [POD] };
const answer = (value: object) => ({ code: 200, body: JSON.stringify(value) });

test("metadata alone, in the version that was asked for", async () => {
  const response = await respond(answer(list), pods("PartialObjectMetadataList", { metaVersion: "v1beta1" }));
  expect(await response.json()).toEqual({
    kind: "PartialObjectMetadataList",
    apiVersion: "meta.k8s.io/v1beta1",
    metadata: { resourceVersion: "9" },
    items: [{ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1beta1", metadata: POD.metadata }],
  });
});

test.each([
  [
    "PartialObjectMetadata",
    list,
    "you requested PartialObjectMetadata, but the requested object is a list (*core.PodList)",
  ],
  [
    "PartialObjectMetadataList",
    POD,
    "you requested PartialObjectMetadataList, but the requested object is not a list (*core.Pod)",
  ],
] as const)("%s of what is none is refused", async (as, value, message) => {
  await expect(respond(answer(value), pods(as))).rejects.toMatchObject({ code: 406, message });
});

test("JSON for human eyes is indented, YAML has its keys in order", async () => {
  const indented = await respond(answer(POD), pods("object", { pretty: true }));
  expect(await indented.text()).toBe(JSON.stringify(POD, undefined, 2));
  const yaml = await respond(answer(POD), pods("object", { format: "yaml" }));
  expect(yaml.headers.get("content-type")).toBe("application/yaml");
  expect((await yaml.text()).split("\n").slice(0, 3)).toEqual(["apiVersion: v1", "kind: Pod", "metadata:"]);
});

test("what is advised against says so in every answer, before other warnings", async () => {
  const wanted = { ...pods("object"), deprecation: "v1 Pod is deprecated" };
  const response = await respond({ ...answer(POD), warnings: ['unknown field "a"'] }, wanted);
  expect(response.headers.get("warning")).toBe('299 - "v1 Pod is deprecated", 299 - "unknown field \\"a\\""');
});

test("a watch of Tables tells its columns once", async () => {
  const line = (name: string) =>
    `${JSON.stringify({ type: "ADDED", object: { ...POD, metadata: { name, resourceVersion: "1" } } })}\n`;
  const events = new Response(line("a") + line("b")).body as ReadableStream<Uint8Array>;
  const text = await (await respondWatch({ code: 200, events }, pods("Table"))).text();
  const tables = text
    .trim()
    .split("\n")
    .map((each) => JSON.parse(each).object);
  expect(tables[0].columnDefinitions.length).toBeGreaterThan(4);
  expect(tables[1].columnDefinitions).toBeNull();
  expect(tables.map(({ rows }) => rows[0].cells[0])).toEqual(["a", "b"]);
});

test("a watch in protobuf is a row of frames, its refusal a Status in protobuf", async () => {
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code: 410 };
  const lines = [
    { type: "ADDED", object: POD },
    { type: "ERROR", object: status },
  ];
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const events = new Response(body).body as ReadableStream<Uint8Array>;
  const response = await respondWatch({ code: 200, events }, pods("object", { format: "protobuf" }));
  expect(response.headers.get("content-type")).toBe("application/vnd.kubernetes.protobuf;stream=watch");
  let rest = Buffer.from(await response.arrayBuffer());
  const frames: string[] = [];
  while (rest.length > 0) {
    const length = rest.readUInt32BE(0);
    frames.push(rest.subarray(4, 4 + length).toString("latin1"));
    rest = rest.subarray(4 + length);
  }
  expect(frames.map((frame) => /(ADDED|ERROR).*k8s\0.*(Pod|Status)/s.exec(frame)?.slice(1))).toEqual([
    ["ADDED", "Pod"],
    ["ERROR", "Status"],
  ]);
});

test("an error is sent as its reader can take it", async () => {
  const request = (accept: string) => new Request("https://cluster.example/", { headers: { accept } });
  const error = new ApiError("NotFound", "gone", {});
  expect(await respondError(error, request("application/yaml")).text()).toMatch(/^apiVersion: v1\ncode: 404\n/);
  const protobuf = await respondError(error, request("application/vnd.kubernetes.protobuf")).arrayBuffer();
  expect(Buffer.from(protobuf).subarray(0, 4).toString("latin1")).toBe("k8s\0");
  expect(await respondError(error, request("text/html")).text()).toMatch(/^\{\n {2}"kind": "Status"/);
  expect(await respondError(error).text()).toMatch(/^\{"kind":"Status"/);
});

test("an answer comes with the headers of all answers", async () => {
  const flow = { schemaUid: "schema", levelUid: "level" };
  const { headers } = await respond({ ...answer(POD), flow }, { ...pods("object"), auditId: "id" });
  expect(Object.fromEntries(headers)).toEqual({
    "audit-id": "id",
    "cache-control": "no-cache, private",
    "content-type": "application/json",
    "x-kubernetes-pf-flowschema-uid": "schema",
    "x-kubernetes-pf-prioritylevel-uid": "level",
  });
  const unmarked = await respond(answer(POD), { ...pods("object"), auditId: "id" });
  expect(unmarked.headers.has("x-kubernetes-pf-flowschema-uid")).toBe(false);
});
