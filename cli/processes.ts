import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const OUTPUT_BYTES_MAX = 16 << 20;
const STOP_POLL_MILLISECONDS = 20;

/** A process, told apart from a later one that was given the same number. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the kernel's words (clock ticks since boot); empty where the system does not tell. */
  started: string;
}

/** Fields of /proc/PID/stat as proc(5) numbers them; the command's name, field 2, may hold blanks and brackets. */
const statFields = (stat: string): string[] => stat.slice(stat.lastIndexOf(")") + 2).split(" ");
const FIRST_FIELD = 3;
const STATE_FIELD = 3;
const PARENT_FIELD = 4;
const START_FIELD = 22;

const readStat = (pid: number): string[] | undefined => {
  try {
    return statFields(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
};

/** The identity of a process that runs now. */
export function identify(pid: number): ProcessIdentity {
  return { pid, started: readStat(pid)?.[START_FIELD - FIRST_FIELD] ?? "" };
}

/** Whether that very process still runs (a zombie does not). */
export function isRunning(identity: ProcessIdentity): boolean {
  if (identity.started !== "") {
    const stat = readStat(identity.pid);
    return stat?.[START_FIELD - FIRST_FIELD] === identity.started && stat[STATE_FIELD - FIRST_FIELD] !== "Z";
  }
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Sends a signal to that very process; whether it was there. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    process.kill(identity.pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Waits until that process is gone; false where it outlasts `milliseconds`. */
export async function waitGone(identity: ProcessIdentity, milliseconds: number): Promise<boolean> {
  for (let waited = 0; isRunning(identity); waited += STOP_POLL_MILLISECONDS) {
    if (waited >= milliseconds) return false;
    await sleep(STOP_POLL_MILLISECONDS);
  }
  return true;
}

/** Asks a process to end, and ends it where it has not after the grace period. */
export async function terminate(identity: ProcessIdentity, graceSeconds: number): Promise<void> {
  if (!signal(identity, "SIGTERM")) return;
  if (await waitGone(identity, graceSeconds * 1000)) return;
  signal(identity, "SIGKILL");
  await waitGone(identity, graceSeconds * 1000);
}

/** A process as /proc shows it. */
export interface RunningProcess {
  pid: number;
  parent: number;
  command: string[];
}

/** All processes of this machine (of Linux; elsewhere none). */
export function listProcesses(): RunningProcess[] {
  const found: RunningProcess[] = [];
  for (const entry of readProcFolder()) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const stat = readStat(pid);
    if (!stat) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
      found.push({ pid, parent: Number(stat[PARENT_FIELD - FIRST_FIELD]), command });
    } catch {
      // It has ended since it was listed.
    }
  }
  return found;
}

const readProcFolder = (): string[] => {
  try {
    return readdirSync("/proc");
  } catch {
    return [];
  }
};

/** What a command said and how it ended. */
export interface CommandResult {
  /** 127 where there is no such command, as in a shell. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end. Never rejects: the caller judges the exit code. */
export function run(
  command: string,
  args: string[],
  options: { input?: string; environment?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { maxBuffer: OUTPUT_BYTES_MAX, env: options.environment ?? process.env },
      (error, stdout, stderr) => {
        const missing = (error as NodeJS.ErrnoException | null)?.code === "ENOENT";
        const code = error ? (missing ? 127 : typeof error.code === "number" ? error.code : 1) : 0;
        resolve({ code, stdout, stderr: missing ? `${command}: command not found` : stderr });
      },
    );
    child.stdin?.on("error", () => {}); // The command may end without reading; its exit code tells.
    child.stdin?.end(options.input ?? "");
  });
}

/** Runs a command that must succeed; rejects with the last line that it said. */
export async function runOrThrow(
  command: string,
  args: string[],
  options: { input?: string; environment?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const result = await run(command, args, options);
  if (result.code === 0) return result.stdout;
  const said = (result.stderr || result.stdout).trim().split("\n").at(-1);
  throw new Error(`${command} ${args.slice(0, 3).join(" ")}: ${said || `exit code ${result.code}`}`);
}
