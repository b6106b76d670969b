import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { ask, type HttpAnswer } from "../support/http.ts";

/** What the conformance tests of Kubernetes v1.36 demand of custom resources, each under the conformance test's name. */

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
});

afterAll(async () => {
  await cluster?.stop();
});

type Fields = Record<string, any>;

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const send = (
  method: string,
  path: string,
  body?: unknown,
  { type = "application/json", accept = "application/json" } = {},
): Promise<HttpAnswer> =>
  ask(cluster, method, path, {
    headers: { authorization: `Bearer ${cluster.token}`, accept, ...(body !== undefined && { "content-type": type }) },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

async function call(method: string, path: string, body?: unknown, type?: string): Promise<any> {
  const answer = await send(method, path, body, type === undefined ? {} : { type });
  expect(answer.code, `${method} ${path}: ${answer.text.slice(0, 500)}`).toBeLessThan(300);
  return answer.body;
}

const merge = (path: string, patch: unknown) => call("PATCH", path, patch, "application/merge-patch+json");

const OPEN = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const STRUCTURED = {
  type: "object",
  properties: {
    spec: { type: "object", description: "what is wanted", properties: { size: { type: "integer" } } },
  },
};

interface Definition {
  group: string;
  plural: string;
  kind: string;
  versions: Record<string, Fields>;
}

const definition = ({ group, plural, kind, versions }: Definition): Fields => ({
  metadata: { name: `${plural}.${group}`, labels: { conformance: group } },
  spec: {
    group,
    scope: "Namespaced",
    names: { plural, kind },
    versions: Object.entries(versions).map(([name, schema], i) => ({
      name,
      served: true,
      storage: i === 0,
      schema: { openAPIV3Schema: schema },
      subresources: { status: {} },
    })),
  },
});

const define = (made: Definition): Promise<Fields> => call("POST", CRDS, definition(made));

/** The schemas of a group's version in OpenAPI v3, by kind. */
async function published(group: string, version: string): Promise<Record<string, Fields>> {
  const answer = await send("GET", `/openapi/v3/apis/${group}/${version}`);
  const schemas: Record<string, Fields> = {};
  for (const schema of Object.values((answer.body?.components?.schemas ?? {}) as Record<string, Fields>)) {
    for (const gvk of schema["x-kubernetes-group-version-kind"] ?? []) {
      if (gvk.group === group && gvk.version === version) schemas[gvk.kind] = schema;
    }
  }
  return schemas;
}

describe("definitions", () => {
  test("Custom Resource Definition, create", async () => {
    await define({ group: "create.example.com", plural: "berths", kind: "Berth", versions: { v1: OPEN } });
    await call("DELETE", `${CRDS}/berths.create.example.com`);
    expect((await send("GET", `${CRDS}/berths.create.example.com`)).code).toBe(404);
  });

  test("Custom Resource Definition, list", async () => {
    const group = "list.example.com";
    for (const plural of ["berths", "hulls", "masts"]) {
      await define({ group, plural, kind: plural.slice(0, -1), versions: { v1: OPEN } });
    }
    const selected = `${CRDS}?labelSelector=conformance%3D${group}`;
    expect((await call("GET", selected)).items).toHaveLength(3);
    await call("DELETE", selected);
    // Their instances go first.
    await expect.poll(async () => (await call("GET", selected)).items, { timeout: 30_000 }).toEqual([]);
  });

  test("Custom Resource Definition, status sub-resource", async () => {
    await define({ group: "status.example.com", plural: "berths", kind: "Berth", versions: { v1: OPEN } });
    const path = `${CRDS}/berths.status.example.com/status`;
    const read = await call("GET", path);
    expect(read.status.conditions).toContainEqual(expect.objectContaining({ type: "Established", status: "True" }));
    const condition = { type: "StatusUpdate", status: "True", reason: "E2E", message: "set by a test" };
    read.status.conditions.push(condition);
    const updated = await call("PUT", path, read);
    expect(updated.status.conditions).toContainEqual(expect.objectContaining(condition));
    const patched = await merge(path, {
      status: { conditions: [...updated.status.conditions, { ...condition, type: "StatusPatched" }] },
    });
    expect(patched.status.conditions).toContainEqual(expect.objectContaining({ type: "StatusPatched" }));
  });

  test("Custom Resource Definition, watch", async () => {
    await define({ group: "watch.example.com", plural: "berths", kind: "Berth", versions: { v1: OPEN } });
    const path = "/apis/watch.example.com/v1/namespaces/default/berths";
    const from = (await call("GET", path)).metadata.resourceVersion;
    await call("POST", path, { apiVersion: "watch.example.com/v1", kind: "Berth", metadata: { name: "a" } });
    await merge(`${path}/a`, { metadata: { labels: { a: "b" } } });
    await call("DELETE", `${path}/a`);
    const { text } = await send("GET", `${path}?watch=true&timeoutSeconds=1&resourceVersion=${from}`);
    const events = text.split("\n").filter(Boolean);
    const types = events.map((line) => JSON.parse(line).type).filter((type) => type !== "BOOKMARK");
    expect(types).toEqual(["ADDED", "MODIFIED", "DELETED"]);
  });

  test("Custom Resource Definition, defaulting", async () => {
    const group = "defaulting.example.com";
    const schema = (properties: Fields) => ({ type: "object", properties });
    const first = { a: { type: "string", default: "A" }, b: { type: "string" } };
    await define({ group, plural: "berths", kind: "Berth", versions: { v1: schema(first) } });
    const path = `/apis/${group}/v1/namespaces/default/berths`;
    const created = await call("POST", path, { apiVersion: `${group}/v1`, kind: "Berth", metadata: { name: "a" } });
    expect([created.a, created.b]).toEqual(["A", undefined]);
    const current = await call("GET", `${CRDS}/berths.${group}`);
    current.spec.versions[0].schema.openAPIV3Schema = schema({ ...first, b: { type: "string", default: "B" } });
    await call("PUT", `${CRDS}/berths.${group}`, current);
    const read = await call("GET", `${path}/a`);
    expect([read.a, read.b]).toEqual(["A", "B"]);
  });

  test.each([
    ["Aggregated Discovery Interface CRDs", AGGREGATED],
    ["Aggregated Discovery Endpoint Accept Headers CRDs", `${AGGREGATED},application/json`],
  ])("%s", async (name, accept) => {
    const group = `aggregated${accept.length}.example.com`;
    await define({ group, plural: "berths", kind: "Berth", versions: { v1: OPEN } });
    const { body } = await send("GET", "/apis", undefined, { accept });
    const found = body.items.find(({ metadata }: Fields) => metadata.name === group);
    expect(found?.versions[0].resources, name).toMatchObject([{ resource: "berths", scope: "Namespaced" }]);
  });
});

describe("the published schema", () => {
  const preserving = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

  test("Custom Resource OpenAPI Publish, with validation schema", async () => {
    await define({ group: "schema.example.com", plural: "berths", kind: "Berth", versions: { v1: STRUCTURED } });
    const { Berth } = await published("schema.example.com", "v1");
    expect(Berth?.properties.spec).toMatchObject({
      description: "what is wanted",
      properties: { size: { type: "integer" } },
    });
    expect(Object.keys(Berth?.properties).sort()).toEqual(["apiVersion", "kind", "metadata", "spec"]);
  });

  test.each<[string, string, Fields]>([
    [
      "Custom Resource OpenAPI Publish, with x-kubernetes-preserve-unknown-fields in object",
      "inner",
      { type: "object", properties: { spec: preserving } },
    ],
    ["Custom Resource OpenAPI Publish, with x-kubernetes-preserve-unknown-fields at root", "root", OPEN],
    [
      "Custom Resource OpenAPI Publish, with x-kubernetes-preserve-unknown-fields in embedded object",
      "embedded",
      {
        type: "object",
        properties: {
          spec: { type: "object", properties: { inner: { ...preserving, "x-kubernetes-embedded-resource": true } } },
        },
      },
    ],
  ])("%s", async (_, word, schema) => {
    const group = `${word}.example.com`;
    await define({ group, plural: "berths", kind: "Berth", versions: { v1: schema } });
    const { Berth } = await published(group, "v1");
    expect(JSON.stringify(Berth)).toContain('"x-kubernetes-preserve-unknown-fields":true');
    const path = `/apis/${group}/v1/namespaces/default/berths?fieldValidation=Strict`;
    const inner = { apiVersion: "v1", kind: "Anything", metadata: { name: "x" }, unknown: 1 };
    const spec = word === "embedded" ? { inner } : { unknown: 1 };
    const object = { apiVersion: `${group}/v1`, kind: "Berth", metadata: { name: "a" }, spec };
    expect((await call("POST", path, object)).spec).toEqual(spec);
  });

  test.each<[string, Definition[]]>([
    [
      "Custom Resource OpenAPI Publish, varying groups",
      [
        { group: "group-a.example.com", plural: "berths", kind: "Berth", versions: { v1: STRUCTURED } },
        { group: "group-b.example.com", plural: "berths", kind: "Berth", versions: { v1: STRUCTURED } },
      ],
    ],
    [
      "Custom Resource OpenAPI Publish, varying versions",
      [
        {
          group: "versions.example.com",
          plural: "berths",
          kind: "Berth",
          versions: { v2: STRUCTURED, v3: STRUCTURED },
        },
      ],
    ],
    [
      "Custom Resource OpenAPI Publish, varying kinds",
      [
        { group: "kinds.example.com", plural: "berths", kind: "Berth", versions: { v6: STRUCTURED } },
        { group: "kinds.example.com", plural: "hulls", kind: "Hull", versions: { v6: STRUCTURED } },
      ],
    ],
  ])("%s", async (_, definitions) => {
    for (const each of definitions) await define(each);
    for (const { group, kind, versions } of definitions) {
      for (const version of Object.keys(versions)) expect(await published(group, version)).toHaveProperty(kind);
    }
  });

  test("Custom Resource OpenAPI Publish, version rename", async () => {
    const group = "rename.example.com";
    await define({ group, plural: "berths", kind: "Berth", versions: { v2: STRUCTURED, v3: STRUCTURED } });
    const current = await call("GET", `${CRDS}/berths.${group}`);
    current.spec.versions[1].name = "v4";
    await call("PUT", `${CRDS}/berths.${group}`, current);
    expect(await published(group, "v4")).toHaveProperty("Berth");
    expect(await published(group, "v3")).toEqual({});
    expect(await published(group, "v2")).toHaveProperty("Berth");
  });

  test("Custom Resource OpenAPI Publish, stop serving version", async () => {
    const group = "unserved.example.com";
    await define({ group, plural: "berths", kind: "Berth", versions: { v5: STRUCTURED, v6alpha1: STRUCTURED } });
    const current = await call("GET", `${CRDS}/berths.${group}`);
    current.spec.versions[1].served = false;
    await call("PUT", `${CRDS}/berths.${group}`, current);
    expect(await published(group, "v6alpha1")).toEqual({});
    expect(await published(group, "v5")).toHaveProperty("Berth");
  });
});

describe("field validation", () => {
  const applied = (group: string, body: string) =>
    send("PATCH", `/apis/${group}/v1/namespaces/default/berths/a?fieldManager=e2e&fieldValidation=Strict`, body, {
      type: "application/apply-patch+yaml",
    });
  const head = (group: string) => `apiVersion: ${group}/v1\nkind: Berth\nmetadata:\n  name: a\n`;

  test("Server side field validation, unknown fields CR no validation schema", async () => {
    const group = "unknown-open.example.com";
    await define({ group, plural: "berths", kind: "Berth", versions: { v1: OPEN } });
    expect((await applied(group, `${head(group)}spec:\n  anything: 1\n`)).code).toBeLessThan(300);
  });

  test("Server side field validation, valid CR with validation schema", async () => {
    const group = "valid.example.com";
    await define({ group, plural: "berths", kind: "Berth", versions: { v1: STRUCTURED } });
    expect((await applied(group, `${head(group)}spec:\n  size: 1\n`)).code).toBeLessThan(300);
  });

  test("Server side field validation, unknown fields CR fails validation", async () => {
    const group = "unknown.example.com";
    await define({ group, plural: "berths", kind: "Berth", versions: { v1: STRUCTURED } });
    const answer = await applied(group, `${head(group)}spec:\n  size: 1\n  sizes: 2\n`);
    expect(answer.code).toBe(500);
    expect(answer.body.message).toContain(".spec.sizes: field not declared in schema");
    const created = await send("POST", `/apis/${group}/v1/namespaces/default/berths?fieldValidation=Strict`, {
      apiVersion: `${group}/v1`,
      kind: "Berth",
      metadata: { name: "a" },
      spec: { sizes: 2 },
    });
    expect([created.code, created.body.message]).toEqual([400, expect.stringContaining('unknown field "spec.sizes"')]);
  });

  test("Server side field validation, CR duplicates", async () => {
    const group = "duplicates.example.com";
    await define({ group, plural: "berths", kind: "Berth", versions: { v1: OPEN } });
    const text = `{"apiVersion":"${group}/v1","kind":"Berth","metadata":{"name":"a"},"spec":{"size":1,"size":2}}`;
    const answer = await send("POST", `/apis/${group}/v1/namespaces/default/berths?fieldValidation=Strict`, text);
    expect([answer.code, answer.body.message]).toEqual([400, expect.stringContaining('duplicate field "spec.size"')]);
  });

  test("Server side field validation, unknown metadata", async () => {
    const group = "metadata.example.com";
    const embedded = { ...OPEN, "x-kubernetes-embedded-resource": true };
    const schema = { type: "object", properties: { spec: { type: "object", properties: { template: embedded } } } };
    await define({ group, plural: "berths", kind: "Berth", versions: { v1: schema } });
    const answer = await send("POST", `/apis/${group}/v1/namespaces/default/berths?fieldValidation=Strict`, {
      apiVersion: `${group}/v1`,
      kind: "Berth",
      metadata: { name: "a", unknownMeta: 1 },
      spec: { template: { apiVersion: "v1", kind: "Pod", metadata: { name: "p", unknownEmbedded: 1 } } },
    });
    expect(answer.code).toBe(400);
    expect(answer.body.message).toContain('unknown field "metadata.unknownMeta"');
    expect(answer.body.message).toContain('unknown field "spec.template.metadata.unknownEmbedded"');
  });
});
