import { expect, test } from "vitest";
import {
  addQuantities,
  canonicalizeQuantity,
  compareQuantities,
  quantityToMilli,
  quantityValue,
  subtractQuantities,
} from "./quantity.ts";

test.each([
  // What upstream leaves as it was written.
  ["0", "0"],
  ["100m", "100m"],
  ["1500m", "1500m"],
  ["12Mi", "12Mi"],
  ["1e3", "1e3"],
  ["1.500", "1.500"],
  ["+5", "+5"],
  // What it brings into its canonical form.
  ["0m", "0"],
  ["00", "0"],
  ["-0", "0"],
  ["1000m", "1"],
  ["0.5", "500m"],
  ["0.001", "1m"],
  ["1.5Gi", "1536Mi"],
  ["1024Mi", "1Gi"],
  ["2048Ki", "2Mi"],
  ["1000000", "1M"],
  ["1e6", "1e6"],
  ["1000e3", "1e6"],
  ["0.5Ki", "512"],
  ["0.1Mi", "104857600m"],
  ["512Ki", "512Ki"],
  ["-2048Mi", "-2Gi"],
  ["0.0000000001", "1n"],
  ["16Ei", "9223372036854775807"],
  [" 1 ", "1"],
  [2, "2"],
  [0.25, "250m"],
])("%j is stored as %s", (text, canonical) => {
  expect(canonicalizeQuantity(text)).toBe(canonical);
});

test.each(["", "a", "1 Gi", "1.2.3", "1gi", "1Kii", "--1", "1e", "1e99999", "1mm"])("%j is no quantity", (text) => {
  expect(() => canonicalizeQuantity(text)).toThrow(/quantit|suffix/);
});

test("the words of refusal are upstream's", () => {
  expect(() => canonicalizeQuantity("abc")).toThrow(
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  );
  expect(() => canonicalizeQuantity("1mm")).toThrow("unable to parse quantity's suffix");
});

test.each([
  ["1", 1000, 1],
  ["100m", 100, 1],
  ["1500m", 1500, 2],
  ["1n", 1, 1],
  ["1Ki", 1_024_000, 1024],
  ["-1500m", -1500, -2],
])("%s is %d thousandths, and %d rounded up", (text, milli, value) => {
  expect(quantityToMilli(text)).toBe(milli);
  expect(quantityValue(text)).toBe(value);
});

test("amounts compare across formats", () => {
  expect(compareQuantities("1Gi", "1024Mi")).toBe(0);
  expect(compareQuantities("1G", "1Gi")).toBeLessThan(0);
  expect(compareQuantities("0.1", "99m")).toBeGreaterThan(0);
});

test("sums and differences keep the first one's format", () => {
  expect(addQuantities("1Gi", "512Mi")).toBe("1536Mi");
  expect(addQuantities("500m", "500m")).toBe("1");
  expect(addQuantities("0", "1Gi")).toBe("1Gi");
  expect(subtractQuantities("2", "500m")).toBe("1500m");
  expect(subtractQuantities("1Gi", "2Gi")).toBe("-1Gi");
});
