import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryObject } from "../../test/support/arbitrary-object.ts";
import { managedKind } from "../../test/support/managed-kind.ts";
import { cloneJson, isObject, type Json, type JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { decodeValue } from "../schema/decode.ts";
import { applyConfiguration } from "./apply.ts";
import { checkShape } from "./check-shape.ts";

const KINDS = [
  ["v1", "Pod"],
  ["apps/v1", "Deployment"],
  ["v1", "Service"],
  ["networking.k8s.io/v1", "Ingress"],
] as const;
const RUNS = 100;
const turns = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });

/** What a client wrote: no nulls, and no empty lists, which nobody owns. */
const withoutNothing = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      item === null || (Array.isArray(item) && item.length === 0) ? [] : [[key, withoutNothing(item)]],
    ),
  );
};

const by = (manager: string) => ({ manager, subresource: "", time: "2025-01-01T00:00:00Z" });

for (const [apiVersion, kindName] of KINDS) {
  const kind = managedKind(apiVersion, kindName);
  const [version, group = ""] = apiVersion.split("/").reverse() as [string, string?];
  const gvk = { group, version, kind: kindName };
  const anything = arbitraryObject(gvk).map((object): JsonObject => {
    const decoded = cloneJson(withoutNothing(decodeValue(gvk, cloneJson(object)).object)) as JsonObject;
    const { labels, annotations } = (decoded["metadata"] ?? {}) as JsonObject;
    return {
      ...decoded,
      metadata: { name: "x", ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    };
  });
  const configuration = anything.filter((config) => {
    try {
      checkShape(config, kind.shapeIn(apiVersion)!);
      return true;
    } catch {
      // Elements of a list that have no key, or the same.
      return false;
    }
  });
  const apply = (live: KubeObject | undefined, config: JsonObject, manager: string, force = true): KubeObject =>
    cloneJson(applyConfiguration(kind, live, config, by(manager), force)) as unknown as KubeObject;
  const ownersOf = ({ metadata }: KubeObject): string[] =>
    (metadata.managedFields ?? []).map((entry) => JSON.stringify({ ...(entry as object), time: "" })).sort();

  test(`${kindName}: what is applied twice is applied once`, () => {
    fc.assert(
      fc.property(configuration, configuration, (first, second) => {
        const live = apply(apply(undefined, first, "a"), second, "b");
        expect(apply(live, second, "b")).toEqual(live);
      }),
      { numRuns: RUNS },
    );
  });

  test(`${kindName}: who applies nothing takes away what it applied, and nothing else`, () => {
    fc.assert(
      fc.property(configuration, turns, (whole, choice) => {
        const [first, second] = split(whole, choice);
        const alone = apply(undefined, first, "a");
        const both = apply(alone, second, "b");
        expect(apply(both, { apiVersion, kind: kindName, metadata: { name: "x" } }, "b")).toEqual(alone);
      }),
      { numRuns: RUNS },
    );
  });

  test(`${kindName}: appliers of different fields do not see each other, whoever comes first`, () => {
    fc.assert(
      fc.property(configuration, turns, (whole, choice) => {
        const [first, second] = split(whole, choice);
        const one = apply(apply(undefined, first, "a", false), second, "b", false);
        const other = apply(apply(undefined, second, "b", false), first, "a", false);
        expect(one["spec"]).toEqual(other["spec"]);
        expect(one.metadata.labels).toEqual(other.metadata.labels);
        expect(ownersOf(one)).toEqual(ownersOf(other));
      }),
      { numRuns: RUNS },
    );
  });
}

/** Gives each field of the spec and each label to one of two configurations. */
function split({ apiVersion, kind, metadata, spec }: JsonObject, turns: readonly boolean[]): [JsonObject, JsonObject] {
  let turn = 0;
  const parts = (map: Json): [JsonObject, JsonObject] => {
    const both: [JsonObject, JsonObject] = [{}, {}];
    for (const [key, value] of Object.entries((map ?? {}) as JsonObject)) both[turns[turn++] ? 0 : 1][key] = value;
    return both;
  };
  const [specs, labels] = [parts(spec), parts((metadata as JsonObject)["labels"])];
  const part = (i: 0 | 1): JsonObject => ({
    apiVersion,
    kind,
    metadata: { name: "x", ...(Object.keys(labels[i]).length > 0 && { labels: labels[i] }) },
    ...(Object.keys(specs[i]).length > 0 && { spec: specs[i] }),
  });
  return [part(0), part(1)];
}
