import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../", import.meta.url);
const reference = new URL("../../shared/reference/conformance-v1.36.json", import.meta.url);

interface Row {
  entry: string;
  /** Undefined where the document says what is missing. */
  shown: { file: string; name: string } | undefined;
}

const SHOWN = /^`([^`]+)` › (.+)$/;

/** The rows of the document's table; `\|` is a bar in a cell. */
function readRows(): Row[] {
  const lines = readFileSync(new URL("docs/conformance.md", root), "utf8").split("\n");
  return lines
    .filter((line) => line.startsWith("| ["))
    .map((line) => {
      const [entry = "", cell = ""] = line.slice(2, -2).split(" | ");
      const [, file, name] = SHOWN.exec(cell) ?? [];
      if (!file) expect(cell, entry).toMatch(/^missing: ./);
      return { entry: entry.replaceAll("\\|", "|"), shown: file && name ? { file, name } : undefined };
    });
}

const texts = new Map<string, string>();
function textOf(file: string): string {
  const path = new URL(file, root);
  if (!texts.has(file)) texts.set(file, existsSync(path) ? readFileSync(path, "utf8") : "");
  return texts.get(file)!;
}

/** A test's name stands in its file as a text of its own, whether it is a test's or one of a table's. */
const isNamed = (file: string, name: string): boolean =>
  ['"', "'", "`"].some((quote) => textOf(file).includes(`${quote}${name}${quote}`));

test("the tests that the document names exist", () => {
  const rows = readRows();
  expect(rows.length).toBeGreaterThan(100);
  const absent = rows.flatMap(({ shown }) => (shown && !isNamed(shown.file, shown.name) ? [shown] : []));
  expect(absent).toEqual([]);
  expect(isNamed("scripts/conformance.test.ts", ["no", "such", "test"].join(" "))).toBe(false);
});

test("every conformance test that needs the API or webhooks alone is in the document, once", (context) => {
  if (!existsSync(reference)) {
    console.warn("skipped: no reference");
    context.skip("skipped: no reference");
  }
  const published: { codename: string; needs: string }[] = JSON.parse(readFileSync(reference, "utf8"));
  const wanted = published
    .filter(({ needs }) => needs === "api" || needs === "webhook")
    .map(({ codename }) => codename.replace(" [Conformance]", ""));
  expect(readRows().map(({ entry }) => entry)).toEqual(wanted);
});
