import type { FeedPart, Lease, TimelineFeedRpc } from "../../durable-objects/protocol.ts";

export interface FakeTimeline extends TimelineFeedRpc {
  /** What it was asked and told, in order. */
  readonly opens: { home: string; revision: number }[];
  readonly pushes: FeedPart[];
  readonly closes: { lease: number; part: FeedPart }[];
  /** So many of the next calls fail. */
  failNext(times: number): void;
  /** Below it no home commits that opens from now on. */
  floor: number;
}

/** A Timeline that lends to whoever asks, and remembers what it was told. Nobody has handed out more than `highest`. */
export function fakeTimeline(interests: string[] = [], highest = () => Number.POSITIVE_INFINITY): FakeTimeline {
  let failing = 0;
  let lease = 0;
  const meet = () => {
    if (failing-- > 0) throw new Error("not now");
  };
  const fake: FakeTimeline = {
    opens: [],
    pushes: [],
    closes: [],
    floor: 0,
    failNext(times) {
      failing = times;
    },
    async open(home, revision): Promise<Lease> {
      meet();
      fake.opens.push({ home, revision });
      return { number: ++lease, slot: lease % 1024, floor: fake.floor, interests };
    },
    async push(_home, _lease, part) {
      meet();
      fake.pushes.push(part);
      return { interests };
    },
    async announce(revision) {
      meet();
      if (revision > highest()) return false;
      fake.floor = Math.max(fake.floor, revision);
      return true;
    },
    async close(_home, number, part) {
      meet();
      fake.closes.push({ lease: number, part });
    },
  };
  return fake;
}
