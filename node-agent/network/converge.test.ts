import type { Logger } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startConverge } from "./converge.ts";

const log = { error: () => {} } as unknown as Logger;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("the first change is answered at once, and those of a burst together", async () => {
  const pass = vi.fn(async () => {});
  const converge = startConverge("rules", pass, log);
  converge.changed();
  await vi.advanceTimersByTimeAsync(0);
  expect(pass).toHaveBeenCalledTimes(1);
  for (let i = 0; i < 100; i++) converge.changed();
  await vi.advanceTimersByTimeAsync(0);
  expect(pass).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(pass).toHaveBeenCalledTimes(2);
});

test("a change during a pass makes another one, never two at once", async () => {
  let running = 0;
  let most = 0;
  const pass = vi.fn(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 100));
    running--;
  });
  const converge = startConverge("rules", pass, log);
  converge.changed();
  await vi.advanceTimersByTimeAsync(50);
  converge.changed();
  await vi.advanceTimersByTimeAsync(1000);
  expect(pass).toHaveBeenCalledTimes(2);
  expect(most).toBe(1);
});

test("a pass that fails is tried again, ever less often, and what waits goes on waiting", async () => {
  const pass = vi.fn(async (): Promise<void> => {
    throw new Error("no");
  });
  const converge = startConverge("rules", pass, log);
  let settled = false;
  converge.changed();
  converge.settled().then(() => {
    settled = true;
  });
  await vi.advanceTimersByTimeAsync(4000);
  const early = pass.mock.calls.length;
  expect(early).toBeGreaterThan(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(pass.mock.calls.length - early).toBeLessThan(8);
  expect(settled).toBe(false);
  pass.mockImplementation(async () => {});
  await vi.advanceTimersByTimeAsync(60_000);
  expect(settled).toBe(true);
  expect(converge.idle).toBe(true);
});

test("closed, it does nothing more, and lets nobody wait", async () => {
  const pass = vi.fn(async () => {});
  const converge = startConverge("rules", pass, log);
  converge.changed();
  const settled = converge.settled();
  await converge.close();
  await settled;
  await vi.advanceTimersByTimeAsync(1000);
  expect(pass).not.toHaveBeenCalled();
});
