import { expect, test } from "vitest";
import { readAhead } from "./read-ahead.ts";

/** Readings that end when the test says so. */
function reader() {
  const begun: number[] = [];
  const ends = new Map<number, (error?: Error) => void>();
  const read = (item: number) =>
    new Promise<number>((resolve, reject) => {
      begun.push(item);
      ends.set(item, (error) => (error ? reject(error) : resolve(item)));
    });
  return { begun, read, end: (item: number, error?: Error) => ends.get(item)!(error) };
}

const bounds = { width: 3, sizeMax: 1_000, sizeOf: (size: number) => size };
const ITEMS = [1, 2, 3, 4, 5];

test("results come in the order of the items, and only so many are read ahead", async () => {
  const { begun, read, end } = reader();
  const results = readAhead(ITEMS, read, bounds);
  const first = results.next();
  expect(begun).toEqual([1, 2, 3]);
  end(3);
  end(1);
  expect((await first).value).toBe(1);
  const second = results.next();
  expect(begun).toEqual([1, 2, 3, 4]);
  end(2);
  expect((await second).value).toBe(2);
  expect((await results.next()).value).toBe(3);
});

test("no more is read while what waits is large, but never nothing", async () => {
  const { begun, read, end } = reader();
  const results = readAhead([2_000, 1, 1_500, 4], read, { ...bounds, width: 2 });
  const first = results.next();
  end(2_000);
  await first;
  const second = results.next();
  expect(begun).toEqual([2_000, 1, 1_500]);
  end(1_500);
  await new Promise((resolve) => setImmediate(resolve));
  end(1);
  expect((await second).value).toBe(1);
  const third = results.next();
  expect(begun).toEqual([2_000, 1, 1_500]);
  expect((await third).value).toBe(1_500);
  void results.next();
  expect(begun).toEqual([2_000, 1, 1_500, 4]);
});

test("a failure is told when its turn has come", async () => {
  const { read, end } = reader();
  const results = readAhead(ITEMS, read, bounds);
  const first = results.next();
  end(2, new Error("no answer"));
  end(1);
  expect((await first).value).toBe(1);
  await expect(results.next()).rejects.toThrow("no answer");
});

test("what was read and is not wanted any more is dropped", async () => {
  const { read, end } = reader();
  const dropped: number[] = [];
  const results = readAhead(ITEMS, read, { ...bounds, drop: (item) => dropped.push(item) });
  const first = results.next();
  end(1);
  await first;
  await results.return();
  end(2);
  end(3, new Error("no answer"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(dropped).toEqual([2]);
});
