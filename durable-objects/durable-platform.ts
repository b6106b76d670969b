import type { Platform } from "./home.ts";
import { durableSql } from "./store/durable-sql.ts";

/** What a home takes from a Durable Object. */
export const durablePlatform = ({ storage }: DurableObjectState): Platform => ({
  database: durableSql(storage),
  now: () => Date.now(),
  uuid: () => crypto.randomUUID(),
  random: () => Math.random(),
  later(milliseconds, work) {
    const timer = setTimeout(work, milliseconds);
    return () => clearTimeout(timer);
  },
  setAlarm(at) {
    // Within `alarm()` a time that has come already is dropped.
    storage
      .setAlarm(Math.max(at, Date.now() + 1))
      .catch((error: unknown) => console.error("an alarm could not be set", error));
  },
});
