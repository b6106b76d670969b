import type { FeedEvent, HomeTimelineRpc } from "../protocol.ts";

type ChangesLimit = Parameters<HomeTimelineRpc["changesSince"]>[2];

/** How the Timeline reads homes: by namespace, "" is the ClusterHome. */
export interface HomeSource {
  changesSince(
    home: string,
    revision: number,
    resources: string[],
    limit?: ChangesLimit,
  ): ReturnType<HomeTimelineRpc["changesSince"]>;
  snapshot(home: string, resources: string[], from?: string, at?: number): ReturnType<HomeTimelineRpc["snapshot"]>;
}

/** Answers of a home to one question, at most: a history of so many changes is told anew instead. */
export const PAGES_MAX = 1_000;

/** All objects, a page at a time; `revision` is the one that all pages were read at. `at`: this one. */
export async function* readObjects(
  source: HomeSource,
  home: string,
  resources: string[],
  at?: number,
): AsyncGenerator<{ revision: number; objects: { resource: string; json: string }[] }> {
  let from: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const { revision, objects, next } = await source.snapshot(home, resources, from, at);
    yield { revision, objects };
    if (next === undefined) return;
    from = next;
  }
  throw new Error(`the home of ${home || "the cluster"} has more objects than ${PAGES_MAX} answers hold`);
}

export function addedEvent({ resource, json }: { resource: string; json: string }): FeedEvent {
  const { metadata } = JSON.parse(json);
  return { type: "ADDED", revision: Number(metadata.resourceVersion), resource, name: metadata.name, json };
}

/** Homes that are asked at the same time. */
export const HOMES_AT_ONCE = 16;

/** Runs `work` on all items, a few at a time. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
  width = HOMES_AT_ONCE,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const run = async (): Promise<void> => {
    for (let step = iterator.next(); !step.done; step = iterator.next()) await work(step.value);
  };
  await Promise.all(Array.from({ length: width }, run));
}
