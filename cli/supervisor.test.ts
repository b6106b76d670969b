import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Home, homeAt, makeHome } from "./home.ts";
import { lockHolder, takeLock } from "./lock.ts";
import { isRunning } from "./processes.ts";
import type { ProcessPlan, ProcessStatus } from "./supervise.ts";
import { readSupervisorStatus, type Supervisor, startSupervisor } from "./supervisor-client.ts";

let home: Home;
let supervisor: Supervisor;
const WAIT = { timeout: 10_000, interval: 10 };

beforeEach(async () => {
  home = homeAt(mkdtempSync(join(tmpdir(), "cox-supervisor-")));
  makeHome(home);
  takeLock(home);
  supervisor = await startSupervisor(home);
});
afterEach(async () => {
  await supervisor.stop();
  rmSync(home.root, { recursive: true, force: true });
});

const plan = (name: string, ...command: string[]): ProcessPlan => ({
  name,
  role: "workerd",
  command: command[0]!,
  args: command.slice(1),
  environment: {},
  log: join(home.logs, `${name}.log`),
});

/** The process of this name, once it runs. */
const running = (name: string): Promise<ProcessStatus> =>
  vi.waitFor(() => {
    const found = readSupervisorStatus(home)?.processes.find((entry) => entry.name === name);
    expect(found?.process).toBeDefined();
    return found!;
  }, WAIT);

test("a killed process is started again", async () => {
  supervisor.start(plan("sleeper", "sleep", "1000"));
  const first = await running("sleeper");
  process.kill(first.process!.pid, "SIGKILL");
  await vi.waitFor(async () => {
    const again = await running("sleeper");
    expect(again).toMatchObject({ restarts: 1, lastExit: "SIGKILL" });
    expect(again.process).not.toEqual(first.process);
  }, WAIT);
});

test("stopping ends the processes and gives the lock back", async () => {
  supervisor.start(plan("one", "sleep", "1000"));
  supervisor.start(plan("two", "sleep", "1000"));
  const processes = [await running("one"), await running("two")];
  expect(lockHolder(home)?.pid).toBe(supervisor.pid);
  await supervisor.stop();
  expect(processes.map((entry) => isRunning(entry.process!))).toEqual([false, false]);
  expect(lockHolder(home)).toBeUndefined();
  expect(existsSync(home.processes)).toBe(false);
});

test("a process that keeps ending is reported with the last lines of its log", async () => {
  const failing = plan("failing", "sh", "-c", "echo no such port; exit 3");
  supervisor.start(failing);
  await expect(supervisor.waitFor(failing, "it", 60, async () => false)).rejects.toThrow(
    /^failing ended 3 times \(code 3\): .*no such port/,
  );
});

test("a program that does not exist is reported like one that ends", async () => {
  const missing = plan("missing", "/no/such/program");
  supervisor.start(missing);
  await expect(supervisor.waitFor(missing, "it", 60, async () => false)).rejects.toThrow(/ENOENT/);
});
