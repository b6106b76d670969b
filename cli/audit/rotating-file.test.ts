import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RotatingFile } from "./rotating-file.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cox-rotating-"));
  path = join(folder, "audit.log");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (suffix = "") => readFileSync(`${path}${suffix}`, "utf8");

test("lines are added to what is there, for the owner alone", () => {
  for (const line of ["a\n", "b\n"]) {
    const file = new RotatingFile({ path, bytesMax: 100, filesMax: 2 });
    file.append(bytes(line));
    file.close();
  }
  expect(text()).toBe("a\nb\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a file that is full is set aside, and only so many are kept", () => {
  const file = new RotatingFile({ path, bytesMax: 4, filesMax: 2 });
  for (const line of ["a\n", "b\n", "c\n", "d\n", "e\n", "f\n", "g\n"]) file.append(bytes(line));
  file.close();
  expect(text()).toBe("g\n");
  expect(text(".1")).toBe("e\nf\n");
  expect(text(".2")).toBe("c\nd\n");
  expect(readdirSync(folder)).toHaveLength(3);
});

test("lines that alone are more than a file holds are not split", () => {
  const file = new RotatingFile({ path, bytesMax: 4, filesMax: 2 });
  file.append(bytes("a\n"));
  file.append(bytes("much too long\n"));
  file.close();
  expect(text()).toBe("much too long\n");
  expect(text(".1")).toBe("a\n");
});
