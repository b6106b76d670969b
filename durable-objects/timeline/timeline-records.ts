import type { Subscription } from "../protocol.ts";
import type { SqlDatabase } from "../store/sql.ts";

type SubscriptionName = Pick<Subscription, "class" | "name">;

/** What the Timeline has lent to a home, as it is written down. */
export interface LeaseRow {
  /** The namespace; empty for the ClusterHome. */
  home: string;
  slot: number;
  number: number;
}

/**
 * What a Timeline writes down: who subscribes, who holds a lease, a revision that is above everything it has let out, and whether
 * something is under way. Each is one row; none is written for an event.
 */
export class TimelineRecords {
  readonly #database: SqlDatabase;
  readonly #stale = new Set<string>();

  constructor(database: SqlDatabase) {
    this.#database = database;
    database.exec(
      `CREATE TABLE IF NOT EXISTS subscription (
        class TEXT NOT NULL, name TEXT NOT NULL, resources TEXT NOT NULL, stale INTEGER NOT NULL, PRIMARY KEY (class, name)
      ) WITHOUT ROWID`,
    );
    database.exec(
      "CREATE TABLE IF NOT EXISTS lease (home TEXT PRIMARY KEY, slot INTEGER NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID",
    );
    database.exec("CREATE TABLE IF NOT EXISTS mark (one INTEGER PRIMARY KEY CHECK (one = 1), high INTEGER NOT NULL)");
    database.exec("CREATE TABLE IF NOT EXISTS busy (one INTEGER PRIMARY KEY CHECK (one = 1))");
  }

  /** Is set while something is under way: an instance that finds it so does not know how far that got. */
  get isBusy(): boolean {
    return [...this.#database.exec("SELECT 1 FROM busy")].length > 0;
  }

  setBusy(busy: boolean): void {
    this.#database.exec(busy ? "INSERT OR IGNORE INTO busy VALUES (1)" : "DELETE FROM busy");
  }

  /** At or above every revision that any instance has let out. */
  get high(): number {
    for (const { high } of this.#database.exec<{ high: number }>("SELECT high FROM mark")) return high;
    return 0;
  }

  setHigh(revision: number): void {
    this.#database.exec("INSERT OR REPLACE INTO mark VALUES (1, ?)", revision);
  }

  leases(): LeaseRow[] {
    return [...this.#database.exec("SELECT home, slot, number FROM lease")] as unknown as LeaseRow[];
  }

  saveLease({ home, slot, number }: LeaseRow): void {
    this.#database.exec("INSERT OR REPLACE INTO lease VALUES (?, ?, ?)", home, slot, number);
  }

  deleteLease(home: string): void {
    this.#database.exec("DELETE FROM lease WHERE home = ?", home);
  }

  subscriptions(): { subscription: Subscription; stale: boolean }[] {
    const rows = this.#database.exec<{ class: Subscription["class"]; name: string; resources: string; stale: number }>(
      "SELECT * FROM subscription",
    );
    return [...rows].map(({ resources, stale, ...who }) => {
      if (stale) this.#stale.add(keyOf(who));
      return { subscription: { ...who, resources: JSON.parse(resources) }, stale: stale === 1 };
    });
  }

  hasSubscription({ class: kind, name }: SubscriptionName): boolean {
    return [...this.#database.exec("SELECT 1 FROM subscription WHERE class = ? AND name = ?", kind, name)].length > 0;
  }

  /** A new subscription has yet to be told everything. */
  saveSubscription(subscription: Subscription): void {
    const { class: kind, name, resources } = subscription;
    this.#stale.add(keyOf(subscription));
    this.#database.exec(
      "INSERT OR REPLACE INTO subscription VALUES (?, ?, ?, 1)",
      kind,
      name,
      JSON.stringify(resources),
    );
  }

  deleteSubscription(subscription: SubscriptionName): void {
    this.#stale.delete(keyOf(subscription));
    this.#database.exec("DELETE FROM subscription WHERE class = ? AND name = ?", subscription.class, subscription.name);
  }

  setStale(subscription: SubscriptionName, stale: boolean): void {
    const key = keyOf(subscription);
    if (this.#stale.has(key) === stale) return;
    if (stale) this.#stale.add(key);
    else this.#stale.delete(key);
    const { class: kind, name } = subscription;
    this.#database.exec("UPDATE subscription SET stale = ? WHERE class = ? AND name = ?", stale ? 1 : 0, kind, name);
  }
}

const keyOf = ({ class: kind, name }: SubscriptionName): string => `${kind}/${name}`;
