import type { SqlDatabase } from "./sql.ts";
import { type Change, Stored } from "./stored.ts";
import type { NamedText } from "./transaction.ts";

type ChangeRow = {
  revision: number;
  resource: string;
  name: string;
  json: string;
  previous: number;
  deleted: number;
  previous_json: string | null;
};

/** Changes after a revision, and up to another, in the order they were made. The caller has checked that nothing after it was compacted. */
export function readChanges(
  database: SqlDatabase,
  after: number,
  { limit, resources, upTo = Number.MAX_SAFE_INTEGER }: { limit: number; resources?: readonly string[]; upTo?: number },
): Change[] {
  const filter = resources ? "AND h.resource IN (SELECT value FROM json_each(?3))" : "AND ?3 IS NULL";
  const rows = database.exec<ChangeRow>(
    `SELECT h.revision, h.resource, h.name, h.json, h.previous, h.deleted, p.json AS previous_json
     FROM history h LEFT JOIN history p ON p.revision = h.previous
     WHERE h.revision > ?1 AND h.revision <= ?4 ${filter} ORDER BY h.revision LIMIT ?2`,
    after,
    limit,
    resources ? JSON.stringify(resources) : null,
    upTo,
  );
  return Array.from(rows, (row) => ({
    type: typeOf(row),
    revision: row.revision,
    stored: new Stored(row.resource, row.name, row.revision, row.json),
    previous:
      row.previous_json === null ? undefined : new Stored(row.resource, row.name, row.previous, row.previous_json),
  }));
}

/** An object as it was at a revision that is not compacted. */
export function readAt(database: SqlDatabase, resource: string, name: string, revision: number): NamedText | undefined {
  let at = first<{ revision: number }>(
    database.exec("SELECT revision FROM objects WHERE resource = ? AND name = ?", resource, name),
  )?.revision;
  if (at === undefined || at > revision) {
    // The first change after `revision` says what it replaced.
    at = first<{ previous: number }>(
      database.exec(
        "SELECT previous FROM history WHERE revision > ? AND resource = ? AND name = ? ORDER BY revision LIMIT 1",
        revision,
        resource,
        name,
      ),
    )?.previous;
  }
  return at ? textOf(database, at) : undefined;
}

/** One version of an object as history has it. */
export interface Version {
  revision: number;
  type: Change["type"];
  /** The name of the user who wrote it; empty where that is not known. */
  author: string;
  /** The object; of a deletion, its last state. */
  json: string;
  /** The version that it replaced or removed; 0: none. */
  previousRevision: number;
}

/** The versions of an object before a revision, the newest first, as far back as history has them. `after`: where it surely begins. */
export function readVersions(
  database: SqlDatabase,
  resource: string,
  name: string,
  { limit, before, after }: { limit: number; before: number; after: number },
): Version[] {
  const versions: Version[] = [];
  const current = database.exec<{ revision: number }>(
    "SELECT revision FROM objects WHERE resource = ? AND name = ? AND revision < ?",
    resource,
    name,
    before,
  );
  // A page before: its last version names the next.
  const replaced = database.exec<{ revision: number }>(
    "SELECT previous AS revision FROM history WHERE revision = ? AND resource = ? AND name = ?",
    before,
    resource,
    name,
  );
  let at = first(current)?.revision ?? first(replaced)?.revision;
  for (let next = before; versions.length < limit; ) {
    // Nothing names what was removed: it has to be looked for.
    at ||= first<{ revision: number }>(
      database.exec(
        "SELECT revision FROM history WHERE revision > ? AND revision < ? AND resource = ? AND name = ? ORDER BY revision DESC LIMIT 1",
        after,
        next,
        resource,
        name,
      ),
    )?.revision;
    const row = at && first<VersionRow>(database.exec(`${VERSION} WHERE revision = ?`, at));
    if (!row) break;
    const { revision, previous, author, json } = row;
    versions.push({ revision, type: typeOf(row), author, json, previousRevision: previous });
    next = revision;
    at = previous;
  }
  return versions;
}

const VERSION = "SELECT revision, previous, deleted, author, json FROM history";

type VersionRow = { revision: number; previous: number; deleted: number; author: string; json: string };

const typeOf = ({ deleted, previous }: Pick<ChangeRow, "deleted" | "previous">): Change["type"] =>
  deleted ? "DELETED" : previous ? "MODIFIED" : "ADDED";

function textOf(database: SqlDatabase, revision: number): NamedText {
  const row = first<{ name: string; json: string }>(
    database.exec("SELECT name, json FROM history WHERE revision = ?", revision),
  );
  if (!row) throw new Error(`version ${revision} is missing from history`);
  return { name: row.name, revision, json: row.json };
}

function first<Row>(rows: Iterable<Row>): Row | undefined {
  for (const row of rows) return row;
  return undefined;
}
