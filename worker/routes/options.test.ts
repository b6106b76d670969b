import { expect, test } from "vitest";
import { readOptions } from "./options.ts";

const read = (query: string, verb: Parameters<typeof readOptions>[1] = "create") =>
  readOptions(new URLSearchParams(query), verb);

test("a write's options are read", () => {
  expect(read("dryRun=All&fieldValidation=Strict&fieldManager=me&unknown=1")).toEqual({
    dryRun: true,
    fieldValidation: "Strict",
    fieldManager: "me",
  });
  expect(read("fieldValidation=", "update")).toEqual({});
});

test("a negative limit is none", () => {
  expect(read("limit=-1", "list")).toEqual({});
  expect(read("limit=2", "list")).toEqual({ limit: 2 });
  expect(() => read("limit=x", "list")).toThrow(/^strconv.ParseInt: parsing "x": invalid syntax$/);
});

test.each<[string, Parameters<typeof readOptions>[1], string]>([
  [
    "fieldManager=a%00b",
    "create",
    'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\x00b": invalid character U+0000 (at position 1)',
  ],
  [
    "dryRun=Some",
    "create",
    'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
  ],
  [
    "fieldValidation=strict",
    "patch",
    'PatchOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "strict": supported values: "", "Ignore", "Strict", "Warn"',
  ],
  [
    `fieldManager=${"m".repeat(129)}`,
    "update",
    'UpdateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
  ],
  [
    "dryRun=All&dryRun=None",
    "delete",
    'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["All","None"]: supported values: "All"',
  ],
])("%s is refused to %s", (query, verb, message) => expect(() => read(query, verb)).toThrow(message));

test("what a verb's options do not know is passed over", () => {
  expect(read("fieldValidation=strict", "delete")).toEqual({});
  expect(() => read("dryRun=Some", "list")).not.toThrow();
});
