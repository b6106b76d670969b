import type { JsonObject } from "../../api/json-value.ts";
import type { ManagedKind } from "../../api/managed-fields/managed-kind.ts";
import { resetFilterOf } from "../../api/managed-fields/reset-fields.ts";
import type { KubeObject } from "../../api/object.ts";
import { convert } from "../../api/schema/convert.ts";
import { definitionOf } from "../../api/schema/facts.ts";
import { type Shape, shapeOfBuiltIn } from "../../api/schema/shape.ts";

/** A built-in kind as managed fields see it. */
export function managedKind(
  apiVersion: string,
  kind: string,
  { subresource = "", hasStatus = true }: { subresource?: string; hasStatus?: boolean } = {},
): ManagedKind {
  const gvkOf = (version: string) => {
    const [last, group = ""] = version.split("/").reverse() as [string, string?];
    return { group, version: last, kind };
  };
  return {
    kind,
    apiVersion,
    schemaMayChange: false,
    shapeIn: (version) => {
      const { group } = gvkOf(version);
      return definitionOf(group, gvkOf(version).version, kind) && shapeOfBuiltIn(gvkOf(version));
    },
    convert: (object, version) =>
      object["apiVersion"] === version
        ? object
        : (convert(structuredClone(object) as unknown as KubeObject, gvkOf(version)) as unknown as JsonObject),
    withoutReset: resetFilterOf(gvkOf(apiVersion), subresource, { hasStatus, isCustom: false }),
  };
}

/** A custom kind of one version with a shape of the test's own. */
export const customManagedKind = (shape: Shape): ManagedKind => ({
  kind: "Thing",
  apiVersion: "example.com/v1",
  schemaMayChange: true,
  shapeIn: (version) => (version === "example.com/v1" ? shape : undefined),
  convert: (object) => object,
  withoutReset: resetFilterOf({ group: "example.com", kind: "Thing" }, "", { hasStatus: true, isCustom: true }),
});
