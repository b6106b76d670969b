import type { NamespaceState } from "../admission/namespace-lifecycle.ts";
import type { SqlDatabase } from "../store/sql.ts";

/** What a NamespaceHome knows of its Namespace object, which is the ClusterHome's. */
export class NamespaceRecord {
  readonly #database: SqlDatabase;
  #state: NamespaceState = "absent";
  #uid = "";

  constructor(database: SqlDatabase) {
    this.#database = database;
    database.exec(
      "CREATE TABLE IF NOT EXISTS namespace (id INTEGER PRIMARY KEY, state TEXT NOT NULL, uid TEXT NOT NULL)",
    );
    for (const row of database.exec<{ state: string; uid: string }>("SELECT state, uid FROM namespace")) {
      this.#state = row.state as NamespaceState;
      this.#uid = row.uid;
    }
  }

  get state(): NamespaceState {
    return this.#state;
  }

  get uid(): string {
    return this.#uid;
  }

  set(state: NamespaceState, uid: string): void {
    if (state === this.#state && uid === this.#uid) return;
    this.#database.exec(
      "INSERT INTO namespace (id, state, uid) VALUES (1, ?1, ?2) ON CONFLICT (id) DO UPDATE SET state = ?1, uid = ?2",
      state,
      uid,
    );
    this.#state = state;
    this.#uid = uid;
  }
}
