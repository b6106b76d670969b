import { expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import { validateFieldManager } from "./field-manager.ts";

const complaints = (name: string) => validateFieldManager(name, "fieldManager").map(describeFieldError);

test.each(["", "kubectl", "my manager/1.0 (é)", "x".repeat(128)])("%j may be a field manager's name", (name) => {
  expect(complaints(name)).toEqual([]);
});

test.each([
  ["x".repeat(129), "fieldManager: Too long: may not be more than 128 bytes"],
  ["é".repeat(65), "fieldManager: Too long: may not be more than 128 bytes"],
  ["é\n", 'fieldManager: Invalid value: "é\\n": invalid character U+000A (at position 2)'],
  ["\u200b", 'fieldManager: Invalid value: "\u200b": invalid character U+200B (at position 0)'],
])("%j may not", (name, complaint) => {
  expect(complaints(name)).toEqual([complaint]);
});
