import { existsSync, readFileSync } from "node:fs";
import { createFileRegistry, type DescField, type DescMessage, fromBinary, ScalarType } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import facts from "../schema/facts.json" with { type: "json" };
import { definitionNamed, type Property, type Type } from "../schema/facts.ts";

const reference = new URL("../../../shared/reference/k8s-v1.33-protobuf.binpb", import.meta.url);

/** `k8s.io.api.core.v1.Pod` of `core.v1.Pod`. */
const messageName = (name: string): string =>
  name.startsWith("~") ? `k8s.io.apimachinery.pkg.${name.slice(1)}` : `k8s.io.api.${name}`;

const SCALARS: Record<string, string> = {
  s: "STRING",
  i: "INT32",
  l: "INT64",
  d: "DOUBLE",
  b: "BOOL",
  y: "BYTES",
  q: "k8s.io.apimachinery.pkg.api.resource.Quantity",
  t: "k8s.io.apimachinery.pkg.apis.meta.v1.Time",
  m: "k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime",
  x: "k8s.io.apimachinery.pkg.util.intstr.IntOrString",
  r: "k8s.io.apimachinery.pkg.runtime.RawExtension",
  f: "k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1",
};

function typeOf(type: Type): string {
  switch (type.form) {
    case "scalar":
      return SCALARS[type.code] ?? type.code;
    case "struct":
      return messageName(type.definition.name);
    case "list":
      return `list of ${typeOf(type.of)}`;
    case "map":
      return `map to ${typeOf(type.of)}`;
  }
}

const singular = (kind: string | undefined, scalar?: ScalarType, message?: DescMessage): string =>
  kind === "scalar" ? ScalarType[scalar!]! : message!.typeName;

function element(kind: string | undefined, scalar?: ScalarType, message?: DescMessage): string {
  if (kind === "scalar") return singular(kind, scalar);
  const [only, ...more] = message!.fields;
  // A list in a list or map: only a message can hold it.
  if (only?.name === "items" && more.length === 0 && only.fieldKind === "list")
    return `list of ${singular(only.listKind, only.scalar, only.message)}`;
  return message!.typeName;
}

function fieldType(field: DescField): string {
  if (field.fieldKind === "list") return `list of ${element(field.listKind, field.scalar, field.message)}`;
  if (field.fieldKind === "map") return `map to ${element(field.mapKind, field.scalar, field.message)}`;
  return singular(field.fieldKind, field.scalar, field.message);
}

/** The field that the property's numbers lead to. */
function fieldAt(message: DescMessage, { numbers }: Property): DescField | undefined {
  let at: DescMessage | undefined = message;
  for (const [level, number] of numbers.entries()) {
    const field: DescField | undefined = at?.fields.find((candidate) => candidate.number === number);
    if (level === numbers.length - 1) return field;
    at = field?.message;
  }
  return undefined;
}

test("fields have the numbers and types of upstream's descriptors", (context) => {
  if (!existsSync(reference)) {
    console.warn("skipped: no reference");
    context.skip("skipped: no reference");
  }
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(reference)));
  const wrong: string[] = [];
  let compared = 0;
  for (const name of facts.names.split(" ")) {
    const message = registry.getMessage(messageName(name));
    const definition = definitionNamed(name)!;
    if (!message || definition.scalar) continue;
    for (const property of definition.properties.values()) {
      const field = fieldAt(message, property);
      // Newer than the reference, or (the verbs of discovery) the list of a message that JSON does not have.
      if (!field || property.goType === "v1.Verbs") continue;
      compared++;
      const expected = `${field.name} ${fieldType(field)}`;
      const actual = `${property.name} ${typeOf(property.type)}`;
      // Some names in protobuf are Go's.
      if (actual.toLowerCase() !== expected.toLowerCase()) wrong.push(`${name}: ${actual}, but ${expected}`);
    }
    if (/alpha/.test(name)) continue; // Alpha fields may go again.
    const numbers = new Set([...definition.properties.values()].map(({ numbers }) => numbers[0]));
    for (const { name: field, number } of message.fields)
      if (!numbers.has(number)) wrong.push(`${name}: ${field} = ${number} is not known`);
  }
  expect(wrong).toEqual([]);
  expect(compared).toBeGreaterThan(1000);
});
