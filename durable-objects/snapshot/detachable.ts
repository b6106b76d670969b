import type { Platform } from "../home.ts";

/**
 * A platform that can be taken away from the home that was built on it: what that home still had under way fails then, and leaves nothing in the
 * database, which is another's.
 */
export function detachable(platform: Platform): { platform: Platform; detach(): void } {
  let isAttached = true;
  const assertAttached = () => {
    if (!isAttached) throw new Error("this home has been replaced by one from a snapshot");
  };
  const { database } = platform;
  return {
    platform: {
      ...platform,
      database: {
        ...database,
        exec: (query, ...bindings) => {
          assertAttached();
          return database.exec(query, ...bindings);
        },
        transaction: (work) => {
          assertAttached();
          return database.transaction(work);
        },
      },
      setAlarm: (at) => {
        if (isAttached) platform.setAlarm(at);
      },
    },
    detach: () => {
      isAttached = false;
    },
  };
}
