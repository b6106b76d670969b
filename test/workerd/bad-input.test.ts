import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { ask } from "../support/http.ts";

// What bad input gets: the Status that kube-apiserver would send, and a store that is untouched.

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const MEBIBYTE = 1024 * 1024;

let cluster: TestCluster;
let resourceVersionBefore: string;

const namesOfAll = async () =>
  (await cluster.call("GET", CONFIG_MAPS)).body.items.map((item: any) => item.metadata.name);

beforeAll(async () => {
  cluster = await TestCluster.start();
  resourceVersionBefore = (await cluster.call("POST", CONFIG_MAPS, configMap("there"))).body.metadata.resourceVersion;
});

afterAll(async () => {
  await cluster?.stop();
});

const configMap = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data: { a: "1" },
  ...more,
});

const send = (method: string, path: string, body: string | object, contentType = "application/json") =>
  ask(cluster, method, path, {
    headers: { authorization: `Bearer ${cluster.token}`, "content-type": contentType },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const pod = (spec: object) => ({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec });

describe("a create that is refused", () => {
  test.each<[string, () => Promise<any>, number, string, string | RegExp]>([
    [
      "malformed JSON",
      () => send("POST", CONFIG_MAPS, '{"apiVersion":'),
      400,
      "BadRequest",
      /unexpected end of JSON input|unexpected EOF/,
    ],
    ["malformed YAML", () => send("POST", CONFIG_MAPS, "a: [", "application/yaml"), 400, "BadRequest", /yaml/],
    [
      "an unknown field under strict validation",
      () => send("POST", `${CONFIG_MAPS}?fieldValidation=Strict`, configMap("a", { colour: "blue" })),
      400,
      "BadRequest",
      /strict decoding error: unknown field "colour"/,
    ],
    [
      "a wrong type",
      () => send("POST", CONFIG_MAPS, configMap("a", { data: { a: 1 } })),
      400,
      "BadRequest",
      /ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap\.data of type string/,
    ],
    [
      "a name that breaks RFC 1123",
      () => send("POST", CONFIG_MAPS, configMap("Not_A_Name")),
      422,
      "Invalid",
      /ConfigMap "Not_A_Name" is invalid: metadata\.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain must consist of/,
    ],
    [
      "no name",
      () => send("POST", CONFIG_MAPS, { ...configMap(""), metadata: {} }),
      422,
      "Invalid",
      /name or generateName is required/,
    ],
    [
      "an existing name",
      () => send("POST", CONFIG_MAPS, configMap("there")),
      409,
      "AlreadyExists",
      'configmaps "there" already exists',
    ],
    [
      "another namespace than the path's",
      () => send("POST", CONFIG_MAPS, { ...configMap("a"), metadata: { name: "a", namespace: "elsewhere" } }),
      400,
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "a namespace that does not exist",
      () => send("POST", "/api/v1/namespaces/nowhere/configmaps", configMap("a")),
      404,
      "NotFound",
      'namespaces "nowhere" not found',
    ],
    [
      "another kind than the path's",
      () => send("POST", CONFIG_MAPS, pod({ containers: [] })),
      400,
      "BadRequest",
      /Pod in version "v1" cannot be handled as a ConfigMap/,
    ],
    [
      "a pod without containers",
      () => send("POST", "/api/v1/namespaces/default/pods", pod({ containers: [] })),
      422,
      "Invalid",
      /spec\.containers: Required value/,
    ],
    [
      "a body over 3 MiB",
      () => send("POST", CONFIG_MAPS, configMap("a", { data: { a: "x".repeat(3 * MEBIBYTE) } })),
      413,
      "RequestEntityTooLarge",
      "Request entity too large: limit is 3145728",
    ],
    [
      "more data than a ConfigMap may have",
      () => send("POST", CONFIG_MAPS, configMap("a", { data: { a: "x".repeat(MEBIBYTE + 1) } })),
      422,
      "Invalid",
      /Too long: may not be more than 1048576 bytes/,
    ],
    [
      "an unknown content type",
      () => send("POST", CONFIG_MAPS, "<a/>", "text/xml"),
      415,
      "UnsupportedMediaType",
      /unknown format/,
    ],
    [
      "protobuf that is none",
      () => send("POST", CONFIG_MAPS, "k8t", "application/vnd.kubernetes.protobuf"),
      400,
      "BadRequest",
      "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (6b3874)",
    ],
    [
      "protobuf over 3 MiB",
      () => send("POST", CONFIG_MAPS, "x".repeat(3 * MEBIBYTE + 1), "application/vnd.kubernetes.protobuf"),
      413,
      "RequestEntityTooLarge",
      /limit is 3145728/,
    ],
    [
      "an unknown resource",
      () => send("POST", "/api/v1/namespaces/default/boats", {}),
      404,
      "NotFound",
      "the server could not find the requested resource",
    ],
    [
      "a method that is not served",
      () => send("POST", `${CONFIG_MAPS}/there`, configMap("there")),
      405,
      "MethodNotAllowed",
      "the server does not allow this method on the requested resource",
    ],
    [
      "an unknown dry run",
      () => send("POST", `${CONFIG_MAPS}?dryRun=Some`, configMap("a")),
      422,
      "Invalid",
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    ],
  ])("%s", async (_, sent, code, reason, message) => {
    const answer = await sent();
    expect(answer.body).toMatchObject({ kind: "Status", apiVersion: "v1", status: "Failure", code, reason });
    expect(answer.code).toBe(code);
    if (typeof message === "string") expect(answer.body.message).toBe(message);
    else expect(answer.body.message).toMatch(message);
  });

  test("leaves the store untouched", async () => {
    expect((await namesOfAll()).filter((name: string) => name !== "kube-root-ca.crt")).toEqual(["there"]);
    const there = await cluster.call("GET", `${CONFIG_MAPS}/there`);
    expect(there.body.metadata.resourceVersion).toBe(resourceVersionBefore);
  });
});

describe("an update that is refused", () => {
  test("carries a stale resourceVersion", async () => {
    const stale = (await cluster.call("GET", `${CONFIG_MAPS}/there`)).body;
    const updated = await cluster.call("PUT", `${CONFIG_MAPS}/there`, { ...stale, data: { a: "2" } });
    expect(updated.code).toBe(200);
    const refused = await cluster.call("PUT", `${CONFIG_MAPS}/there`, { ...stale, data: { a: "3" } });
    expect(refused).toMatchObject({
      code: 409,
      body: {
        reason: "Conflict",
        message:
          'Operation cannot be fulfilled on configmaps "there": the object has been modified; please apply your changes to the latest version and try again',
      },
    });
    expect((await cluster.call("GET", `${CONFIG_MAPS}/there`)).body.data).toEqual({ a: "2" });
  });

  test("names an object that does not exist", async () => {
    expect(await cluster.call("PUT", `${CONFIG_MAPS}/absent`, configMap("absent"))).toMatchObject({
      code: 404,
      body: { message: 'configmaps "absent" not found' },
    });
  });

  test.each([
    ["a patch that is no JSON", "application/merge-patch+json", "{", 400],
    [
      "a JSON patch whose test fails",
      "application/json-patch+json",
      '[{"op":"test","path":"/data/a","value":"no"}]',
      422,
    ],
    ["a patch type that is not served", "application/strange-patch+json", "{}", 415],
    ["a patch that breaks the type", "application/merge-patch+json", '{"data":{"a":{}}}', 422],
  ])("%s", async (_, contentType, body, code) => {
    const before = await cluster.call("GET", `${CONFIG_MAPS}/there`);
    const answer = await send("PATCH", `${CONFIG_MAPS}/there`, body, contentType);
    expect(answer.body).toMatchObject({ kind: "Status", code });
    expect(await cluster.call("GET", `${CONFIG_MAPS}/there`)).toEqual(before);
  });
});

test("warnings tell of unknown fields that are dropped", async () => {
  const answer = await send("POST", `${CONFIG_MAPS}?fieldValidation=Warn`, configMap("warned", { colour: "blue" }));
  expect(answer.code).toBe(201);
  expect(answer.headers["warning"]).toBe('299 - "unknown field \\"colour\\""');
  expect(answer.body.colour).toBeUndefined();
});
