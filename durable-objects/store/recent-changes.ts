import type { Change } from "./stored.ts";

const CHANGES_MAX = 512;
const CHARS_MAX = 1 << 20;

/**
 * The newest committed changes. Controllers, watchers and the Timeline nearly always ask for what has just happened: they
 * are told from here, parsed objects shared, without a look into the database.
 */
export class RecentChanges {
  readonly #changes: Change[] = [];
  #chars = 0;
  /** All after this revision is here. */
  #since: number;

  constructor(since: number) {
    this.#since = since;
  }

  add(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#changes.push(change);
      this.#chars += charsOf(change);
    }
    let forgotten = 0;
    while (this.#changes.length - forgotten > CHANGES_MAX || this.#chars > CHARS_MAX) {
      const oldest = this.#changes[forgotten++] as Change;
      this.#chars -= charsOf(oldest);
      this.#since = oldest.revision;
    }
    this.#changes.splice(0, forgotten);
  }

  /** The changes after a revision, oldest first; undefined where not all of them are here. */
  after(revision: number): readonly Change[] | undefined {
    return revision < this.#since ? undefined : changesAfter(this.#changes, revision);
  }
}

/** The tail of changes in order whose revisions are greater. */
export function changesAfter(changes: readonly Change[], revision: number): readonly Change[] {
  let start = changes.length;
  while (start > 0 && (changes[start - 1] as Change).revision > revision) start--;
  return start === 0 ? changes : changes.slice(start);
}

const charsOf = ({ stored, previous }: Change): number => stored.json.length + (previous?.json.length ?? 0);
