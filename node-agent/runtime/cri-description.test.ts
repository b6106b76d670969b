import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { CRI_ENUMS, CRI_MESSAGES, CRI_SERVICES, parseField } from "./cri-description.ts";

/** Descriptors of the published API; only where the project is developed. */
const REFERENCE = join(import.meta.dirname, "../../../shared/reference/cri-v1.binpb");
const hasReference = existsSync(REFERENCE);
if (!hasReference)
  console.warn(`skipped: no reference ${REFERENCE}, CRI's messages are not compared with the published ones`);

const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

function reference() {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(REFERENCE));
  const file = set.file.find((candidate) => candidate.package === "runtime.v1")!;
  const messages = new Map<string, DescriptorProto>();
  const enums = new Map<string, EnumDescriptorProto>(file.enumType.map((type) => [type.name, type]));
  for (const message of file.messageType) {
    messages.set(message.name, message);
    for (const type of message.enumType) enums.set(type.name, type);
  }
  return { file, messages, enums };
}

/** A field in our own notation. */
function describeField(message: DescriptorProto, field: DescriptorProto["field"][number]): string {
  const type = field.typeName
    ? field.typeName.split(".").at(-1)!
    : FieldDescriptorProto_Type[field.type]!.toLowerCase();
  const entry = message.nestedType.find(({ name, options }) => name === type && options?.mapEntry);
  if (entry) {
    const value = entry.field[1]!;
    return `map ${FieldDescriptorProto_Type[value.type]!.toLowerCase()} ${field.number}`;
  }
  const repeated = field.label === FieldDescriptorProto_Label.REPEATED ? "repeated " : "";
  return `${repeated}${type} ${field.number}`;
}

test.runIf(hasReference)("every field has the published type and number", () => {
  const { messages } = reference();
  for (const [name, fields] of Object.entries(CRI_MESSAGES)) {
    const message = messages.get(name);
    expect(message, name).toBeDefined();
    const published = new Map(message!.field.map((field) => [camelCase(field.name), describeField(message!, field)]));
    for (const [field, text] of Object.entries(fields)) expect(text, `${name}.${field}`).toBe(published.get(field));
  }
});

test.runIf(hasReference)("every enum value has the published number", () => {
  const { enums } = reference();
  for (const [name, values] of Object.entries(CRI_ENUMS)) {
    const published = enums.get(name)!.value.map((value) => [value.number, value.name]);
    expect([...values.entries()], name).toEqual(published);
  }
});

test.runIf(hasReference)("every method is published with these messages", () => {
  const { file } = reference();
  for (const [name, methods] of Object.entries(CRI_SERVICES)) {
    const service = file.service.find((candidate) => candidate.name === name)!;
    for (const method of methods) {
      const published = service.method.find((candidate) => candidate.name === method)!;
      expect(published.inputType.split(".").at(-1)).toBe(`${method}Request`);
      expect(published.outputType.split(".").at(-1)).toBe(`${method}Response`);
    }
  }
});

test("each type that a field names is described", () => {
  const scalars = new Set(["string", "bool", "bytes", "int32", "int64", "uint32", "uint64"]);
  for (const [name, fields] of Object.entries(CRI_MESSAGES)) {
    for (const [field, text] of Object.entries(fields)) {
      const { type } = parseField(text);
      const known = scalars.has(type) || type in CRI_MESSAGES || type in CRI_ENUMS;
      expect(known, `${name}.${field}: ${type}`).toBe(true);
    }
  }
  for (const methods of Object.values(CRI_SERVICES)) {
    for (const method of methods) {
      expect(CRI_MESSAGES[`${method}Request`], method).toBeDefined();
      expect(CRI_MESSAGES[`${method}Response`], method).toBeDefined();
    }
  }
});
