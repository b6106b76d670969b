import type { Subscription } from "../protocol.ts";
import type { SqlDatabase } from "../store/sql.ts";

type SubscriptionName = Pick<Subscription, "class" | "name">;

/** What a Timeline writes down: who subscribes, and, while it is quiet, up to where each home has been told. */
export class TimelineRecords {
  readonly #database: SqlDatabase;
  readonly #stale = new Set<string>();
  readonly #saved = new Map<string, number>();

  constructor(database: SqlDatabase) {
    this.#database = database;
    database.exec(
      `CREATE TABLE IF NOT EXISTS subscription (
        class TEXT NOT NULL, name TEXT NOT NULL, resources TEXT NOT NULL, stale INTEGER NOT NULL, PRIMARY KEY (class, name)
      ) WITHOUT ROWID`,
    );
    database.exec("CREATE TABLE IF NOT EXISTS home (name TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID");
    database.exec("CREATE TABLE IF NOT EXISTS busy (one INTEGER PRIMARY KEY CHECK (one = 1))");
    for (const { name, revision } of database.exec<{ name: string; revision: number }>("SELECT * FROM home")) {
      this.#saved.set(name, revision);
    }
  }

  /** Is set while something is under way: an instance that finds it so does not know how far that got. */
  get isBusy(): boolean {
    return [...this.#database.exec("SELECT 1 FROM busy")].length > 0;
  }

  setBusy(busy: boolean): void {
    this.#database.exec(busy ? "INSERT OR IGNORE INTO busy VALUES (1)" : "DELETE FROM busy");
  }

  homes(): Iterable<[string, number]> {
    return this.#saved;
  }

  /** Writes what has changed. */
  saveHomes(revisions: Iterable<[string, number]>): void {
    const current = new Map(revisions);
    this.#database.transaction(() => {
      for (const [home, revision] of current) {
        if (this.#saved.get(home) === revision) continue;
        this.#database.exec("INSERT OR REPLACE INTO home VALUES (?, ?)", home, revision);
        this.#saved.set(home, revision);
      }
      for (const home of [...this.#saved.keys()]) {
        if (current.has(home)) continue;
        this.#database.exec("DELETE FROM home WHERE name = ?", home);
        this.#saved.delete(home);
      }
    });
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
