import { expect, test } from "vitest";
import type { KubeObject } from "../object.ts";
import { columnsOf } from "./columns.ts";
import type { PrinterColumn } from "./definition.ts";

const NOW = Date.UTC(2026, 0, 2);
const OBJECT: KubeObject = {
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name: "w", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { text: "t", count: 3, share: 1.5, on: true, list: [{ b: 1, a: 2 }], none: null, when: "2026-01-01T23:59:00Z" },
};

const cells = (...columns: Omit<PrinterColumn, "name">[]) =>
  columnsOf({
    name: "v1",
    served: true,
    storage: true,
    additionalPrinterColumns: columns.map((column, i) => ({ name: `C${i}`, ...column })),
  }).map((column) => column.value(OBJECT, NOW));

test("a version without columns shows the name and the age", () => {
  const columns = columnsOf({ name: "v1", served: true, storage: true });
  expect(columns.map(({ name, type }) => [name, type])).toEqual([
    ["Name", undefined],
    ["Age", "date"],
  ]);
  expect(columns.map((column) => column.value(OBJECT, NOW))).toEqual(["w", "24h"]);
});

test("cells are of the column's type, or empty", () => {
  expect(
    cells(
      { type: "string", jsonPath: ".spec.text" },
      { type: "string", jsonPath: ".spec.count" },
      { type: "string", jsonPath: ".spec.list" },
      { type: "string", jsonPath: ".spec.none" },
      { type: "string", jsonPath: ".spec.missing" },
      { type: "integer", jsonPath: ".spec.count" },
      { type: "integer", jsonPath: ".spec.share" },
      { type: "integer", jsonPath: ".spec.text" },
      { type: "number", jsonPath: ".spec.share" },
      { type: "boolean", jsonPath: ".spec.on" },
      { type: "boolean", jsonPath: ".spec.text" },
      { type: "date", jsonPath: ".spec.when" },
      { type: "date", jsonPath: ".spec.text" },
      { type: "date", jsonPath: ".spec.none" },
    ),
  ).toEqual([
    "w",
    "t",
    "3",
    '[{"a":2,"b":1}]',
    "<no value>",
    null,
    3,
    1,
    null,
    1.5,
    true,
    null,
    "60s",
    "<invalid>",
    null,
  ]);
});

test("a path that cannot be read ends the table", () => {
  expect(
    cells(
      { type: "string", jsonPath: ".spec.text" },
      { type: "string", jsonPath: ".spec[" },
      { type: "string", jsonPath: "." },
    ),
  ).toEqual(["w", "t"]);
});

test("a column describes itself by its path unless the definition does", () => {
  const [, plain, described] = columnsOf({
    name: "v1",
    served: true,
    storage: true,
    additionalPrinterColumns: [
      { name: "A", type: "string", jsonPath: ".spec.text" },
      { name: "B", type: "integer", format: "int32", description: "own", priority: 1, jsonPath: ".spec.count" },
    ],
  });
  expect(plain?.description).toBe("Custom resource definition column (in JSONPath format): .spec.text");
  expect(described).toMatchObject({ description: "own", format: "int32", priority: 1 });
});
