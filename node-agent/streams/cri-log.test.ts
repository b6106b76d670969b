import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { logFormatter, parseLogLine } from "./cri-log.ts";
import { readLog } from "./read-log.ts";

const TIME = "2026-01-01T00:00:00.000000001Z";
const line = (text: string, time = TIME, tag = "F") => `${time} stdout ${tag} ${text}\n`;

test("a line is taken apart", () => {
  expect(parseLogLine(Buffer.from(`${TIME} stderr P a b`))).toEqual({
    time: TIME,
    stream: "stderr",
    partial: true,
    text: Buffer.from("a b"),
  });
});

test.each(["", "no format", `${TIME} stdin F x`, `${TIME} stdout F`])("%j is no line of a log", (text) => {
  expect(parseLogLine(Buffer.from(text))).toBeUndefined();
});

test("parts of a line are joined, an empty line is kept", () => {
  const formatter = logFormatter({ timestamps: false });
  const texts = [line("one ", TIME, "P"), line("two"), line("")].map((text) =>
    formatter.take(Buffer.from(text.slice(0, -1))),
  );
  expect(Buffer.concat(texts as Buffer[]).toString()).toBe("one two\n\n");
});

test("a line has one time, in all its digits, also where it comes in parts", () => {
  const formatter = logFormatter({ timestamps: true });
  const texts = [line("one ", "2026-01-01T00:00:00.12Z", "P"), line("two", "2026-01-01T00:00:01Z")].map((text) =>
    formatter.take(Buffer.from(text.slice(0, -1))),
  );
  expect(Buffer.concat(texts as Buffer[]).toString()).toBe("2026-01-01T00:00:00.120000000Z one two\n");
});

async function logFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "read-log-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "0.log"), text);
  return join(folder, "0.log");
}
async function read(file: string, options: object = {}): Promise<string> {
  const pieces = readLog(file, {
    timestamps: false,
    follow: false,
    ended: () => true,
    signal: new AbortController().signal,
    ...options,
  });
  let text = "";
  for await (const piece of pieces) text += piece.toString();
  return text;
}
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join("");
const many = (count: number) => Array.from({ length: count }, (_, index) => line(`line ${index + 1}`)).join("");

test("all of a log longer than a chunk is read", async () => {
  expect(await read(await logFile(many(5000)))).toBe(numbers(1, 5000));
});

test.each([
  [0, ""],
  [1, numbers(5000, 5000)],
  [3000, numbers(2001, 5000)],
  [9999, numbers(1, 5000)],
])("the last %i lines", async (tailLines, expected) => {
  expect(await read(await logFile(many(5000)), { tailLines })).toBe(expected);
});

test("timestamps, a beginning and a limit", async () => {
  const file = await logFile(line("old", "2026-01-01T00:00:00Z") + line("new", "2026-01-01T00:01:00Z"));
  expect(await read(file, { timestamps: true, since: Date.parse("2026-01-01T00:00:30Z") })).toBe(
    "2026-01-01T00:01:00.000000000Z new\n",
  );
  expect(await read(file, { limitBytes: 6 })).toBe("old\nne");
});

test("following goes on until the container has ended, and takes its last words", async () => {
  const file = await logFile(line("first"));
  let ended = false;
  const signal = new AbortController().signal;
  const pieces: string[] = [];
  for await (const piece of readLog(file, { timestamps: false, follow: true, ended: () => ended, signal })) {
    pieces.push(piece.toString());
    if (pieces.length > 1) continue;
    await appendFile(file, line("last"));
    ended = true;
  }
  expect(pieces.join("")).toBe("first\nlast\n");
});

test("following goes over to the new file when the log is rotated", async () => {
  const file = await logFile(line("first"));
  let ended = false;
  const signal = new AbortController().signal;
  const pieces: string[] = [];
  for await (const piece of readLog(file, { timestamps: false, follow: true, ended: () => ended, signal })) {
    pieces.push(piece.toString());
    if (pieces.length > 1) continue;
    await rename(file, `${file}.1`);
    await writeFile(file, line("second"));
    ended = true;
  }
  expect(pieces.join("")).toBe("first\nsecond\n");
});
