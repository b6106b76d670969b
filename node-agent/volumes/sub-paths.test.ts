import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bindSubPath } from "./sub-paths.ts";

async function volume(): Promise<{ path: string; target: { folder: string; name: string } }> {
  const root = await mkdtemp(join(tmpdir(), "sub-paths-"));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, "volume"));
  await writeFile(join(root, "secret"), "of the host");
  return { path: join(root, "volume"), target: { folder: join(root, "bound"), name: "0" } };
}

test.each(["../secret", "/etc", "a/../../secret"])("%s is refused as it is written", async (subPath) => {
  const { path, target } = await volume();
  await expect(bindSubPath(path, subPath, target)).rejects.toThrow("is not allowed");
});

test("a link that a container made to the host's files is refused", async () => {
  const { path, target } = await volume();
  await symlink("../secret", join(path, "innocent"));
  await expect(bindSubPath(path, "innocent", target)).rejects.toThrow("leaves the volume");
  await symlink("/", join(path, "root"));
  await expect(bindSubPath(path, "root/etc", target)).rejects.toThrow("leaves the volume");
});
