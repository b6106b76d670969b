import { describe, expect, test } from "vitest";
import { type AuditEvent, AuditLog } from "./audit-log.ts";

/** A sink that answers when it is told to, and a clock that does not move by itself. */
function setUp(write: (lines: string) => Promise<void> = async () => undefined) {
  const written: any[] = [];
  const under: Promise<unknown>[] = [];
  let now = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  const log = new AuditLog({
    sink: {
      async write(lines) {
        await write(lines);
        written.push(
          ...lines
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line)),
        );
      },
    },
    now: () => now,
    sleep: (milliseconds) => new Promise((wake) => sleepers.push({ at: now + milliseconds, wake: () => wake() })),
  });
  return {
    log,
    written,
    keeper: { waitUntil: (promise: Promise<unknown>) => void under.push(promise) },
    under,
    /** The request's context is gone, and what waited in it. */
    lose() {
      sleepers = [];
    },
    async pass(milliseconds: number) {
      now += milliseconds;
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
      for (let i = 0; i < 50; i++) await Promise.resolve();
    },
  };
}

const event = (auditID: string, more: object = {}): AuditEvent => ({ kind: "Event", auditID, ...more });
const LARGE = "x".repeat(900_000);

describe("the log of an isolate", () => {
  test("writes what came together at once, in its order, behind one request's back", async () => {
    const { log, written, keeper, under, pass } = setUp();
    for (const id of ["a", "b", "c"]) {
      log.add(event(id));
      log.flush(keeper);
    }
    expect(under).toHaveLength(1);
    expect(written).toHaveLength(0);
    await pass(100);
    expect(written.map(({ auditID }) => auditID)).toEqual(["a", "b", "c"]);
    await Promise.all(under);
    log.add(event("d"));
    log.flush(keeper);
    expect(under).toHaveLength(2);
  });

  test("has nothing to do where there is nothing to say", () => {
    const { log, keeper, under } = setUp();
    log.flush(keeper);
    expect(under).toHaveLength(0);
  });

  test("leaves the bodies out of an event that is too large, and says so", async () => {
    const { log, written, keeper, pass } = setUp();
    log.add(event("large", { requestObject: { data: LARGE }, responseObject: { data: LARGE } }));
    log.flush(keeper);
    await pass(100);
    expect(written).toEqual([event("large", { annotations: { "audit.k8s.io/truncated": "true" } })]);
  });

  test("drops what a slow sink leaves no room for, and says later how much", async () => {
    let finish: () => void = () => undefined;
    const { log, written, keeper, pass } = setUp(() => new Promise((resolve) => (finish = resolve)));
    const added = 40;
    for (let i = 0; i < added; i++) log.add(event(`e-${i}`, { requestObject: LARGE }));
    log.flush(keeper);
    await pass(100);
    for (let i = 0; i < 20; i++) {
      finish();
      await pass(0);
    }
    const kept = written.length;
    expect(kept).toBeGreaterThan(10);
    expect(kept).toBeLessThan(added);
    log.add(event("next"));
    log.flush(keeper);
    await pass(100);
    finish();
    await pass(0);
    expect(written.at(-1)).toEqual(
      event("next", { annotations: { "coxswain.dev/dropped-events": String(added - kept) } }),
    );
  });

  test("tries a failed write again, and gives it up after the third", async () => {
    let tries = 0;
    const { log, written, keeper, pass } = setUp(async () => {
      tries++;
      if (tries <= 3) throw new Error("the disk is full");
    });
    log.add(event("lost"));
    log.flush(keeper);
    await pass(100);
    await pass(1000);
    await pass(1000);
    expect(tries).toBe(3);
    log.add(event("next"));
    log.flush(keeper);
    await pass(100);
    expect(written).toEqual([event("next", { annotations: { "coxswain.dev/dropped-events": "1" } })]);
  });

  test("a write that never ends is given up", async () => {
    const { log, keeper, under, pass } = setUp(() => new Promise(() => undefined));
    log.add(event("lost"));
    log.flush(keeper);
    for (let i = 0; i < 10; i++) await pass(10_000);
    await Promise.all(under);
    log.add(event("next"));
    log.flush(keeper);
    expect(under).toHaveLength(2);
  });

  test("where the request that wrote was lost, another takes over", async () => {
    const { log, written, keeper, under, lose, pass } = setUp();
    log.add(event("a"));
    log.flush({ waitUntil: () => undefined });
    lose();
    log.flush(keeper);
    expect(under).toHaveLength(0);
    await pass(60_000);
    log.add(event("b"));
    log.flush(keeper);
    await pass(100);
    expect(written.map(({ auditID }) => auditID)).toEqual(["a", "b"]);
  });
});
