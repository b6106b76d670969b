import type { NamespaceState } from "../admission/namespace-lifecycle.ts";
import type { SqlDatabase } from "../store/sql.ts";

const LACKS_FLOOR =
  "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'namespace' AND instr(sql, 'floor') = 0";

/** What a NamespaceHome knows of its Namespace object, which is the ClusterHome's. */
export class NamespaceRecord {
  readonly #database: SqlDatabase;
  #state: NamespaceState = "absent";
  #uid = "";
  #floor = 0;

  constructor(database: SqlDatabase) {
    this.#database = database;
    database.exec(
      `CREATE TABLE IF NOT EXISTS namespace (id INTEGER PRIMARY KEY, state TEXT NOT NULL, uid TEXT NOT NULL,
        floor INTEGER NOT NULL DEFAULT 0)`,
    );
    for (const _ of [...database.exec(LACKS_FLOOR)])
      database.exec("ALTER TABLE namespace ADD COLUMN floor INTEGER NOT NULL DEFAULT 0");
    type Row = { state: string; uid: string; floor: number };
    for (const row of database.exec<Row>("SELECT state, uid, floor FROM namespace")) {
      this.#state = row.state as NamespaceState;
      this.#uid = row.uid;
      this.#floor = row.floor;
    }
  }

  get state(): NamespaceState {
    return this.#state;
  }

  get uid(): string {
    return this.#uid;
  }

  /** The revision of the ClusterHome that came with the news: whoever sees an object here sees the namespace that it is in. */
  get floor(): number {
    return this.#floor;
  }

  set(state: NamespaceState, uid: string, floor = this.#floor): void {
    if (state === this.#state && uid === this.#uid) return;
    this.#database.exec(
      "INSERT INTO namespace (id, state, uid, floor) VALUES (1, ?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET state = ?1, uid = ?2, floor = ?3",
      state,
      uid,
      floor,
    );
    this.#state = state;
    this.#uid = uid;
    this.#floor = floor;
  }
}
