import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type BuildFailure, build, stop } from "esbuild";
import { Failure } from "../failure.ts";
import { writeWhole } from "../home.ts";
import { projectPath } from "../project.ts";
import { writeDescriptions } from "./descriptions.ts";

/** What the worker is made of; a change to any of it makes a new bundle. */
const SOURCES = ["api", "worker", "durable-objects", "package-lock.json"];
/** Part of the bundle's name, to be raised when the options below change. */
const OPTIONS_VERSION = "2";

/**
 * Bundles the worker into one module below `folder`, unless the same sources were bundled before.
 * @returns the module's path
 */
export async function bundleWorker(folder: string): Promise<string> {
  const name = `worker-${hashOfSources()}.js`;
  const path = join(folder, name);
  if (existsSync(path)) return path;
  writeDescriptions();
  writeWhole(path, await bundle(projectPath("worker", "main.ts")));
  for (const old of readdirSync(folder)) {
    if (/^worker-[0-9a-f]+\.js$/.test(old) && old !== name) rmSync(join(folder, old), { force: true });
  }
  return path;
}

async function bundle(entry: string): Promise<Uint8Array> {
  try {
    const result = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2024",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["workerd", "worker", "browser", "import"],
      external: ["cloudflare:*", "node:*"],
      // Comments and blanks are memory that every isolate would hold; names stay, for stack traces.
      minifyWhitespace: true,
      legalComments: "none",
      logLevel: "silent",
    });
    return result.outputFiles[0]!.contents;
  } catch (error) {
    const first = (error as Partial<BuildFailure>).errors?.[0];
    if (!first) throw error;
    const where = first.location ? ` (${first.location.file}:${first.location.line})` : "";
    throw new Failure(`cannot bundle the worker: ${first.text}${where}`);
  } finally {
    await stop(); // Its service process would stay as long as we do.
  }
}

function hashOfSources(): string {
  const hash = createHash("sha256").update(OPTIONS_VERSION);
  for (const source of SOURCES) {
    for (const file of filesOf(source)) hash.update(`${file}\0`).update(readFileSync(projectPath(file)));
  }
  return hash.digest("hex").slice(0, 16);
}

function filesOf(source: string): string[] {
  if (source.endsWith(".json")) return [source];
  return readdirSync(projectPath(source), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name).slice(projectPath().length + 1))
    .sort();
}
