import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { encodeOpenApiV2 } from "../protobuf/openapi-v2.ts";
import { WireReader } from "../protobuf/wire-reader.ts";
import { openapiV2, openapiV2Hash } from "./openapi-v2.ts";

const reference = new URL("../../../shared/reference/openapi-v1.36.json", import.meta.url);

/** Prose, and what is for generators of code only: the facts leave it out. */
const isLeftOut = (key: string, value: unknown): boolean =>
  (key === "description" && typeof value === "string") || key === "x-kubernetes-unions" || value === "granular";

/** Without the order of sets. */
function compared(value: any): any {
  if (Array.isArray(value)) return value.map(compared).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([key, inner]) => !isLeftOut(key, inner));
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([key, inner]) => [key, compared(inner)]));
}

const document = openapiV2();

test("definitions are those of the published document", (context) => {
  if (!existsSync(reference)) {
    console.warn("skipped: no reference");
    context.skip("skipped: no reference");
  }
  const published = JSON.parse(readFileSync(reference, "utf8")).definitions;
  for (const [name, definition] of Object.entries(document.definitions)) {
    if (/(DeleteOptions|WatchEvent)$/.test(name)) continue; // Their kinds are those of all groups.
    expect(compared(definition), name).toEqual(compared(published[name]));
  }
});

/** Paths of the published document that nothing is behind here: they come with identity, nodes' proxies and logs. */
const NOT_SERVED =
  /^\/(logs|openid|\.well-known)\/|\/componentstatuses|\/token\b|\/nodes\/\{name\}\/proxy\b|^\/apis\/(authentication|authorization)\.k8s\.io\//;

/** Parameters where they are meant, and no CBOR, which v1.36 does not serve unless told to. */
function resolved(value: any, spec: { parameters: Record<string, unknown> }): any {
  if (Array.isArray(value)) {
    return value.filter((each) => !/^application\/cbor/.test(String(each))).map((each) => resolved(each, spec));
  }
  if (typeof value !== "object" || value === null) return value;
  const name = /^#\/parameters\/(.*)/.exec(value.$ref ?? "")?.[1];
  if (name !== undefined) return resolved(spec.parameters[name], spec);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner, spec)]));
}

const withoutCbor = (operation: any): any =>
  operation?.consumes
    ? { ...operation, consumes: operation.consumes.filter((type: string) => !type.endsWith("+cbor")) }
    : operation;

test("paths, operations and parameters are those of the published document", (context) => {
  if (!existsSync(reference)) {
    console.warn("skipped: no reference");
    context.skip("skipped: no reference");
  }
  const published = JSON.parse(readFileSync(reference, "utf8"));
  const served = Object.keys(published.paths).filter((path) => !NOT_SERVED.test(path));
  expect(served.filter((path) => !document.paths[path])).toEqual([]);
  expect(Object.keys(document.paths).filter((path) => !published.paths[path])).toEqual([]);
  for (const path of served) {
    const [ours, theirs] = [document.paths[path]!, published.paths[path]];
    expect(Object.keys(ours).sort(), path).toEqual(Object.keys(theirs).sort());
    for (const method of Object.keys(theirs)) {
      const expected = withoutCbor(resolved(theirs[method], published));
      expect(compared(resolved(ours[method], document)), `${method} ${path}`).toEqual(compared(expected));
      const description = (item: any) => item[method].description;
      expect(description(ours), `${method} ${path}`).toBe(description(theirs));
    }
  }
  expect(served.length).toBeGreaterThan(500);
});

test("references lead somewhere", () => {
  const targets = new Set(JSON.stringify(document).match(/"#\/definitions\/[^"]+"/g));
  expect(targets.size).toBeGreaterThan(400);
  for (const target of targets) expect(document.definitions).toHaveProperty([JSON.parse(target).slice(14)]);
});

test("a patch tells its kind, what it takes, and that it can be tried", () => {
  const { patch, parameters } = document.paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]!;
  expect(patch).toMatchObject({
    "x-kubernetes-group-version-kind": { group: "apps", version: "v1", kind: "Deployment" },
    consumes: expect.arrayContaining(["application/strategic-merge-patch+json"]),
    parameters: expect.arrayContaining([{ $ref: "#/parameters/dryRun" }]),
  });
  expect(document.parameters["dryRun"]).toMatchObject({ name: "dryRun", in: "query", type: "string" });
  expect(parameters).toContainEqual({ $ref: "#/parameters/namespace" });
});

/** All fields of a message by their numbers, as readers of what is within. */
function fieldsOf(reader: WireReader): Map<number, WireReader[]> {
  const fields = new Map<number, WireReader[]>();
  while (!reader.done) {
    const { number } = reader.tag();
    fields.set(number, [...(fields.get(number) ?? []), reader.message()]);
  }
  return fields;
}

test("the form in protobuf has all paths and definitions, by name", () => {
  const fields = fieldsOf(new WireReader(encodeOpenApiV2(document)));
  const namesIn = (number: number, at: number) =>
    fieldsOf(fields.get(number)![0]!)
      .get(at)!
      .map((pair) => {
        pair.tag();
        return pair.text();
      });
  expect(namesIn(8, 2)).toEqual(Object.keys(document.paths));
  expect(namesIn(9, 1)).toEqual(Object.keys(document.definitions));
  expect(namesIn(10, 1)).toEqual(Object.keys(document.parameters));
});

test("the hash stays while the facts do", () => {
  expect(openapiV2Hash()).toMatch(/^[0-9A-F]{16}$/);
  expect(openapiV2Hash()).toBe(openapiV2Hash());
});
