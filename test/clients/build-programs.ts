import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { findGo } from "../../scripts/test-machine.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the programs that are made of `test/clients/go`. */
    programs: string;
  }
}

const MODULE = join(import.meta.dirname, "go");
const PACKAGES = ["./kubectl", "./client", "./operator"];
/** A release's version is set when it is linked; it is what the library's version in go.mod says. */
const VERSION = ["gitVersion=v1.36.6", "gitMajor=1", "gitMinor=36"].map(
  (value) => `-X k8s.io/component-base/version.${value}`,
);

/** Once for all tests: nothing is kept but Go's own cache. */
export default function setup(project: TestProject): (() => void) | undefined {
  const go = findGo();
  if (!go) return undefined; // The stage is skipped; its tests may still be listed.
  const folder = mkdtempSync(join(tmpdir(), "cox-clients-"));
  const { status, error } = spawnSync(
    go,
    // Neither symbols, nor inlining, nor what debuggers need: it is built sooner.
    [
      "build",
      "-ldflags",
      ["-s -w", ...VERSION].join(" "),
      "-gcflags=all=-l -dwarf=false",
      "-o",
      `${folder}/`,
      ...PACKAGES,
    ],
    // The compiler's garbage collector gets memory instead of time.
    {
      cwd: MODULE,
      env: { ...process.env, CGO_ENABLED: "0", GOGC: "400", GOFLAGS: "-mod=readonly -buildvcs=false" },
      stdio: "inherit",
    },
  );
  if (status !== 0) throw error ?? new Error("the programs in test/clients/go do not build");
  project.provide("programs", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
