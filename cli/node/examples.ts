import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../processes.ts";
import { PROJECT } from "../project.ts";
import { importImages } from "./containerd.ts";
import { canInstallPackages, findProgram, installPackages } from "./packages.ts";

const SCRIPT = join(PROJECT, "examples/guestbook/images.ts");
const PACKAGE = "busybox-static";

/**
 * Makes the images of `examples/` and imports them into these containerds. A convenience: what it cannot do it says, and
 * the cluster is there all the same.
 */
export async function loadExamples(sockets: string[], report: (text: string) => void): Promise<string> {
  if (sockets.length === 0) return "simulated nodes need none";
  if (!findProgram("busybox") && canInstallPackages()) {
    const problem = await installPackages([PACKAGE], report);
    if (problem !== undefined) return `not made: ${problem}`;
  }
  const folder = mkdtempSync(join(tmpdir(), "cox-examples-"));
  try {
    const made = await run(process.execPath, [SCRIPT, folder]);
    if (made.code !== 0) return `not made: ${made.stderr.trim().split("\n").at(-1)}`;
    const names = new Set<string>();
    for (const archive of made.stdout.trim().split("\n"))
      for (const socket of sockets) for (const name of await importImages(socket, archive)) names.add(name);
    return `${names.size} loaded`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
