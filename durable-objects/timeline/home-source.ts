import type { FeedEvent } from "../protocol.ts";

/** How the Timeline reads homes: by namespace, "" is the ClusterHome. */
export interface HomeSource {
  changesSince(
    home: string,
    revision: number,
    resources: string[],
  ): Promise<{ upTo: number; events: FeedEvent[]; expired: boolean; more?: boolean }>;
  snapshot(
    home: string,
    resources: string[],
    from?: string,
  ): Promise<{ revision: number; objects: { resource: string; json: string }[]; next?: string }>;
  setInterests(home: string, resources: string[]): Promise<{ revision: number }>;
}

/** Answers of a home to one question, at most: a history of so many changes is told anew instead. */
const PAGES_MAX = 200;

/** All changes after a revision; `expired` where history does not reach back that far (then `upTo` is where to go on). */
export async function readChanges(
  source: HomeSource,
  home: string,
  since: number,
  resources: string[],
): Promise<{ upTo: number; events: FeedEvent[]; expired: boolean }> {
  const events: FeedEvent[] = [];
  let upTo = since;
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await source.changesSince(home, upTo, resources);
    upTo = Math.max(upTo, answer.upTo);
    if (answer.expired) return { upTo, events: [], expired: true };
    for (const event of answer.events) events.push(event);
    if (!answer.more) return { upTo, events, expired: false };
  }
  return { upTo, events: [], expired: true };
}

/** All objects as ADDED events, a page at a time; `revision` is the one that all pages were read at. */
export async function* readObjects(
  source: HomeSource,
  home: string,
  resources: string[],
): AsyncGenerator<{ revision: number; events: FeedEvent[] }> {
  let from: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const { revision, objects, next } = await source.snapshot(home, resources, from);
    yield { revision, events: objects.map(addedEvent) };
    if (next === undefined) return;
    from = next;
  }
  throw new Error(`the home of ${home || "the cluster"} has more objects than ${PAGES_MAX} answers hold`);
}

function addedEvent({ resource, json }: { resource: string; json: string }): FeedEvent {
  const { metadata } = JSON.parse(json);
  return { type: "ADDED", revision: Number(metadata.resourceVersion), resource, name: metadata.name, json };
}

/** Runs `work` on all items, a few at a time (production allows six connections at once). */
export async function forEachBounded<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
  width = 6,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const run = async (): Promise<void> => {
    for (let step = iterator.next(); !step.done; step = iterator.next()) await work(step.value);
  };
  await Promise.all(Array.from({ length: width }, run));
}
