import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chosenHome, homeAt, makeHome, makeNodeHome, nodeHome, readIfThere, writeWhole } from "./home.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cox-home-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the home", () => {
  test("is what --state names, else COXSWAIN_HOME, else ~/.coxswain", () => {
    expect(chosenHome("/a", { COXSWAIN_HOME: "/b" }).root).toBe("/a");
    expect(chosenHome(undefined, { COXSWAIN_HOME: "/b" }).root).toBe("/b");
    expect(chosenHome(undefined, {}).root).toMatch(/\/\.coxswain$/);
  });

  test("is for its owner alone", () => {
    const home = homeAt(join(folder, "home"));
    makeHome(home);
    expect(statSync(home.root).mode & 0o777).toBe(0o700);
  });

  test("that cannot be made is told in one line", () => {
    writeWhole(join(folder, "file"), "");
    expect(() => makeHome(homeAt(join(folder, "file", "home")))).toThrow(
      "set COXSWAIN_HOME or --state to a folder of yours",
    );
  });

  test("refuses a path that is too long for a socket, where a socket is needed", () => {
    const node = nodeHome(homeAt(join(folder, "x".repeat(80))), "vm");
    expect(() => makeNodeHome(node, "containerd")).toThrow("too long for a socket");
    makeNodeHome(node, "fake");
  });
});

test("a file is written whole, readable by its owner, and no draft stays", () => {
  const path = join(folder, "secret");
  writeWhole(path, "one");
  writeWhole(path, "two");
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["secret"]);
  expect(readIfThere(join(folder, "nothing"))).toBeUndefined();
});
