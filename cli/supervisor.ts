/**
 * The process that keeps a cluster's processes running. `cox up` starts it, tells it over IPC what to run, and either
 * stays (the supervisor stops everything once the channel closes, however `cox up` ended) or detaches.
 * It loads nothing beyond Node's own modules: it lives as long as the cluster, and its memory counts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { homeAt, writeWhole } from "./home.ts";
import { releaseLock } from "./lock.ts";
import { identify, terminate } from "./processes.ts";
import {
  countQuickEnds,
  type MessageFromSupervisor,
  type MessageToSupervisor,
  type ProcessPlan,
  type ProcessStatus,
  restartDelayMilliseconds,
  STOP_ORDER,
  type SupervisorStatus,
} from "./supervise.ts";

const STOP_GRACE_SECONDS = 10;
/** A log that has grown past this is set aside when its process starts. */
const LOG_BYTES_MAX = 20 << 20;

interface Supervised {
  status: ProcessStatus;
  child?: ChildProcess;
  startedAt: number;
  quickEnds: number;
  timer?: NodeJS.Timeout;
}

const home = homeAt(process.argv[2]!);
const supervised = new Map<string, Supervised>();
let detached = false;
let stopping = false;

process.on("message", (message: MessageToSupervisor) => {
  if (message.do === "start") add(message.plan);
  if (message.do === "stop") void stop();
  if (message.do === "detach") {
    detached = true;
    process.disconnect();
  }
});
process.on("disconnect", () => {
  if (!detached) void stop();
});
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => void stop());
save();

function add(plan: ProcessPlan): void {
  if (stopping || supervised.has(plan.name)) return;
  const entry: Supervised = { status: { ...plan, restarts: 0 }, startedAt: 0, quickEnds: 0 };
  supervised.set(plan.name, entry);
  start(entry);
}

function start(entry: Supervised): void {
  const { status } = entry;
  setLogAside(status.log);
  const log = openSync(status.log, "a", 0o600);
  // A session of its own: the terminal's Ctrl-C is for `cox up`, which has everything stopped in order.
  const child = spawn(status.command, status.args, {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...status.environment },
    detached: true,
    cwd: "/",
  });
  closeSync(log);
  entry.child = child;
  entry.startedAt = performance.now();
  let over = false;
  const ended = (how: string): void => {
    if (over) return;
    over = true;
    onEnd(entry, how);
  };
  child.on("error", (error) => ended(error.message));
  child.on("exit", (code, signal) => ended(signal ?? `code ${code}`));
  if (child.pid !== undefined) {
    status.process = identify(child.pid);
    tell({ said: "started", name: status.name, pid: child.pid });
  }
  save();
}

function onEnd(entry: Supervised, how: string): void {
  const ranMilliseconds = performance.now() - entry.startedAt;
  delete entry.status.process;
  delete entry.child;
  entry.status.lastExit = how;
  tell({ said: "ended", name: entry.status.name, how, afterMilliseconds: ranMilliseconds });
  if (!stopping) {
    entry.status.restarts += 1;
    entry.timer = setTimeout(() => start(entry), restartDelayMilliseconds(entry.quickEnds));
    entry.quickEnds = countQuickEnds(entry.quickEnds, ranMilliseconds);
  }
  save();
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const entry of supervised.values()) clearTimeout(entry.timer);
  for (const role of STOP_ORDER) {
    const running = [...supervised.values()].filter((entry) => entry.status.role === role && entry.status.process);
    await Promise.all(running.map((entry) => terminate(entry.status.process!, STOP_GRACE_SECONDS)));
  }
  rmSync(home.processes, { force: true });
  releaseLock(home);
  process.exit(0);
}

/** Readers (`cox status`, `cox down`) see each change; a full disk must not end the supervision. */
function save(): void {
  const status: SupervisorStatus = {
    supervisor: identify(process.pid),
    processes: [...supervised.values()].map((entry) => entry.status),
  };
  try {
    writeWhole(home.processes, JSON.stringify(status, null, 2));
  } catch (error) {
    console.error(`cannot write ${home.processes}: ${(error as Error).message}`);
  }
}

function tell(message: MessageFromSupervisor): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {}); // Whoever listened may just have gone.
}

function setLogAside(log: string): void {
  try {
    if (statSync(log).size > LOG_BYTES_MAX) renameSync(log, `${log}.1`);
  } catch {
    // There is none yet.
  }
}
