import { linkSync, rmSync, writeFileSync } from "node:fs";
import { Failure } from "./failure.ts";
import { type Home, readIfThere, writeWhole } from "./home.ts";
import { identify, isRunning, type ProcessIdentity } from "./processes.ts";

/** The living process that holds the home's lock, or undefined. */
export function lockHolder(home: Home): ProcessIdentity | undefined {
  const holder = parseIdentity(readIfThere(home.lock));
  return holder && isRunning(holder) ? holder : undefined;
}

/** Takes the lock for this process; a lock left behind by a process that has died is taken over. */
export function takeLock(home: Home): void {
  for (const attempt of [1, 2]) {
    if (tryTake(home)) return;
    const holder = lockHolder(home);
    if (holder || attempt === 2) {
      throw new Failure(
        `a cluster is already running in ${home.root}${holder ? ` (process ${holder.pid})` : ""}: stop it with \`cox down\``,
      );
    }
    rmSync(home.lock, { force: true });
  }
}

/** Makes the lock file with its content in one step, so that nobody ever reads half of it. */
function tryTake(home: Home): boolean {
  const draft = `${home.lock}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    linkSync(draft, home.lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Hands the lock, held by this process, on to another one. */
export function handLockTo(home: Home, pid: number): void {
  writeWhole(home.lock, JSON.stringify(identify(pid)));
}

/** Gives the lock back where this process (or the one named) holds it. */
export function releaseLock(home: Home, pid = process.pid): void {
  if (parseIdentity(readIfThere(home.lock))?.pid === pid) rmSync(home.lock, { force: true });
}

function parseIdentity(text: string | undefined): ProcessIdentity | undefined {
  if (text === undefined) return undefined;
  try {
    const { pid, started } = JSON.parse(text) as Partial<ProcessIdentity>;
    return Number.isInteger(pid) && typeof started === "string" ? { pid: pid!, started } : undefined;
  } catch {
    return undefined; // Not written by us: as good as none.
  }
}
