import { expect, test } from "vitest";
import { printTable } from "./table.ts";

test("columns are as wide as their widest text, the last as it is; nothing has no lines", () => {
  expect(
    printTable([
      ["A", "B", "C"],
      ["äöü", "", "long, long"],
    ]),
  ).toBe("A     B   C\näöü       long, long\n");
  expect(printTable([])).toBe("");
});
