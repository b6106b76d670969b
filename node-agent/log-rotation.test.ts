import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { rotateLog } from "./log-rotation.ts";

const NOW = Date.parse("2026-01-02T03:04:05Z");

async function log(bytes: number) {
  const folder = await mkdtemp(join(tmpdir(), "log-rotation-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "0.log");
  await writeFile(file, "x".repeat(bytes));
  // As a runtime does: it opens the path anew.
  const runtime = { reopenLog: () => writeFile(file, "") };
  return { file, runtime, files: async () => (await readdir(folder)).sort() };
}

test("a small log stays", async () => {
  const { file, runtime, files } = await log(10);
  await rotateLog(runtime, "c", file, { now: NOW, bytesMax: 10 });
  expect(await files()).toEqual(["0.log"]);
});

test("a large log is moved aside, and the container writes to a new one", async () => {
  const { file, runtime, files } = await log(11);
  await rotateLog(runtime, "c", file, { now: NOW, bytesMax: 10 });
  expect(await files()).toEqual(["0.log", "0.log.20260102-030405"]);
});

test("five files are kept at most, the newest", async () => {
  const { file, runtime, files } = await log(11);
  for (let day = 1; day < 8; day++) {
    await writeFile(file, "x".repeat(11));
    await rotateLog(runtime, "c", file, { now: NOW + day * 86_400_000, bytesMax: 10 });
  }
  expect(await files()).toEqual(["0.log", ...[6, 7, 8, 9].map((day) => `0.log.2026010${day}-030405`)]);
});

test("where the runtime cannot open a new one, the log stays where it was", async () => {
  const { file, files } = await log(11);
  const failing = {
    reopenLog: async () => {
      throw new Error("no");
    },
  };
  await expect(rotateLog(failing, "c", file, { now: NOW, bytesMax: 10 })).rejects.toThrow("no");
  expect(await files()).toEqual(["0.log"]);
});
