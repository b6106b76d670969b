import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeProtobuf } from "../../api/protobuf/envelope.ts";
import { TestCluster } from "../support/control-plane.ts";
import { ask } from "../support/http.ts";

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const CONFIG_MAP = { group: "", version: "v1", kind: "ConfigMap" };
const MAPS = "/api/v1/namespaces/default/configmaps";

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
  for (const name of ["a", "b"]) await create(name, { k: "v" });
});

afterAll(async () => {
  await cluster?.stop();
});

const as = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  ask(cluster, method, path, {
    headers: { authorization: `Bearer ${cluster.token}`, ...headers },
    ...(body !== undefined && { body }),
  });

async function create(name: string, data: Record<string, string>): Promise<void> {
  const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
  expect((await as("POST", MAPS, { "content-type": "application/json" }, body)).code).toBe(201);
}

test("an object, a list and a refusal in protobuf", async () => {
  const one = await as("GET", `${MAPS}/a`, { accept: PROTOBUF });
  expect(one.headers["content-type"]).toBe(PROTOBUF);
  expect(decodeProtobuf(CONFIG_MAP, one.bytes)).toMatchObject({ metadata: { name: "a" }, data: { k: "v" } });

  const list = await as("GET", MAPS, { accept: `${PROTOBUF}, */*` });
  expect(list.bytes.subarray(0, 4).toString("latin1")).toBe("k8s\0");
  expect(list.bytes.toString("latin1")).toContain("ConfigMapList");

  const refused = await as("GET", `${MAPS}/none`, { accept: PROTOBUF });
  expect(refused.code).toBe(404);
  expect(refused.bytes.toString("latin1")).toContain('configmaps "none" not found');
});

test("what was read in protobuf can be sent back in it", async () => {
  const { bytes } = await as("GET", `${MAPS}/b`, { accept: PROTOBUF });
  const sent = await ask(cluster, "PUT", `${MAPS}/b`, {
    headers: { authorization: `Bearer ${cluster.token}`, "content-type": PROTOBUF, accept: PROTOBUF },
    body: bytes,
  });
  expect(sent.code).toBe(200);
  expect(sent.bytes.equals(bytes)).toBe(true);
});

test("a list that is sent in pieces is the same in protobuf", async () => {
  const value = "x".repeat(400_000);
  for (const name of ["large-1", "large-2", "large-3", "large-4"]) await create(name, { "key.txt": value });
  const { bytes, headers } = await as("GET", MAPS, { accept: PROTOBUF });
  expect(headers["content-type"]).toBe(PROTOBUF);
  const text = bytes.toString("latin1");
  expect(text.match(/large-\d/g)?.filter((name, i, all) => all.indexOf(name) === i)).toHaveLength(4);
  expect(text.split(value)).toHaveLength(5);
  const metadata = await as("GET", MAPS, { accept: `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1` });
  expect(metadata.bytes.toString("latin1")).toContain("PartialObjectMetadataList");
  expect(metadata.bytes.length).toBeLessThan(20_000);
});

const WATCH = `${MAPS}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Da`;

test("a watch in protobuf has a frame for each event", async () => {
  const { bytes, headers } = await as("GET", WATCH, { accept: PROTOBUF });
  expect(headers["content-type"]).toBe(`${PROTOBUF};stream=watch`);
  const length = bytes.readUInt32BE(0);
  const frame = bytes.subarray(4, 4 + length).toString("latin1");
  expect(frame.startsWith("\n\x05ADDED")).toBe(true);
  expect(bytes.length).toBe(4 + length);
  const raw = frame.slice(frame.indexOf("k8s\0"));
  expect(decodeProtobuf(CONFIG_MAP, Buffer.from(raw, "latin1"))).toMatchObject({ metadata: { name: "a" } });
});

test("a watch of Tables begins with its columns", async () => {
  const { text } = await as("GET", WATCH, { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" });
  const { type, object } = JSON.parse(text.split("\n")[0]!);
  expect(type).toBe("ADDED");
  expect(object.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(["Name", "Data", "Age"]);
});

test("a watch has no YAML, and its refusal is sent in it", async () => {
  const { code, text } = await as("GET", WATCH, { accept: "application/yaml" });
  expect(code).toBe(406);
  expect(text).toContain("application/json;stream=watch");
  expect(text).toContain("reason: NotAcceptable");
});

test("answers carry a name for the audit log, and are nobody's to keep", async () => {
  const { headers } = await as("GET", `${MAPS}/a`);
  expect(headers["audit-id"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers["cache-control"]).toBe("no-cache, private");
  expect((await as("GET", "/version", { "audit-id": "mine" })).headers["audit-id"]).toBe("mine");
  expect((await as("GET", `${MAPS}/none`)).headers["cache-control"]).toBe("no-cache, private");
});

test("people get indented JSON", async () => {
  expect((await as("GET", `${MAPS}/a`, { "user-agent": "curl/8.5.0" })).text).toMatch(/^\{\n {2}"kind": "ConfigMap"/);
  expect((await as("GET", `${MAPS}/a?pretty=true`)).text).toMatch(/^\{\n {2}"kind": "ConfigMap"/);
  expect((await as("GET", `${MAPS}/a`)).text).toMatch(/^\{"kind":"ConfigMap"/);
});

test("a version that is advised against says so", async () => {
  const { headers } = await as("GET", "/api/v1/namespaces/default/endpoints");
  expect(headers["warning"]).toBe(
    '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"',
  );
});

test.each(["HEAD", "OPTIONS", "TRACE"])("%s is no method of a resource", async (method) => {
  const { code, text } = await as(method, `${MAPS}/a`);
  expect(code).toBe(405);
  if (method !== "HEAD") expect(text).toContain("the server does not allow this method on the requested resource");
});

test("a patch of an unknown type is refused in the router's words", async () => {
  const { code, body } = await as("PATCH", `${MAPS}/a`, { "content-type": "text/xml" }, "<a/>");
  expect(code).toBe(415);
  expect(body).toMatchObject({ message: "415: Unsupported Media Type", reason: "UnsupportedMediaType" });
});

test("a time-out has to be one", async () => {
  const { code, body } = await as("GET", `${MAPS}?timeout=abc`);
  expect(code).toBe(400);
  expect(body.message).toBe('invalid timeout specified in the request URL - time: invalid duration "abc"');
});

test("discovery in protobuf and YAML", async () => {
  expect((await as("GET", "/apis", { accept: PROTOBUF })).bytes.toString("latin1")).toContain("APIGroupList");
  expect((await as("GET", "/api/v1", { accept: "application/yaml" })).text).toContain("kind: APIResourceList\n");
  expect((await as("GET", "/api", { accept: "text/html" })).code).toBe(406);
});

test("OpenAPI can be kept by its hash, and comes in gzip", async () => {
  const index = await as("GET", "/openapi/v3", { accept: "application/json" });
  const { serverRelativeURL } = index.body.paths["apis/apps/v1"];
  const { headers, code } = await as("GET", serverRelativeURL, { "accept-encoding": "gzip" });
  expect(code).toBe(200);
  expect(headers).toMatchObject({ "content-encoding": "gzip", "cache-control": "public, immutable" });
  const again = await as("GET", serverRelativeURL, { "if-none-match": headers["etag"] as string });
  expect(again.code).toBe(304);
});

test("fields are explained", async () => {
  const { body } = await as("GET", "/openapi/v3/apis/apps/v1");
  const { properties } = body.components.schemas["io.k8s.api.apps.v1.DeploymentSpec"];
  expect(properties.replicas.description).toMatch(/^Number of desired pods/);
});
