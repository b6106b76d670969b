import type { SqlDatabase } from "./sql.ts";
import { type Change, Stored } from "./stored.ts";
import type { NamedText, Page } from "./transaction.ts";

type ChangeRow = {
  revision: number;
  resource: string;
  name: string;
  json: string;
  previous: number;
  deleted: number;
  previous_json: string | null;
};

/** Changes after a revision in the order they were made. The caller has checked that nothing after it was compacted. */
export function readChanges(
  database: SqlDatabase,
  after: number,
  { limit, resources }: { limit: number; resources?: readonly string[] },
): Change[] {
  const filter = resources ? "AND h.resource IN (SELECT value FROM json_each(?3))" : "AND ?3 IS NULL";
  const rows = database.exec<ChangeRow>(
    `SELECT h.revision, h.resource, h.name, h.json, h.previous, h.deleted, p.json AS previous_json
     FROM history h LEFT JOIN history p ON p.revision = h.previous
     WHERE h.revision > ?1 ${filter} ORDER BY h.revision LIMIT ?2`,
    after,
    limit,
    resources ? JSON.stringify(resources) : null,
  );
  return Array.from(rows, (row) => ({
    type: row.deleted ? "DELETED" : row.previous ? "MODIFIED" : "ADDED",
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

/** One page of a resource as it was at a revision that is not compacted, and how many objects follow the page. */
export function listAt(
  database: SqlDatabase,
  resource: string,
  revision: number,
  { after = "", limit = Number.MAX_SAFE_INTEGER }: Page,
): { texts: NamedText[]; remaining: number } {
  // What changed since: the version before the first change, 0 where the object did not exist then.
  const changed = new Map<string, number>();
  for (const row of database.exec<{ name: string; previous: number; first: number }>(
    `SELECT name, previous, MIN(revision) AS first FROM history
     WHERE revision > ? AND resource = ? AND name > ? GROUP BY name`,
    revision,
    resource,
    after,
  )) {
    changed.set(row.name, row.previous);
  }
  const versions: { name: string; revision: number }[] = [];
  for (const row of database.exec<{ name: string; revision: number }>(
    "SELECT name, revision FROM objects WHERE resource = ? AND name > ?",
    resource,
    after,
  )) {
    if (!changed.has(row.name)) versions.push(row);
  }
  for (const [name, previous] of changed) if (previous > 0) versions.push({ name, revision: previous });
  versions.sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = versions.slice(0, limit);
  return {
    texts: page.map((version) => textOf(database, version.revision)),
    remaining: versions.length - page.length,
  };
}

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
