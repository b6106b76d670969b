import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { run } from "./processes.ts";

const home = mkdtempSync(join(tmpdir(), "cox-main-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const cox = (...args: string[]) =>
  run(process.execPath, [join(import.meta.dirname, "bin.js"), ...args], {
    environment: { ...process.env, COXSWAIN_HOME: home },
  });

describe("the command line", () => {
  test("explains itself", async () => {
    for (const args of [["--help"], ["up", "--help"], ["image", "load", "--help"], ["snapshot", "save", "--help"]]) {
      const { code, stdout } = await cox(...args);
      expect([code, stdout]).toEqual([0, expect.stringContaining("Usage: cox")]);
    }
  });

  test.each([
    ["an unknown command", ["fly"]],
    ["an unknown option", ["up", "--fly"]],
    ["a number that is none", ["up", "--nodes", "two"]],
    ["a port out of range", ["up", "--port", "0"]],
    ["a missing argument", ["image", "load"]],
    ["a file that does not exist", ["image", "load", "/no/such/archive.tar"]],
    ["two nodes in one containerd", ["up", "--containerd", "/run/x.sock", "--nodes", "2"]],
    ["an audit policy that is not there", ["up", "--audit-policy", "/no/such/policy.yaml"]],
    ["an audit policy that is none", ["up", "--audit-policy", join(import.meta.dirname, "..", "package.json")]],
    ["an audit log without a policy", ["up", "--audit-log", "/tmp/audit.log"]],
    ["a reset that nobody can confirm", ["reset"]],
    ["a time that is none", ["kubeconfig", "--at", "soon"]],
    ["a time to come", ["snapshot", "save", "x", "--at", "9999-01-01T00:00:00Z"]],
    ["a cluster's name that is none", ["kubeconfig", "--cluster", "../x"]],
    ["a snapshot that does not exist", ["snapshot", "status", "/no/such/file"]],
    ["a fork without a name", ["fork"]],
    ["a revision that is none", ["undo", "pod/web", "--to", "last"]],
    ["more versions than are told", ["history", "pod/web", "--limit", "1000"]],
  ])("refuses %s with exit code 2 and says why", async (_, args) => {
    const { code, stderr } = await cox(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cox: .+/);
    expect(stderr).not.toContain("    at ");
  });

  test("status of a home where nothing runs has exit code 1, also as JSON", async () => {
    expect(await cox("status")).toMatchObject({ code: 1, stdout: expect.stringContaining("cox up") });
    const { code, stdout } = await cox("status", "--json");
    expect([code, JSON.parse(stdout)]).toEqual([1, expect.objectContaining({ workerd: null, nodes: [] })]);
  });

  test("down where nothing runs is no failure", async () => {
    expect((await cox("down")).code).toBe(0);
  });
});
