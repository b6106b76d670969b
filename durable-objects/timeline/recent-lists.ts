import { revisionAt } from "../revision.ts";

/** Lists whose homes' revisions are remembered. A watch mostly follows its list at once. */
const LISTS_MAX = 256;
/**
 * How far the clocks of homes may lie apart, with the time a commit and its push take. A watch that does not start from a
 * remembered list starts so much earlier: it may repeat, but misses nothing.
 */
const SLACK_MILLISECONDS = 1_000;
const SLACK_REVISIONS = revisionAt(Date.UTC(2025, 0, 1) + SLACK_MILLISECONDS);

/**
 * Revisions of lists that cross namespaces, and where a watch from a revision has to start in each home. Each home is read at a
 * revision of its own, so that one number cannot say it exactly: those of recent lists are remembered. (The cut at one revision over all
 * homes, design section 5, replaces this file.)
 */
export class RecentLists {
  readonly #lists = new Map<number, ReadonlyMap<string, number>>();
  readonly #now: () => number;
  #last = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** At or below every commit that is still to come. */
  safeRevision(): number {
    return revisionAt(this.#now() - SLACK_MILLISECONDS);
  }

  /** The revision of a list that was begun at `begun` (see `safeRevision`), its homes having been read where `homes` says. */
  add(begun: number, homes: ReadonlyMap<string, number>): number {
    const revision = Math.max(begun, this.#last + 1);
    this.#last = revision;
    this.#lists.set(revision, homes);
    if (this.#lists.size > LISTS_MAX) this.#lists.delete(this.#lists.keys().next().value!);
    return revision;
  }

  /** Where to start in a home, for a watch from this revision. */
  startOf(revision: number): (home: string) => number {
    const homes = this.#lists.get(revision);
    const earlier = Math.max(0, revision - SLACK_REVISIONS);
    return (home) => homes?.get(home) ?? earlier;
  }
}
