import type { SourceChange } from "./source-change.ts";

const HOME_FEED = "durable-objects/home-feed.ts";
const VIEW = "durable-objects/store/view.ts";
const WATCH = "durable-objects/verbs/watch.ts";
const HISTORY_PAGES = "durable-objects/timeline/history-pages.ts";
const LISTS = "durable-objects/timeline/lists.ts";
const SUBSCRIBERS = "durable-objects/timeline/subscribers.ts";
const WATCHERS = "durable-objects/timeline/watchers.ts";

/** Whatever its value is, it becomes this one. */
const bound = (file: string, name: string, value: number): SourceChange => ({
  file,
  find: `const ${name} = `,
  replace: `const ${name} = ${value} ?? `,
});

/**
 * Bounds that a short run never reaches, made so small that it does: what lies beyond them is tried as well. Every other seed runs with
 * them. An object of the simulation is about 350 characters long.
 */
export const SMALL_BOUNDS: readonly SourceChange[] = [
  bound(HOME_FEED, "PART_EVENTS_MAX", 2),
  bound(HOME_FEED, "ANSWER_CHARS_MAX", 1_000),
  bound(HOME_FEED, "READ_ITEMS", 3),
  bound(VIEW, "ROWS_FIRST", 1),
  bound(VIEW, "ROWS_MAX", 2),
  bound("durable-objects/store/recent-changes.ts", "CHANGES_MAX", 4),
  bound("durable-objects/verbs/items.ts", "BODY_CHARS_MAX", 1_000),
  bound(WATCH, "UNREAD_BYTES_MAX", 2_000),
  bound(WATCH, "BOOKMARK_MILLISECONDS", 2_000),
  bound(HISTORY_PAGES, "PAGE_CHARS", 4_000),
  bound(HISTORY_PAGES, "HOME_CHARS_MIN", 700),
  bound("durable-objects/timeline/home-feeds.ts", "PARTS_WAITING_MAX", 1),
  bound("durable-objects/timeline/frontier.ts", "HELD_CHARS_MAX", 3_000),
  {
    file: "durable-objects/timeline/leases.ts",
    find: "return this.#usedSlots.size < SLOTS;",
    replace: "return this.#usedSlots.size < 3;",
  },
  bound(LISTS, "BODY_CHARS_MAX", 1_000),
  bound(LISTS, "PIECE_CHARS", 500),
  bound(LISTS, "AHEAD_CHARS_MAX", 1_000),
  bound("durable-objects/timeline/recent-events.ts", "EVENTS_MAX", 6),
  bound(SUBSCRIBERS, "DELIVERY_EVENTS_MAX", 2),
  bound(SUBSCRIBERS, "QUEUE_EVENTS_MAX", 12),
  bound("durable-objects/timeline/watch-stream.ts", "WAITING_BYTES_MAX", 2_000),
  bound(WATCHERS, "BOOKMARK_MILLISECONDS", 3_000),
  bound(WATCHERS, "WRITE_CHARS", 600),
  bound(WATCHERS, "READERS_MAX", 1),
  bound(WATCHERS, "AHEAD_CHARS_MAX", 1_000),
];
