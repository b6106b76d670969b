import type { Platform } from "./home.ts";
import { durableSql } from "./store/durable-sql.ts";

/** What a home takes from a Durable Object. */
export function durablePlatform({ storage }: DurableObjectState): Platform {
  /** Commits on their way to the disk. */
  let committing = 0;
  const commit = (work: () => void): void => {
    work();
    committing++;
    const done = () => {
      committing--;
    };
    storage.sync().then(done, done); // That a commit failed, the platform tells whoever waits for its answer.
  };
  return {
    database: durableSql(storage),
    now: () => Date.now(),
    uuid: () => crypto.randomUUID(),
    random: () => Math.random(),
    later(milliseconds, work) {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    },
    gather(work) {
      // A lone write must not wait for company that does not come: that would double what a single client waits for.
      if (committing === 0) queueMicrotask(() => commit(work));
      else setTimeout(() => commit(work), 0);
    },
    onDisk(work) {
      // Where it does not get there the object is broken, and another takes its place.
      storage.sync().then(work, () => undefined);
    },
    setAlarm(at) {
      // Within `alarm()` a time that has come already is dropped.
      storage
        .setAlarm(Math.max(at, Date.now() + 1))
        .catch((error: unknown) => console.error("an alarm could not be set", error));
    },
  };
}
