import type { SqlDatabase } from "./sql.ts";

export interface Retention {
  /** Versions replaced no longer ago than this are kept … */
  ageMilliseconds: number;
  /** … unless more changes than this lie behind the newest one. */
  changesMax: number;
  /** Changes that are given up together: the step in which the compacted revision moves. */
  step: number;
}

export const RETENTION: Retention = { ageMilliseconds: 60 * 60_000, changesMax: 50_000, step: 1024 };

/** Rows deleted after one commit at most, so that no commit waits long for it. */
const DELETES_PER_COMMIT = 256;
/** A reader under way is waited for so long: one that never ends must not keep history for ever. */
const HOLD_MILLISECONDS_MAX = 60_000;
/** Unused row writes that are kept for later. */
const BUDGET_MAX = 4 * 1024;

type MarkRow = { compacted: number; done: number };
type HistoryRow = { revision: number; previous: number; deleted: number };

/**
 * Gives up old versions: history's row r makes the row of the version that it replaced superfluous. Row writes are billed: a change
 * writes two, so compaction may write one a change, the moving of its own mark included.
 */
export class Compaction {
  readonly #database: SqlDatabase;
  readonly #retention: Retention;
  readonly #timeOf: (revision: number) => number;
  /** Reads and watches from before it are refused; what lies before it may be deleted. Durable before anything is. */
  #compacted = 0;
  /** Up to where the deleting has got. */
  #done = 0;
  /** Changes after `#compacted`. */
  #behind = 0;
  #budget = 0;
  /** The revision that the mark moves to next, once it is known. */
  #next = 0;
  /** Readers under way. */
  readonly #holds = new Set<{ revision: number; until: number }>();

  constructor(database: SqlDatabase, retention: Retention, timeOf: (revision: number) => number) {
    this.#database = database;
    this.#retention = retention;
    this.#timeOf = timeOf;
    for (const row of database.exec<MarkRow>("SELECT compacted, done FROM compaction")) {
      this.#compacted = row.compacted;
      this.#done = row.done;
    }
    for (const { n } of database.exec<{ n: number }>(
      "SELECT COUNT(*) AS n FROM (SELECT 1 FROM history WHERE revision > ? LIMIT ?)",
      this.#compacted,
      retention.changesMax,
    )) {
      this.#behind = n;
    }
  }

  get compacted(): number {
    return this.#compacted;
  }

  /** Called inside the transaction that made these many changes. */
  afterChanges(changes: number, now: number): void {
    this.#behind += changes;
    this.#budget = Math.min(this.#budget + changes, BUDGET_MAX);
    if (this.#done === this.#compacted) this.#advance(now);
    if (this.#done < this.#compacted) this.#delete();
  }

  /** The mark does not pass a revision that is being read, for a bounded time. @returns what ends that */
  hold(revision: number, now: number): () => void {
    const hold = { revision, until: now + HOLD_MILLISECONDS_MAX };
    this.#holds.add(hold);
    return () => void this.#holds.delete(hold);
  }

  #isHeld(next: number, now: number): boolean {
    for (const { revision, until } of this.#holds) if (revision < next && now < until) return true;
    return false;
  }

  #advance(now: number): void {
    const { step, changesMax, ageMilliseconds } = this.#retention;
    if (this.#behind <= step || this.#budget < 1) return;
    if (this.#next === 0) this.#next = this.#revisionAfter(step);
    const next = this.#next;
    const tooOld = now - this.#timeOf(next) > ageMilliseconds;
    if (!tooOld && this.#behind - step < changesMax) return;
    if (this.#isHeld(next, now)) return;
    this.#database.exec(
      "INSERT INTO compaction (id, compacted, done) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET compacted = excluded.compacted, done = excluded.done",
      next,
      this.#done,
    );
    this.#budget -= 1;
    this.#compacted = next;
    this.#next = 0;
    this.#behind -= step;
  }

  #revisionAfter(changes: number): number {
    for (const { revision } of this.#database.exec<{ revision: number }>(
      "SELECT revision FROM history WHERE revision > ? ORDER BY revision LIMIT 1 OFFSET ?",
      this.#compacted,
      changes - 1,
    )) {
      return revision;
    }
    throw new Error(`fewer than ${changes} changes after ${this.#compacted}`);
  }

  #delete(): void {
    const rows = [
      ...this.#database.exec<HistoryRow>(
        "SELECT revision, previous, deleted FROM history WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?",
        this.#done,
        this.#compacted,
        DELETES_PER_COMMIT,
      ),
    ];
    let deletes = 0;
    for (const row of rows) {
      if (deletes + 2 > Math.min(this.#budget, DELETES_PER_COMMIT)) break;
      // The newest row of all lies behind the mark and stays: the clock starts from it, also in an emptied home.
      for (const gone of [row.previous, row.deleted ? row.revision : 0]) {
        if (gone === 0) continue;
        this.#database.exec("DELETE FROM history WHERE revision = ?", gone);
        deletes++;
      }
      this.#done = row.revision;
    }
    this.#budget -= deletes;
    if (rows.length === 0) this.#done = this.#compacted;
  }
}
