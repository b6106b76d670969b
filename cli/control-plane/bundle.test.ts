import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bundleWorker } from "./bundle.ts";

/** A busy machine takes its time. */
const BUNDLE_MILLISECONDS_MAX = 60_000;

test(
  "the bundle has no letter beyond Latin-1: one would make V8 hold two bytes for each of its millions",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "cox-bundle-"));
    try {
      const text = readFileSync(await bundleWorker(folder), "utf8");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: Latin-1 begins with them.
      expect(text.match(/.{0,40}[^\x00-\xff].{0,40}/g) ?? []).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  BUNDLE_MILLISECONDS_MAX,
);
