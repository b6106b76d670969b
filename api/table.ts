import { ageSince } from "./duration.ts";
import type { Column, KindRules } from "./kind.ts";
import type { KubeObject } from "./object.ts";

/** meta.k8s.io/v1 TableColumnDefinition. */
export interface TableColumn {
  name: string;
  type: string;
  format: string;
  description: string;
  priority: number;
}

export interface TableRow {
  cells: (string | number | boolean | null)[];
  conditions?: { type: string; status: string; reason: string; message: string }[];
  object?: unknown;
}

/** meta.k8s.io/v1 Table. */
export interface Table {
  kind: "Table";
  apiVersion: "meta.k8s.io/v1" | "meta.k8s.io/v1beta1";
  metadata: Record<string, unknown>;
  columnDefinitions: TableColumn[];
  rows: TableRow[];
}

export interface TableOptions {
  /** Milliseconds since 1970, for ages. */
  now: number;
  /** What each row carries besides its cells; upstream's default is `Metadata`. */
  includeObject?: "None" | "Metadata" | "Object";
  /** The list's own metadata: resourceVersion, continue, remainingItemCount. */
  listMetadata?: Record<string, unknown>;
}

type Columns = readonly Column<any>[];

const NAME: Column<KubeObject> = {
  name: "Name",
  format: "name",
  description: "Name of the object, unique in its namespace.",
  value: ({ metadata }) => metadata.name,
};
/** The usual last column. */
export const AGE: Column<KubeObject> = {
  name: "Age",
  description: "Time since the object was created.",
  value: ({ metadata }, now) => ageSince(metadata.creationTimestamp, now),
};
const CREATED_AT = {
  name: "Created At",
  type: "date" as Column<KubeObject>["type"],
  description: "When the object was created.",
  value: ({ metadata }: KubeObject) => metadata.creationTimestamp ?? null,
};
const WITHOUT_PRINTER: Columns = [NAME, CREATED_AT];

const complete = new WeakMap<object, Columns>();

/** The columns of a kind with those that it need not name. */
function columnsOf(rules: KindRules<any>): Columns {
  if (!rules.columns) return WITHOUT_PRINTER;
  let columns = complete.get(rules);
  if (!columns) {
    const names = new Set(rules.columns.map(({ name }) => name));
    columns = [
      ...(names.has("Name") ? [] : [NAME]),
      ...rules.columns,
      ...(names.has("Age") || rules.withoutAge ? [] : [AGE]),
    ];
    complete.set(rules, columns);
  }
  return columns;
}

/**
 * Objects as `kubectl get` wants them. Wide columns are always in it (priority 1): the client chooses.
 */
export function tableOf(
  rules: KindRules<any>,
  objects: readonly KubeObject[],
  { now, includeObject = "Metadata", listMetadata = {} }: TableOptions,
): Table {
  const columns = columnsOf(rules);
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: listMetadata,
    columnDefinitions: columns.map(({ name, type = "string", format = "", description = "", priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: objects.map((object) => {
      const completed = rules.completed?.(object);
      return {
        cells: columns.map((column) => column.value(object, now)),
        ...(completed && { conditions: [{ type: "Completed", status: "True", ...completed }] }),
        ...(includeObject !== "None" && { object: includeObject === "Object" ? object : metadataOf(object) }),
      };
    }),
  };
}

/** meta.k8s.io/v1 PartialObjectMetadata. */
export const metadataOf = ({ metadata }: KubeObject) => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});
