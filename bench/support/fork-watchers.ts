/**
 * Many watchers in a process of their own, so that their TLS is not what is measured of the writer: run by `forkWatchers`.
 * Each change carries when it was sent (`"sent":"<milliseconds since 1970>"`); nothing else of it is parsed.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Server } from "./load.ts";
import { openWatchText } from "./watch.ts";

/** How many handshakes are under way at once. */
const OPENING_MAX = 32;
const SENT = /"sent":"([\d.]+)"/g;

interface Task {
  server: Server;
  path: string;
  watchers: number;
  /** Of each watcher. */
  events: number;
}

/** Milliseconds since 1970 with fractions, the same in all processes of a machine. */
export const preciseNow = (): number => performance.timeOrigin + performance.now();

/** Watchers that are listening, and the delays of all that they will have heard. */
export interface ForkedWatchers {
  /** Milliseconds from `sent` to arrival, one for each watcher and event. */
  delays: Promise<number[]>;
  stop(): void;
}

/** Opens `watchers` watches in another process; resolves once all listen. */
export async function forkWatchers(task: Task): Promise<ForkedWatchers> {
  const child = fork(fileURLToPath(import.meta.url), [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.send(task);
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`the watchers' process ended with ${code}`);
  });
  failed.catch(() => {}); // Once they are stopped it does end.
  await Promise.race([messageOf(child), failed]);
  const delays = Promise.race([messageOf(child), failed]) as Promise<number[]>;
  delays.catch(() => {});
  return { delays, stop: () => child.kill("SIGKILL") };
}

const messageOf = async (child: ChildProcess): Promise<unknown> => (await once(child, "message"))[0];

async function listen({ server, path, watchers, events }: Task): Promise<void> {
  const delays: number[] = [];
  const opening = Array.from({ length: watchers }, (_, index) => index).values();
  await Promise.all(
    Array.from({ length: OPENING_MAX }, async () => {
      for (const _ of opening) {
        await openWatchText(server, path, (text) => {
          const now = preciseNow();
          for (const [, sent] of text.matchAll(SENT)) delays.push(now - Number(sent));
          if (delays.length === watchers * events) process.send!(delays);
        });
      }
    }),
  );
  process.send!("listening");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.once("message", (task) => void listen(task as Task));
