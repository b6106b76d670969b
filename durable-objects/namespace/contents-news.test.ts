import { expect, test } from "vitest";
import { ContentsNews } from "./contents-news.ts";

/** News whose telling the test answers. */
function fixture({ isGoing = true } = {}) {
  const tellings: PromiseWithResolvers<void>[] = [];
  const timers: { milliseconds: number; work: () => void }[] = [];
  const news = new ContentsNews({
    isGoing: () => isGoing,
    tell: () => {
      const telling = Promise.withResolvers<void>();
      tellings.push(telling);
      return telling.promise;
    },
    later: (milliseconds, work) => void timers.push({ milliseconds, work }),
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { news, tellings, timers, turn };
}

test("changes that happen while one is told are told together, once", async () => {
  const { news, tellings, turn } = fixture();
  news.changed();
  await turn();
  news.changed();
  news.changed();
  expect(tellings).toHaveLength(1);
  tellings[0]!.resolve();
  await turn();
  expect(tellings).toHaveLength(2);
  tellings[1]!.resolve();
  await turn();
  expect([tellings.length, news.isBehind]).toEqual([2, false]);
});

test("what could not be told is told again after a while, and not forgotten meanwhile", async () => {
  const { news, tellings, timers, turn } = fixture();
  news.changed();
  for (const milliseconds of [100, 200, 400]) {
    await turn();
    tellings.at(-1)!.reject(new Error("not now"));
    await turn();
    expect(news.isBehind).toBe(true);
    const timer = timers.shift()!;
    expect(timer.milliseconds).toBe(milliseconds);
    timer.work();
  }
  await turn();
  tellings.at(-1)!.resolve();
  await turn();
  expect([tellings.length, news.isBehind]).toEqual([4, false]);
});

test("a namespace that stays has nothing to tell", async () => {
  const { news, tellings, turn } = fixture({ isGoing: false });
  news.changed();
  await turn();
  expect([tellings.length, news.isBehind]).toEqual([0, false]);
});
