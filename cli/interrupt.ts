import { Failure } from "./failure.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Does something that Ctrl-C ends: the work is told by the signal, removes what is unfinished, and the command fails. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await work(interrupt.signal);
  } catch (error) {
    throw interrupt.signal.aborted ? new Failure("interrupted") : error;
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}
