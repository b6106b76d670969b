#!/usr/bin/env node
// Plain JavaScript, because it must run before anything is installed and on the machine's own Node (20 or later):
// it installs the npm packages of a fresh clone, then hands over to cli/main.ts on the Node 24 that is among them.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NODE_MAJOR_MIN = 24; // Runs TypeScript by stripping its types.
const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const MAIN = join(PROJECT, "cli", "main.ts");
// npm writes this file last, so an interrupted installation is seen as none.
const INSTALLED = join(PROJECT, "node_modules", ".package-lock.json");
const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

if (!existsSync(INSTALLED)) {
  process.stderr.write("Installing npm packages (only this once) …\n");
  const code = await run("npm", ["ci", "--no-audit", "--no-fund"], PROJECT);
  if (code !== 0) fail("npm ci failed: see above, then try again");
}

if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) {
  await import("./main.ts");
} else {
  const node = join(PROJECT, "node_modules", ".bin", "node");
  if (!existsSync(node))
    fail(`needs Node ${NODE_MAJOR_MIN} or later: npm has none for this machine, install one yourself`);
  process.exit(await run(node, [MAIN, ...process.argv.slice(2)]));
}

/**
 * Runs a command in the foreground, passing signals on. Resolves to its exit code, as a shell would tell it.
 * @param {string} command
 * @param {string[]} args
 * @param {string} [directory]
 * @returns {Promise<number>}
 */
function run(command, args, directory) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit", cwd: directory });
    for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
    child.on("error", (error) => fail(`${command}: ${error.message}`));
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  process.stderr.write(`cox: ${message}\n`);
  process.exit(1);
}
