import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Home, homeAt } from "./home.ts";
import { handLockTo, lockHolder, releaseLock, takeLock } from "./lock.ts";
import { identify } from "./processes.ts";

let home: Home;
beforeEach(() => {
  home = homeAt(mkdtempSync(join(tmpdir(), "cox-lock-")));
});
afterEach(() => rmSync(home.root, { recursive: true, force: true }));

test("a second cluster in the same home is refused, and told how to stop the first", () => {
  takeLock(home);
  expect(() => takeLock(home)).toThrow(
    `a cluster is already running in ${home.root} (process ${process.pid}): stop it with \`cox down\``,
  );
});

test("the lock of a dead process is taken over, also where its number belongs to another process by now", () => {
  const { pid, started } = identify(process.pid);
  writeFileSync(home.lock, JSON.stringify({ pid, started: `${Number(started) - 1}` }));
  expect(lockHolder(home)).toBeUndefined();
  takeLock(home);
  expect(lockHolder(home)).toEqual({ pid, started });
});

test("a lock file that makes no sense is as good as none", () => {
  writeFileSync(home.lock, "what");
  takeLock(home);
  expect(lockHolder(home)?.pid).toBe(process.pid);
});

test("only its holder gives the lock back", () => {
  takeLock(home);
  handLockTo(home, process.ppid);
  releaseLock(home);
  expect(lockHolder(home)?.pid).toBe(process.ppid);
  releaseLock(home, process.ppid);
  expect(existsSync(home.lock)).toBe(false);
});
