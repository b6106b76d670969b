import { expect, test } from "vitest";
import { ConfigMap } from "./kinds/config-map.ts";
import { Event } from "./kinds/event.ts";
import { Pod } from "./kinds/pod.ts";
import { Role } from "./kinds/role.ts";
import { StorageClass } from "./kinds/storage-class.ts";
import { tableOf } from "./table.ts";

const now = Date.UTC(2025, 0, 1, 0, 5, 12);
const metadata = { name: "a", namespace: "default", creationTimestamp: "2025-01-01T00:00:00Z" };
const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "1", b: "2" } };

test("a row has a cell for each column, the name first and the age last", () => {
  const table = tableOf(ConfigMap.rules, [configMap], { now, listMetadata: { resourceVersion: "7" } });
  expect(table).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1", metadata: { resourceVersion: "7" } });
  expect(table.columnDefinitions.map(({ name, type, format, priority }) => [name, type, format, priority])).toEqual([
    ["Name", "string", "name", 0],
    ["Data", "string", "", 0],
    ["Age", "string", "", 0],
  ]);
  expect(table.rows[0]?.cells).toEqual(["a", 2, "5m12s"]);
});

test("a row carries the object's metadata, the object or nothing", () => {
  const rowWith = (includeObject?: "None" | "Metadata" | "Object") =>
    tableOf(ConfigMap.rules, [configMap], { now, ...(includeObject && { includeObject }) }).rows[0];
  expect(rowWith()?.object).toEqual({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata });
  expect(rowWith("Object")?.object).toBe(configMap);
  expect(rowWith("None")).not.toHaveProperty("object");
});

test("a kind without a printer is told by name and time of creation", () => {
  const table = tableOf(Role.rules, [{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata }], { now });
  expect(table.columnDefinitions.map(({ name, type }) => [name, type])).toEqual([
    ["Name", "string"],
    ["Created At", "date"],
  ]);
  expect(table.rows[0]?.cells).toEqual(["a", "2025-01-01T00:00:00Z"]);
});

test("a kind may have its name elsewhere, in other words, and no age", () => {
  const columns = tableOf(Event.rules, [], { now }).columnDefinitions;
  expect(columns.filter(({ priority }) => priority === 0).map(({ name }) => name)).toEqual([
    "Last Seen",
    "Type",
    "Reason",
    "Object",
    "Message",
  ]);
  expect(columns.at(-1)?.name).toBe("Name");
  const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  const row = {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { ...metadata, annotations },
    provisioner: "p",
  };
  expect(tableOf(StorageClass.rules, [row], { now }).rows[0]?.cells.slice(0, 2)).toEqual(["a (default)", "p"]);
});

test("the row of a pod at its end says so", () => {
  const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [] }, status: { phase: "Succeeded" } };
  expect(tableOf(Pod.rules, [pod], { now }).rows[0]?.conditions).toEqual([
    { type: "Completed", status: "True", reason: "Succeeded", message: "The pod has completed successfully." },
  ]);
});
