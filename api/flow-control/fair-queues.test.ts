import fc from "fast-check";
import { expect, test } from "vitest";
import { FairQueues, hand } from "./fair-queues.ts";

const QUEUING = { queues: 128, handSize: 6, queueLengthLimit: 50 };

test("a hand is of different queues that are there", () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 6 }),
      (hash, queues, size) => {
        const handSize = Math.min(size, queues);
        const dealt = hand(hash, { queues, handSize });
        expect(new Set(dealt).size).toBe(handSize);
        for (const queue of dealt) {
          expect(queue).toBeGreaterThanOrEqual(0);
          expect(queue).toBeLessThan(queues);
        }
      },
    ),
  );
});

test("every queue is dealt about as often as any other", () => {
  const times = new Array<number>(16).fill(0);
  for (let hash = 0; hash < 16 * 15 * 14 * 13; hash++)
    for (const queue of hand(hash, { queues: 16, handSize: 4 })) times[queue]!++;
  expect(new Set(times).size).toBe(1);
});

test("what is added is taken once, in the order of its flow, and no flow waits for more than its share", () => {
  const items = fc.array(fc.record({ flow: fc.constantFrom("a", "b", "c"), width: fc.integer({ min: 1, max: 10 }) }), {
    maxLength: 150,
  });
  fc.assert(
    fc.property(items, (list) => {
      // One queue a flow, so that order and shares can be told.
      const added = list.map((item, at) => ({ ...item, at }));
      const queues = new FairQueues<(typeof added)[number]>({
        queues: 10_000,
        handSize: 1,
        queueLengthLimit: 200,
      });
      for (const item of added) expect(queues.add(item, item.flow)).toBe(true);
      expect(queues.length).toBe(list.length);
      const taken: typeof added = [];
      for (let item = queues.take(() => true); item; item = queues.take(() => true)) taken.push(item);
      expect(queues.length).toBe(0);
      for (const flow of ["a", "b", "c"])
        expect(taken.filter((item) => item.flow === flow)).toEqual(added.filter((item) => item.flow === flow));
      // As long as two flows have something waiting, what they got differs by no more than a request of each.
      const got = new Map<string, number>();
      taken.forEach(({ flow, width }, i) => {
        got.set(flow, (got.get(flow) ?? 0) + width);
        const left = new Set(taken.slice(i + 1).map((item) => item.flow));
        const shares = [...left].map((each) => got.get(each) ?? 0);
        if (shares.length > 1) expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(20);
      });
    }),
  );
});

test("a wide one whose turn it is does not let narrow ones pass", () => {
  const queues = new FairQueues<{ width: number }>({ queues: 10_000, handSize: 1, queueLengthLimit: 50 });
  queues.add({ width: 10 }, "wide");
  for (let i = 0; i < 20; i++) queues.add({ width: 1 }, "narrow");
  let narrow = 0;
  while (queues.take(({ width }) => width < 5)) narrow++;
  expect(narrow).toBeLessThanOrEqual(10);
  expect(queues.take(() => true)?.width).toBe(10);
});

test("a flow fills its own hand, and no more", () => {
  const queues = new FairQueues<{ width: number }>(QUEUING);
  let taken = 0;
  while (queues.add({ width: 1 }, "flood")) taken++;
  expect(taken).toBe(QUEUING.handSize * QUEUING.queueLengthLimit);
  expect(queues.add({ width: 1 }, "another")).toBe(true);
});

test("what gave up waiting is not taken", () => {
  const queues = new FairQueues<{ width: number }>(QUEUING);
  const item = { width: 1 };
  queues.add(item, "a");
  queues.remove(item);
  expect(queues.length).toBe(0);
  expect(queues.take(() => true)).toBeUndefined();
});
