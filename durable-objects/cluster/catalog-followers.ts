import type { CatalogFollowerRpc } from "../protocol.ts";
import type { SqlDatabase } from "../store/sql.ts";
import { forEachBounded } from "../timeline/home-source.ts";

/** A change is answered after so long at the latest: who has not been reached by then is told later. */
const TELL_MILLISECONDS_MAX = 2_000;
const FOLLOWERS_AT_ONCE = 32;
/** Followers that could not be reached are told again: the delay doubles from the first to the last. */
const RETRY_FIRST_MILLISECONDS = 200;
const RETRY_LAST_MILLISECONDS = 60_000;

export interface CatalogFollowersOptions {
  database: SqlDatabase;
  followerOf(name: string): CatalogFollowerRpc;
  catalog: { readonly revision: number; readonly text: string };
  later(milliseconds: number, work: () => void): void;
  /** Has the alarm ring before long, whatever becomes of this instance. */
  guard(): void;
}

/**
 * Who knows the catalog and has to be told when it changes. Each is told once, and forgotten until it asks again. Durable: who followed an
 * instance that was lost is told by the next one, where what was told last is not what is so.
 */
export class CatalogFollowers {
  readonly #options: CatalogFollowersOptions;
  readonly #names = new Set<string>();
  /** Those that have asked while others were being told: what they know is fresh. */
  #asked = new Set<string>();
  #telling: Promise<void> | undefined;
  #isStale = false;
  #failures = 0;
  #isAwake = false;

  constructor(options: CatalogFollowersOptions) {
    this.#options = options;
    const { database } = options;
    database.exec("CREATE TABLE IF NOT EXISTS catalog_followers (name TEXT PRIMARY KEY) WITHOUT ROWID");
    database.exec("CREATE TABLE IF NOT EXISTS catalog_told (id INTEGER PRIMARY KEY, digest TEXT NOT NULL)");
    for (const { name } of database.exec<{ name: string }>("SELECT name FROM catalog_followers")) this.#names.add(name);
  }

  /** Somebody does not know yet what has changed. */
  get isBehind(): boolean {
    return this.#isStale || this.#telling !== undefined || this.#failures > 0;
  }

  /** It is being told what the catalog is: noted before it hears that. */
  add(name: string): void {
    this.#asked.add(name);
    if (this.#names.has(name)) return;
    this.#options.database.exec("INSERT OR IGNORE INTO catalog_followers (name) VALUES (?)", name);
    this.#names.add(name);
    // The first one ever: what it is told is what all know.
    if (!this.isBehind && !this.#hasTold()) this.#remember(this.#options.catalog.text);
  }

  /** Takes up, once, what an earlier instance did not get to tell. */
  wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    if (this.#names.size === 0) return;
    const { database, catalog } = this.#options;
    for (const { digest } of database.exec<{ digest: string }>("SELECT digest FROM catalog_told"))
      if (digest === digestOf(catalog.text)) return;
    this.changed();
  }

  changed(): void {
    this.#isAwake = true;
    this.#isStale = true;
    if (this.#names.size > 0) this.#options.guard();
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined;
    });
  }

  /** Resolves when all followers know that the catalog has changed, or it is not worth waiting for them any longer. */
  told(): Promise<void> | undefined {
    if (!this.#telling) return undefined;
    const telling = this.#telling;
    return new Promise((resolve) => {
      this.#options.later(TELL_MILLISECONDS_MAX, resolve);
      void telling.then(resolve);
    });
  }

  /** Until nothing has changed while they were told. */
  async #tell(): Promise<void> {
    const { catalog, later } = this.#options;
    while (this.#isStale) {
      this.#isStale = false;
      this.#asked = new Set();
      const { revision, text } = catalog;
      await forEachBounded([...this.#names], (name) => this.#tellOne(name, revision), FOLLOWERS_AT_ONCE);
      const unreached = [...this.#names].some((name) => !this.#asked.has(name));
      if (unreached && !this.#isStale) {
        const delay = RETRY_FIRST_MILLISECONDS * 2 ** Math.min(this.#failures++, 30);
        later(Math.min(delay, RETRY_LAST_MILLISECONDS), () => this.changed());
        return;
      }
      if (unreached) continue;
      this.#failures = 0;
      if (this.#hasTold()) this.#remember(text);
    }
  }

  async #tellOne(name: string, revision: number): Promise<void> {
    try {
      await this.#options.followerOf(name).catalogChanged(revision);
    } catch (error) {
      console.warn(`${name} could not be told that the catalog has changed: ${String(error)}`);
      return;
    }
    if (this.#asked.has(name)) return;
    this.#options.database.exec("DELETE FROM catalog_followers WHERE name = ?", name);
    this.#names.delete(name);
  }

  /** Whoever follows knows that the catalog is this, or has to ask. */
  #remember(text: string): void {
    this.#options.database.exec(
      "INSERT INTO catalog_told (id, digest) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET digest = excluded.digest",
      digestOf(text),
    );
  }

  #hasTold(): boolean {
    for (const _ of this.#options.database.exec("SELECT 1 FROM catalog_told")) return true;
    return false;
  }
}

/** FNV-1a over the text but for `since`, which is each instance's own; 52 bits are plenty to notice a change. */
function digestOf(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x01234567;
  const plain = text.replace(/"since":\d+/g, "");
  for (let i = 0; i < plain.length; i++) {
    const code = plain.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ (code + i), 0x01000193);
  }
  return `${(low >>> 0).toString(16)}${(high >>> 0).toString(16)}`;
}
