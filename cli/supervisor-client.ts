import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "./failure.ts";
import { type Home, readIfThere } from "./home.ts";
import { handLockTo } from "./lock.ts";
import type { MessageFromSupervisor, MessageToSupervisor, ProcessPlan, SupervisorStatus } from "./supervise.ts";

const LOG_LINES_SHOWN = 3;
const POLL_MILLISECONDS = 25;

/** The supervisor of a cluster, as the process that started it sees it. */
export interface Supervisor {
  pid: number;
  /** Has a process started and kept running. */
  start(plan: ProcessPlan): void;
  /**
   * Polls until the check holds. Rejects when the named process keeps ending (with the last it wrote to its log),
   * when the time is over, or when the signal is aborted.
   */
  waitFor(
    plan: ProcessPlan,
    what: string,
    seconds: number,
    check: () => Promise<boolean>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Leaves it running by itself. */
  detach(): void;
  /** Has everything stopped; resolves when it is. */
  stop(): Promise<void>;
  /** Resolves when the supervisor has ended. */
  ended: Promise<void>;
}

/** A process that ends this many times before it is ready will not become so. */
const ENDS_BEFORE_READY_MAX = 3;

/** Starts the supervisor of a home whose lock this process holds; the lock passes to it. */
export async function startSupervisor(home: Home): Promise<Supervisor> {
  const log = openSync(join(home.logs, "supervisor.log"), "a", 0o600);
  const child = spawn(
    process.execPath,
    ["--max-semi-space-size=1", join(import.meta.dirname, "supervisor.ts"), home.root],
    {
      stdio: ["ignore", log, log, "ipc"],
      detached: true,
      cwd: "/",
      env: { ...process.env, NODE_COMPILE_CACHE: home.compileCache },
    },
  );
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  handLockTo(home, child.pid!);
  return clientOf(child, child.pid!);
}

function clientOf(child: ChildProcess, pid: number): Supervisor {
  const ends = new Map<string, string[]>();
  child.on("message", (message: MessageFromSupervisor) => {
    if (message.said === "ended") ends.set(message.name, [...(ends.get(message.name) ?? []), message.how]);
  });
  let gone = false;
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      gone = true;
      resolve();
    });
  });
  const send = (message: MessageToSupervisor): void => {
    if (child.connected) child.send(message, () => {}); // One that has ended is told by `ended`.
  };

  return {
    pid,
    ended,
    start: (plan) => send({ do: "start", plan }),
    detach: () => {
      send({ do: "detach" });
      child.unref();
    },
    stop: async () => {
      send({ do: "stop" });
      await ended;
    },
    waitFor: async (plan, what, seconds, check, signal) => {
      const deadline = performance.now() + seconds * 1000;
      const endsBefore = ends.get(plan.name)?.length ?? 0;
      while (!(await check())) {
        signal?.throwIfAborted();
        if (gone) throw new Failure("the supervisor has ended: see logs/supervisor.log");
        const since = (ends.get(plan.name) ?? []).slice(endsBefore);
        if (since.length >= ENDS_BEFORE_READY_MAX) {
          throw new Failure(
            `${plan.name} ended ${since.length} times (${since.at(-1)}): ${lastLines(plan.log)} (${plan.log})`,
          );
        }
        if (performance.now() > deadline) throw new Failure(`${what} took longer than ${seconds} s: see ${plan.log}`);
        await sleep(POLL_MILLISECONDS);
      }
    },
  };
}

function lastLines(log: string): string {
  const lines = readIfThere(log)?.trim().split("\n") ?? [];
  return lines.slice(-LOG_LINES_SHOWN).join(" | ") || "it wrote nothing";
}

/** What the supervisor of a home last wrote down, or undefined where nothing was left running. */
export function readSupervisorStatus(home: Home): SupervisorStatus | undefined {
  const text = readIfThere(home.processes);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as SupervisorStatus;
  } catch {
    return undefined; // Written whole or not at all, so it is not ours.
  }
}
