import { mkdtemp, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeFilesAtomically } from "./atomic-files.ts";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "atomic-files-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}
const files = (contents: Record<string, string>, mode = 0o644) =>
  new Map(Object.entries(contents).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

test("files are there with their modes, through links", async () => {
  const path = await folder();
  await writeFilesAtomically(path, files({ a: "1", "deep/b": "2" }, 0o440), undefined);
  expect(await readFile(join(path, "a"), "utf8")).toBe("1");
  expect(await readFile(join(path, "deep/b"), "utf8")).toBe("2");
  expect((await stat(join(path, "a"))).mode & 0o777).toBe(0o440);
  expect(await readlink(join(path, "a"))).toBe("..data/a");
});

test("new content replaces all of the old, and leaves nothing behind", async () => {
  const path = await folder();
  await writeFilesAtomically(path, files({ a: "1", gone: "x" }), undefined);
  const before = await readlink(join(path, "..data"));
  await writeFilesAtomically(path, files({ a: "2", more: "y" }), undefined);
  const after = await readlink(join(path, "..data"));
  expect(after).not.toBe(before);
  expect(await readFile(join(path, "a"), "utf8")).toBe("2");
  expect((await readdir(path)).sort()).toEqual(["..data", after, "a", "more"].sort());
});

test("unchanged content is not written again", async () => {
  const path = await folder();
  await writeFilesAtomically(path, files({ a: "1" }), undefined);
  const { ino } = await stat(join(path, "a"));
  await writeFilesAtomically(path, files({ a: "1" }), undefined);
  expect((await stat(join(path, "a"))).ino).toBe(ino);
});
