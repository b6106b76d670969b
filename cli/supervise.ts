import type { ProcessIdentity } from "./processes.ts";

/** What a process is to the cluster. */
export type Role = "workerd" | "containerd" | "node-agent" | "audit-log";

/** Agents first, so that they can still say goodbye; the control plane after them, and last who writes down what it does. */
export const STOP_ORDER: readonly Role[] = ["node-agent", "containerd", "workerd", "audit-log"];

/** A process to keep running. */
export interface ProcessPlan {
  /** Unique in the cluster; its log is named for it. */
  name: string;
  role: Role;
  command: string;
  args: string[];
  environment: Record<string, string>;
  log: string;
  /** workerd: where it answers. */
  url?: string;
  /** node-agent: the nodes that it serves. */
  nodes?: string[];
  /** node-agent: what runs its containers. */
  runtime?: "containerd" | "fake";
}

/** A supervised process as it is now. */
export interface ProcessStatus extends ProcessPlan {
  /** Absent while it is down. */
  process?: ProcessIdentity;
  restarts: number;
  /** How it ended last: "code 1", "SIGKILL". */
  lastExit?: string;
}

/** What the supervisor writes to `Home.processes` at each change. */
export interface SupervisorStatus {
  supervisor: ProcessIdentity;
  processes: ProcessStatus[];
}

/** What `cox up` tells its supervisor (over Node's IPC channel). The channel's end means: stop, unless detached. */
export type MessageToSupervisor = { do: "start"; plan: ProcessPlan } | { do: "detach" } | { do: "stop" };

/** What the supervisor tells `cox up`. */
export type MessageFromSupervisor =
  | { said: "started"; name: string; pid: number }
  | { said: "ended"; name: string; how: string; afterMilliseconds: number };

const FIRST_DELAY_MILLISECONDS = 50;
const DELAY_MILLISECONDS_MAX = 5000;
/** Whoever has run this long is thought well again: its next end is answered at once. */
const SETTLED_MILLISECONDS = 10_000;

/**
 * How long to wait before starting a process again.
 * @param quickEnds how many times in a row it ended before it had settled
 */
export function restartDelayMilliseconds(quickEnds: number): number {
  return Math.min(FIRST_DELAY_MILLISECONDS * 2 ** Math.min(quickEnds, 16), DELAY_MILLISECONDS_MAX);
}

/** The count for `restartDelayMilliseconds` after a process has ended. */
export function countQuickEnds(before: number, ranMilliseconds: number): number {
  return ranMilliseconds >= SETTLED_MILLISECONDS ? 0 : before + 1;
}
