import { ApiError } from "../../api/status.ts";
import { NamespaceRecord } from "../namespace/namespace-record.ts";
import type { ImportPart, Unsealing } from "../protocol.ts";
import { importVersions, isUntouched } from "../store/import.ts";
import type { SqlDatabase } from "../store/sql.ts";

/** What is sealed answers this to whoever asks it for anything. */
export const beingRestored = (): ApiError =>
  new ApiError("ServiceUnavailable", "the cluster is being restored from a snapshot", { retryAfterSeconds: 1 });

/** How often a sealed home asks what has become of its restore: whoever fills it may have been lost. */
const ASK_MILLISECONDS = 30_000;

export interface SealedHomeOptions {
  database: SqlDatabase;
  /** Milliseconds since 1970. */
  now(): number;
  setAlarm(at: number): void;
  /** Removes all that the object has stored. */
  deleteAll(): Promise<void>;
  /** Whether the cluster's ClusterHome still knows of a restore. */
  isKnown(restore: string): Promise<boolean>;
}

const TABLE = "sealed";

/**
 * A namespace's home while it is restored. The first part of a snapshot seals it: durably, so that it stays sealed whatever ends. Then the
 * ClusterHome either has it unsealed, with all its objects, or discarded, with none.
 */
export class SealedHome {
  readonly #options: SealedHomeOptions;
  #restore: string | undefined;

  constructor(options: SealedHomeOptions) {
    this.#options = options;
    const { database } = options;
    for (const _ of database.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", TABLE)) {
      for (const { restore } of database.exec<{ restore: string }>(`SELECT restore FROM ${TABLE}`))
        this.#restore = restore;
    }
    if (this.#restore !== undefined) options.setAlarm(options.now() + ASK_MILLISECONDS);
  }

  get isSealed(): boolean {
    return this.#restore !== undefined;
  }

  /** The home has never held anything. */
  get isNew(): boolean {
    return this.#restore === undefined && isUntouched(this.#options.database);
  }

  /** Takes some of the home's objects, after which it is sealed. @throws where it holds anything that is not of this restore */
  take({ restore, revision, objects }: ImportPart): void {
    const { database, now, setAlarm } = this.#options;
    if (this.#restore === undefined && !this.isNew) throw new Error("a home that is in use cannot be restored");
    if (this.#restore !== undefined && this.#restore !== restore) {
      setAlarm(now());
      throw new Error("what is left of an earlier restore is being removed");
    }
    database.transaction(() => {
      if (this.#restore === undefined) {
        database.exec(`CREATE TABLE ${TABLE} (id INTEGER PRIMARY KEY, restore TEXT NOT NULL)`);
        database.exec(`INSERT INTO ${TABLE} (id, restore) VALUES (1, ?)`, restore);
      }
      importVersions(database, revision, objects);
    });
    if (this.#restore === undefined) setAlarm(now() + ASK_MILLISECONDS);
    this.#restore = restore;
  }

  /** The restore is decided: the home is what it was in the snapshot. Answers whether it was sealed until now. */
  unseal({ restore, state, uid }: Unsealing): boolean {
    if (this.#restore !== restore) return false;
    const { database, now, setAlarm } = this.#options;
    setAlarm(now()); // Its controllers look at everything.
    database.transaction(() => {
      new NamespaceRecord(database).set(state, uid);
      database.exec(`DROP TABLE ${TABLE}`);
    });
    this.#restore = undefined;
    return true;
  }

  async discard(restore: string): Promise<void> {
    if (this.#restore !== restore) return;
    await this.#options.deleteAll();
    this.#restore = undefined;
  }

  /** To be called where the alarm rings while the home is sealed. Never rejects. */
  async alarm(): Promise<void> {
    const restore = this.#restore;
    if (restore === undefined) return;
    const { isKnown, now, setAlarm } = this.#options;
    setAlarm(now() + ASK_MILLISECONDS);
    try {
      if (!(await isKnown(restore))) await this.discard(restore);
    } catch (error) {
      console.warn(`a sealed home asks again: ${String(error)}`);
    }
  }
}
