import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cox } from "./cox.ts";
import { makeWebImage, ociArchive, WEB_PORT } from "./images.ts";

/** A web server that answers with its pod's name, and has a shell. */
export const TEST_IMAGE = "test-web:v1";
export const TEST_PORT = WEB_PORT;

/** Puts the test image onto the nodes of a cluster. */
export async function loadTestImage(cox: Cox): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "coxswain-image-"));
  try {
    const file = join(folder, "web.tar");
    await writeFile(file, await ociArchive(await makeWebImage(TEST_IMAGE, "ahoy")));
    await cox.cox(["image", "load", file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
