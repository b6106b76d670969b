import type { Logger } from "pino";

/** Changes that come within so long of a pass are taken together; the first of a burst is not kept waiting. */
const BURST_MS = 25;
const RETRY_MS_FIRST = 500;
const RETRY_MS_MAX = 30_000;

/** One pass after another, never two at once, and never more than the changes ask for. */
export interface Converge {
  /** Something has changed: there will be a pass, at once or right after the burst. */
  changed(): void;
  /** Resolves when a pass has succeeded that began after the last change. */
  settled(): Promise<void>;
  /** No pass is running, and nothing waits for one. */
  readonly idle: boolean;
  /** Waits for the pass that is running; there is none after. */
  close(): Promise<void>;
}

/** Runs `pass` after changes; one that throws is tried again, ever less often. `what` is said in the log. */
export function startConverge(what: string, pass: () => Promise<void>, log: Logger): Converge {
  let dirty = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let quietSince = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let closed = false;
  let waiting: (() => void)[] = [];

  async function runPass(): Promise<void> {
    dirty = false;
    try {
      await pass();
      failures = 0;
    } catch (error) {
      dirty = true;
      failures++;
      log.error({ err: error, failures }, `${what}: failed, trying again`);
    }
    running = undefined;
    quietSince = performance.now();
    if (dirty && !closed) return schedule();
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  function schedule(): void {
    if (closed || running || timer) return;
    const pause = failures > 0 ? Math.min(RETRY_MS_FIRST * 2 ** (failures - 1), RETRY_MS_MAX) : BURST_MS;
    timer = setTimeout(
      () => {
        timer = undefined;
        running = runPass();
      },
      Math.max(0, quietSince + pause - performance.now()),
    );
  }

  return {
    changed() {
      dirty = true;
      schedule();
    },
    settled: () => (dirty || running ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    get idle() {
      return !dirty && !running;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
  };
}
