import { expect, test } from "vitest";
import { crashUnderLoad } from "../support/write-load-crashes.ts";

const ROUNDS = 5;
const TEST_MILLISECONDS = 300_000;

test(
  "killed again and again under a load of writes, workerd keeps what it acknowledged, and its watchers miss and repeat nothing",
  async () => {
    const { figures, complaints } = await crashUnderLoad({ rounds: ROUNDS, seed: 1 });
    expect(complaints).toEqual([]);
    // It was a load, it was interrupted, and somebody watched.
    expect(figures).toMatchObject({ rounds: ROUNDS });
    expect(figures.kills).toBeGreaterThanOrEqual(ROUNDS);
    expect(figures.acknowledgedWrites).toBeGreaterThan(100);
    expect(figures.unknownWrites).toBeGreaterThan(0);
    expect(figures.reconnections).toBeGreaterThan(0);
    expect(figures.watchEvents).toBeGreaterThan(figures.changes);
  },
  TEST_MILLISECONDS,
);
