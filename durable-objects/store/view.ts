import type { SqlDatabase, SqlValue } from "./sql.ts";
import type { NamedText, Page } from "./transaction.ts";

/** Texts of a list, as they are sent. */
export interface Piece {
  /** UTF-8: the texts, and the commas between them and the piece before. */
  bytes: Uint8Array<ArrayBuffer>;
  count: number;
  /** The last one's name. */
  last: string;
}

/** Rows that are read at a time before it is known how large they are, and at most. */
const ROWS_FIRST = 16;
const ROWS_MAX = 1024;
/** What is read at a time, about: memory held for one reader, and well below the 2 MB that a value of a Durable Object's SQLite may have. */
const READ_CHARS = 512 << 10;

/** The versions that are current and not newer than the revision. */
const CURRENT = "SELECT name, revision FROM objects WHERE resource = ?1 AND name > ?2 AND revision <= ?3";
/** In place of newer ones what history says they replaced (?5: a JSON object, name to revision): SQLite merges the two in the order of names, row by row. */
const MERGED = `${CURRENT} UNION ALL SELECT key, value FROM json_each(?5)`;
/** SQLite plans a statement anew for every other LIMIT that is bound to it, unless it stands in an expression. */
const textsOf = (versions: string): string =>
  `(${versions} ORDER BY 1 LIMIT +?4) v CROSS JOIN history h ON h.revision = v.revision`;
const TEXTS = `SELECT v.name, v.revision, h.json FROM ${textsOf(MERGED)}`;
/** ?6: whether there is something before it, which a comma has to follow. */
const pieceOf = (
  versions: string,
): string => `SELECT CAST(group_concat(json, ',') AS BLOB) AS bytes, COUNT(name) AS count, MAX(name) AS last
  FROM (SELECT NULL AS name, '' AS json WHERE ?6 UNION ALL SELECT v.name, h.json FROM ${textsOf(versions)})`;
const PIECE = pieceOf(MERGED);
/** Where nothing was replaced, as mostly. */
const CURRENT_PIECE = pieceOf(CURRENT);

/** How much to read at a time, learnt from what was read: objects of 2 KB by the hundred, those of 1 MB one by one. */
export class ReadSize {
  rows = ROWS_FIRST;

  took(rows: number, chars: number): void {
    const fitting = Math.floor((READ_CHARS * rows) / Math.max(chars, 1));
    this.rows = Math.max(1, Math.min(fitting, this.rows * 2, ROWS_MAX));
  }

  /** It was too much for SQLite. */
  halve(): void {
    this.rows >>= 1;
  }
}

type TextRow = { name: string; revision: number; json: string };

export interface ViewOptions {
  database: SqlDatabase;
  resource: string;
  /** Nothing at or below it is written any more. */
  revision: number;
  /** Of the store's last commit, at any time. */
  newest(): number;
  /** @throws where history does not reach back to the revision any more. */
  assertReachable(): void;
}

/**
 * The objects of one resource as they were at one revision, read bit by bit while others write: a read costs what it reads and
 * what was changed since, which is looked up once.
 */
export class View {
  readonly revision: number;
  readonly #options: ViewOptions;
  /** What was changed after the revision, and the version that it replaced: by name, 0 where there was none. */
  readonly #replaced = new Map<string, number>();
  /** The names among them that there were at the revision, in order. */
  #names: string[] = [];
  /** Up to where the changes are known. */
  #known: number;
  readonly #size = new ReadSize();

  constructor(options: ViewOptions) {
    this.#options = options;
    this.revision = options.revision;
    this.#known = options.revision;
  }

  /** By name, from the one after `after`. */
  texts({ after = "", limit = Number.MAX_SAFE_INTEGER }: Page): NamedText[] {
    return [...this.#options.database.exec<TextRow>(TEXTS, ...this.#bindings(after, limit))];
  }

  /** As `texts`, so many at a time that they stay small together. */
  *pages({ after = "", limit = Number.MAX_SAFE_INTEGER }: Page): Generator<NamedText[], void> {
    for (let left = limit; left > 0; ) {
      const rows = Math.min(this.#size.rows, left);
      const texts = this.texts({ after, limit: rows });
      if (texts.length > 0) yield texts;
      if (texts.length < rows) return;
      left -= rows;
      after = texts.at(-1)!.name;
      this.#size.took(
        rows,
        texts.reduce((chars, { json }) => chars + json.length, 0),
      );
    }
  }

  /** All texts as bytes, in pieces of bounded size: what is only passed on never becomes a string. */
  *pieces({ after = "", limit = Number.MAX_SAFE_INTEGER }: Page): Generator<Piece, void> {
    for (let left = limit; left > 0; ) {
      const rows = Math.min(this.#size.rows, left);
      const bindings = [...this.#bindings(after, rows), left < limit ? 1 : 0];
      let piece: Piece;
      try {
        piece = this.#piece(bindings);
      } catch (error) {
        // Most likely more than SQLite takes for one value.
        if (rows === 1) throw error;
        this.#size.halve();
        continue;
      }
      this.#size.took(rows, piece.bytes.length); // Before it is given away, and its memory with it.
      if (piece.count > 0) yield piece;
      if (piece.count < rows) return;
      left -= rows;
      after = piece.last;
    }
  }

  #piece(bindings: SqlValue[]): Piece {
    type PieceRow = { bytes: ArrayBuffer | null; count: number; last: string };
    const query = this.#names.length > 0 ? PIECE : CURRENT_PIECE;
    for (const { bytes, count, last } of this.#options.database.exec<PieceRow>(query, ...bindings)) {
      return { bytes: bytes === null ? new Uint8Array() : new Uint8Array(bytes), count, last };
    }
    return { bytes: new Uint8Array(0), count: 0, last: "" }; // There are no tables yet.
  }

  /** How many objects follow a name. */
  count(after: string): number {
    this.#catchUp();
    let count = this.#names.length - this.#indexAfter(after);
    for (const { n } of this.#options.database.exec<{ n: number }>(
      "SELECT COUNT(*) AS n FROM objects WHERE resource = ? AND name > ? AND revision <= ?",
      this.#options.resource,
      after,
      this.revision,
    )) {
      count += n;
    }
    return count;
  }

  #bindings(after: string, limit: number): SqlValue[] {
    this.#catchUp();
    const start = this.#indexAfter(after);
    const names = this.#names.slice(start, Math.min(start + limit, this.#names.length));
    const replaced = Object.fromEntries(names.map((name) => [name, this.#replaced.get(name)]));
    return [this.#options.resource, after, this.revision, limit, JSON.stringify(replaced)];
  }

  /** Of each name the first change after the revision counts: it says what was there at it. */
  #catchUp(): void {
    const { database, resource, newest, assertReachable } = this.#options;
    assertReachable();
    if (newest() <= this.#known) return;
    let isNew = false;
    for (const { name, previous } of database.exec<{ name: string; previous: number; first: number }>(
      "SELECT name, previous, MIN(revision) AS first FROM history WHERE revision > ? AND resource = ? GROUP BY name",
      this.#known,
      resource,
    )) {
      if (this.#replaced.has(name)) continue;
      this.#replaced.set(name, previous);
      if (previous > 0) isNew = this.#names.push(name) > 0;
    }
    if (isNew) this.#names.sort();
    this.#known = newest();
  }

  /** Where in `#names` those begin that follow a name. */
  #indexAfter(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#names[middle] as string) > name) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
