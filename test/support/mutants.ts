import type { SourceChange } from "./source-change.ts";

/** A known way to break the product. */
export interface Mutant extends SourceChange {
  name: string;
  /** What goes wrong. */
  why: string;
}

const HOME_LEASE = "durable-objects/home-lease.ts";
const LEASES = "durable-objects/timeline/leases.ts";
const HOME_FEEDS = "durable-objects/timeline/home-feeds.ts";
const HOME_ASKS = "durable-objects/timeline/home-asks.ts";
const WATCHERS = "durable-objects/timeline/watchers.ts";
const TIMELINE = "durable-objects/timeline/cluster-timeline.ts";
const CUTS = "durable-objects/timeline/cuts.ts";

/** Each is noticed by the simulation within a few seeds (test/simulation/mutants.test.ts). */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "no-floor",
    file: HOME_LEASE,
    find: "    this.raiseFloor(lease.floor);\n",
    replace: "",
    why: "a home that opens commits below what was announced",
  },
  {
    name: "promise-not-kept",
    file: HOME_LEASE,
    find: "nextRevision(Math.max(last, this.#floor), ",
    replace: "nextRevision(last, ",
    why: "a home that has promised commits below its promise",
  },
  {
    name: "high-mark-not-written",
    file: LEASES,
    find: "      this.#records.setHigh(this.#high);\n",
    replace: "",
    why: "the next instance of the Timeline lends below what this one has announced",
  },
  {
    name: "frontier-ignores-a-home",
    file: HOME_FEEDS,
    find: "for (const { told } of this.#feeds.values())",
    replace: "for (const { told } of [...this.#feeds.values()].slice(1))",
    why: "the frontier passes events that one home has yet to tell of",
  },
  {
    name: "no-gap-check",
    file: HOME_FEEDS,
    find: "    if (continues > told) return false;\n",
    replace: "",
    why: "what lies between two pushes is never read",
  },
  {
    name: "told-by-floor",
    file: HOME_FEEDS,
    find: "    this.#raise(feed, feed.told!);\n",
    replace: "    this.#raise(feed, announced);\n",
    why: "what a home has yet to tell counts as told when it opens",
  },
  {
    name: "slot-lent-twice",
    file: LEASES,
    find: "const slot = this.#open.get(home)?.slot ?? this.#freeSlot();",
    replace: "const slot = 0;",
    why: "two homes make the same revision",
  },
  {
    name: "list-without-asking",
    file: CUTS,
    find: "        revision = Math.max(revision, promised.revision);\n",
    replace: "",
    why: "a list lacks what a home whose clock is ahead has acknowledged",
  },
  {
    name: "lease-not-durable",
    file: LEASES,
    find: "    this.#records.saveLease({ home, slot, number: lent.number });\n",
    replace: "",
    why: "the next instance of the Timeline does not wait for homes that are open",
  },
  {
    name: "live-too-early",
    file: WATCHERS,
    find: "watcher.position >= Math.max(completeFrom, recent.from)",
    replace: "watcher.position >= 0",
    why: "a watch from before what is at hand never gets what lies between",
  },
  {
    name: "crash-forgotten",
    file: TIMELINE,
    find: "this.#add(subscription, !stale && !this.#isBusy)",
    replace: "this.#add(subscription, !stale)",
    why: "what was not delivered when the Timeline was lost is never delivered",
  },
  {
    name: "gone-without-reading",
    file: HOME_FEEDS,
    find: "    else if (feed.told < revision || feed.reading) this.#mustRead(home, feed);\n    this.#forget",
    replace: "    this.#forget",
    why: "what a home committed and did not tell before it was lost is never told",
  },
  {
    name: "read-without-floor",
    file: "durable-objects/home.ts",
    find: "    this.lease.raiseFloor(request.revision);\n",
    replace: "",
    why: "a home commits below a list that has read it",
  },
  {
    name: "compaction-under-a-reader",
    file: "durable-objects/store/store.ts",
    find: "    return revision >= this.compacted;",
    replace: "    return revision >= 0;",
    why: "a list or a watch lacks what was compacted, before or while it is read",
  },
  {
    name: "old-promise-taken",
    file: HOME_ASKS,
    find: "    if (asked === 0 || leases.get(home)?.number !== asked) return;\n",
    replace: "    if (asked === 0 || !leases.get(home)) return;\n",
    why: "an answer that comes late ends the lease of an instance that lives",
  },
  {
    name: "dead-close-accepted",
    file: TIMELINE,
    find: "    if (this.#leases.get(home)?.number !== lease) return;\n",
    replace: "",
    why: "the close of an earlier lease ends that of an instance that lives",
  },
  {
    name: "expired-is-read",
    file: "durable-objects/store/store.ts",
    find: "    return revision >= this.compacted;\n",
    replace: "    return true;\n",
    why: "what is left of a compacted past is taken for all of it",
  },
  {
    name: "bookmark-too-early",
    file: WATCHERS,
    find: "    if (!watcher.isLive) return;\n",
    replace: "",
    why: "a bookmark claims what a slow reader has not been sent",
  },
  {
    name: "interest-not-learned",
    file: "durable-objects/timeline/interests.ts",
    find: " || !this.isLearned(watched.version)",
    replace: "",
    why: "a watch is live before every home knows that it has to tell",
  },
  {
    name: "page-beyond-another",
    file: "durable-objects/timeline/history-pages.ts",
    find: "      if (answer.more) end = Math.min(end, answer.upTo);\n",
    replace: "",
    why: "a page of merged histories goes on where one home has not told all",
  },
];
