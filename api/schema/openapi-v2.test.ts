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
    if (/DeleteOptions$/.test(name)) continue; // Its kinds are those of all groups.
    expect(compared(definition), name).toEqual(compared(published[name]));
  }
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
    parameters: expect.arrayContaining([{ name: "dryRun", in: "query", type: "string", uniqueItems: true }]),
  });
  expect(parameters).toContainEqual({ name: "name", in: "path", required: true, type: "string", uniqueItems: true });
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
});

test("the hash stays while the facts do", () => {
  expect(openapiV2Hash()).toMatch(/^[0-9A-F]{16}$/);
  expect(openapiV2Hash()).toBe(openapiV2Hash());
});
