import { ageSince } from "../duration.ts";
import type { Json } from "../json-value.ts";
import type { Column } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import { normalizeTime } from "../schema/time-format.ts";
import type { DefinitionVersion, PrinterColumn } from "./definition.ts";
import { compileJsonPath, printValue } from "./json-path.ts";
import { isGoInteger } from "./numbers.ts";

const NAME: Column<KubeObject> = {
  name: "Name",
  format: "name",
  description: "Name of the object, unique in its namespace.",
  value: ({ metadata }) => metadata.name,
};

/** What a version without columns of its own has besides the name. */
const AGE: PrinterColumn = {
  name: "Age",
  type: "date",
  description: "Time since the object was created.",
  jsonPath: ".metadata.creationTimestamp",
};

/** All columns of a version, the name first (k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor). */
export function columnsOf({ additionalPrinterColumns }: DefinitionVersion): Column<KubeObject>[] {
  const columns = [NAME];
  for (const given of additionalPrinterColumns?.length ? additionalPrinterColumns : [AGE]) {
    const path = compileJsonPath(given.jsonPath);
    // As upstream: a path that cannot be read ends the table.
    if (!path) break;
    columns.push({
      name: given.name,
      // `date` is a type of columns, though no JSON type.
      type: given.type as Column<KubeObject>["type"] & string,
      format: given.format ?? "",
      description: given.description || `Custom resource definition column (in JSONPath format): ${given.jsonPath}`,
      priority: (given.priority ?? 0) as 0 | 1,
      value(object, now) {
        const found = path(object);
        return found === undefined || found.length === 0 ? null : cellOf(given.type, found[0], now);
      },
    });
  }
  return columns;
}

function cellOf(type: string, value: Json, now: number): string | number | boolean | null {
  if (type === "string") return printValue(value);
  if (value === null) return null;
  switch (type) {
    case "integer":
      return typeof value !== "number" ? null : isGoInteger(value) ? value : Math.trunc(value);
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? ageOf(value, now) : null;
    default:
      return null;
  }
}

function ageOf(text: string, now: number): string {
  if (text === "" || text === "null") return ageSince(undefined, now);
  try {
    return ageSince(normalizeTime(text), now);
  } catch {
    return "<invalid>";
  }
}
