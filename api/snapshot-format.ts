/**
 * A snapshot of a cluster, as it is sent and as a file holds it (gzipped there): lines of JSON, each ended by a newline.
 *
 * ```
 * {"kind":"CoxswainSnapshot","version":1,"cluster":"default","revision":123,"time":"2026-11-22T12:00:00.000Z","homes":["","default"]}
 * {"home":""}
 * {"resource":"namespaces","name":"default","revision":7,"object":{…}}
 * {"homeEnd":"","objects":1,"sha256":"…"}
 * {"home":"default"}
 * {"homeEnd":"default","objects":0,"sha256":"…"}
 * {"snapshotEnd":true,"homes":2,"objects":1,"sha256":"…"}
 * ```
 *
 * A home is a namespace, or "" for the cluster's own objects, which come first. A home's checksum is that of the bytes of its objects' lines, the
 * last line's that of all bytes before it; newlines count. No hash is computed in here: it is passed in.
 */

const SNAPSHOT_KIND = "CoxswainSnapshot";
/** The format that is written, and the newest that is read. */
export const SNAPSHOT_VERSION = 1;
export const SNAPSHOT_MEDIA_TYPE = "application/x-ndjson";
/** Of one line, in bytes, newline not counted. An object is at most 2 MB as text. */
export const LINE_BYTES_MAX = 4 << 20;

export interface SnapshotHeader {
  cluster: string;
  /** All objects are as of this revision. */
  revision: number;
  /** The revision's time, RFC 3339. */
  time: string;
  /** In the order in which they follow; "" is the first. */
  homes: string[];
}

/** One object, as it is stored. */
export interface SnapshotObject {
  /** As a store names it: `pods`, `deployments.apps`. */
  resource: string;
  name: string;
  /** That of the version. */
  revision: number;
  /** The stored text. */
  json: string;
}

/** What one line says. */
export type SnapshotLine =
  | ({ type: "header" } & SnapshotHeader)
  | { type: "home"; home: string }
  | ({ type: "object"; home: string } & SnapshotObject)
  | { type: "homeEnd"; home: string; objects: number }
  | { type: "end"; homes: number; objects: number };

/** SHA-256 of what it is fed; each is asked for its end once. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** In lower case. */
  hex(): string | Promise<string>;
}

/** What is wrong with a snapshot, in words for whoever gave it. */
export class SnapshotError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SnapshotError";
  }
}

// Lines, with their newlines.

export const headerLine = ({ cluster, revision, time, homes }: SnapshotHeader): string =>
  `${JSON.stringify({ kind: SNAPSHOT_KIND, version: SNAPSHOT_VERSION, cluster, revision, time, homes })}\n`;

export const homeLine = (home: string): string => `${JSON.stringify({ home })}\n`;

export const objectLine = ({ resource, name, revision, json }: SnapshotObject): string =>
  `{"resource":${JSON.stringify(resource)},"name":${JSON.stringify(name)},"revision":${revision},"object":${json}}\n`;

export const homeEndLine = (home: string, objects: number, sha256: string): string =>
  `${JSON.stringify({ homeEnd: home, objects, sha256 })}\n`;

export const endLine = (homes: number, objects: number, sha256: string): string =>
  `${JSON.stringify({ snapshotEnd: true, homes, objects, sha256 })}\n`;

const NEWLINE = 10;

/** Cuts bytes into lines, without their newlines, and holds no more than one that is unfinished. */
export class LineSplitter {
  #rest: Uint8Array[] = [];
  #restLength = 0;
  #lines = 0;

  /** The lines that these bytes complete. They may share the memory of `chunk`. @throws SnapshotError where one is too long. */
  *push(chunk: Uint8Array): Generator<Uint8Array, void> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      const part = chunk.subarray(start, end < 0 ? undefined : end);
      if (this.#restLength + part.length > LINE_BYTES_MAX)
        throw this.#lines === 0
          ? notASnapshot("its first line is too long")
          : new SnapshotError(`line ${this.#lines + 1} is longer than ${LINE_BYTES_MAX} bytes`);
      if (end < 0) {
        if (part.length > 0) this.#rest.push(part.slice());
        this.#restLength += part.length;
        return;
      }
      this.#lines++;
      start = end + 1;
      yield this.#joined(part);
    }
  }

  /** Bytes after the last newline. */
  get unfinished(): number {
    return this.#restLength;
  }

  #joined(last: Uint8Array): Uint8Array {
    if (this.#rest.length === 0) return last;
    const line = new Uint8Array(this.#restLength + last.length);
    let at = 0;
    for (const part of [...this.#rest, last]) {
      line.set(part, at);
      at += part.length;
    }
    this.#rest = [];
    this.#restLength = 0;
    return line;
  }
}

const OBJECT_LINE =
  /^\{"resource":("(?:[^"\\]|\\.)*"),"name":("(?:[^"\\]|\\.)*"),"revision":(\d{1,16}),"object":(?=\{)/;
const HEX = /^[0-9a-f]{64}$/;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const newline = Uint8Array.of(NEWLINE);

/**
 * Reads a snapshot line by line, and refuses whatever is not one that is whole and undamaged. Nothing that it has passed may be acted upon for
 * good before it has passed the last line and `finish`.
 */
export class SnapshotVerifier {
  readonly #newHash: () => Sha256;
  readonly #whole: Sha256;
  #header: SnapshotHeader | undefined;
  /** The hash of the home whose lines are being read. */
  #hash: Sha256 | undefined;
  /** How many homes have begun. */
  #begun = 0;
  #objectsOfHome = 0;
  #objects = 0;
  #lines = 0;
  #ended = false;

  /** @param newHash a hash that has been fed nothing yet */
  constructor(newHash: () => Sha256) {
    this.#newHash = newHash;
    this.#whole = newHash();
  }

  /** Absent before the first line. */
  get header(): SnapshotHeader | undefined {
    return this.#header;
  }

  /** The next line, without its newline. @throws SnapshotError */
  async line(bytes: Uint8Array): Promise<SnapshotLine> {
    return this.object(bytes) ?? (await this.#other(bytes));
  }

  /**
   * The next line if it is an object's, as nearly all are: there is nothing to wait for. Otherwise nothing has been read, and the line is
   * `line`'s. @throws SnapshotError
   */
  object(bytes: Uint8Array): ({ type: "object"; home: string } & SnapshotObject) | undefined {
    if (!this.#header || this.#ended) return undefined;
    const text = this.#textOf(bytes);
    const match = OBJECT_LINE.exec(text);
    if (!match || !text.endsWith("}}")) return undefined;
    const number = this.#lines + 1;
    if (!this.#hash) throw new SnapshotError(`line ${number} is an object outside of any home`);
    const home = this.#header.homes[this.#begun - 1] as string;
    const object = {
      resource: this.#parsed(match[1] as string) as string,
      name: this.#parsed(match[2] as string) as string,
      revision: Number(match[3]),
      json: text.slice(match[0].length, -1),
    };
    this.#checkObject(home, object);
    this.#take(bytes);
    this.#hash.update(bytes);
    this.#hash.update(newline);
    this.#objectsOfHome++;
    this.#objects++;
    return { type: "object", home, ...object };
  }

  /** There are no more lines. @param unfinished bytes after the last newline @throws SnapshotError where something is missing */
  finish(unfinished = 0): { header: SnapshotHeader; homes: number; objects: number } {
    const header = this.#header;
    if (!header) throw notASnapshot(this.#lines === 0 && unfinished === 0 ? "it is empty" : "it has no first line");
    if (this.#ended) {
      if (unfinished > 0) throw new SnapshotError("there is something after the snapshot's end");
      return { header, homes: header.homes.length, objects: this.#objects };
    }
    if (this.#hash) {
      const home = nameOf(header.homes[this.#begun - 1] as string);
      throw new SnapshotError(`the snapshot is truncated: it ends inside of ${home}`);
    }
    const missing = header.homes.length - this.#begun;
    throw new SnapshotError(
      missing > 0
        ? `the snapshot is truncated: it ends before ${nameOf(header.homes[this.#begun] as string)}`
        : "the snapshot is truncated: its last line is missing",
    );
  }

  async #other(bytes: Uint8Array): Promise<SnapshotLine> {
    if (this.#ended) throw new SnapshotError("there is something after the snapshot's end");
    if (!this.#header) return this.#first(bytes);
    const number = this.#lines + 1;
    const value = this.#parsed(this.#textOf(bytes));
    if (!isRecord(value)) throw this.#unreadable();
    if (typeof value["home"] === "string") return this.#beginHome(bytes, value["home"]);
    if (typeof value["homeEnd"] === "string") return await this.#endHome(bytes, value["homeEnd"], value);
    if (value["snapshotEnd"] === true) return await this.#end(value);
    throw new SnapshotError(`line ${number} is damaged: it is none that a snapshot has`);
  }

  #first(bytes: Uint8Array): SnapshotLine {
    let value: unknown;
    try {
      value = JSON.parse(decoder.decode(bytes));
    } catch {
      throw notASnapshot("its first line is not JSON");
    }
    if (!isRecord(value) || value["kind"] !== SNAPSHOT_KIND)
      throw notASnapshot(`its first line is not a ${SNAPSHOT_KIND}`);
    const { version } = value;
    if (typeof version === "number" && version > SNAPSHOT_VERSION)
      throw new SnapshotError(
        `the snapshot's format is version ${version}: a newer Coxswain made it, this one reads version ${SNAPSHOT_VERSION}`,
      );
    this.#header = headerOf(value);
    this.#take(bytes);
    return { type: "header", ...this.#header };
  }

  #beginHome(bytes: Uint8Array, home: string): SnapshotLine {
    const { homes } = this.#header as SnapshotHeader;
    if (this.#hash) {
      const open = nameOf(homes[this.#begun - 1] as string);
      throw new SnapshotError(`line ${this.#lines + 1}: ${nameOf(home)} begins inside of ${open}`);
    }
    const at = homes.indexOf(home);
    if (at < 0) throw new SnapshotError(`${nameOf(home)} is none of the homes that the snapshot names`);
    if (at < this.#begun) throw new SnapshotError(`${nameOf(home)} is there twice`);
    if (at > this.#begun) throw new SnapshotError(`${nameOf(homes[this.#begun] as string)} is missing`);
    this.#begun++;
    this.#hash = this.#newHash();
    this.#objectsOfHome = 0;
    this.#take(bytes);
    return { type: "home", home };
  }

  async #endHome(bytes: Uint8Array, home: string, { objects, sha256 }: Record<string, unknown>): Promise<SnapshotLine> {
    const { homes } = this.#header as SnapshotHeader;
    const hash = this.#hash;
    if (!hash || homes[this.#begun - 1] !== home)
      throw new SnapshotError(`line ${this.#lines + 1}: ${nameOf(home)} ends where it had not begun`);
    this.#hash = undefined;
    const count = this.#objectsOfHome;
    if (count !== objects)
      throw new SnapshotError(`${nameOf(home)} is damaged: it has ${count} objects where it says ${String(objects)}`);
    if ((await hash.hex()) !== sha256)
      throw new SnapshotError(`${nameOf(home)} is damaged: its objects do not match their checksum`);
    this.#take(bytes);
    return { type: "homeEnd", home, objects: count };
  }

  async #end({ homes, objects, sha256 }: Record<string, unknown>): Promise<SnapshotLine> {
    const named = (this.#header as SnapshotHeader).homes;
    if (this.#hash)
      throw new SnapshotError(
        `line ${this.#lines + 1}: the snapshot ends inside of ${nameOf(named[this.#begun - 1] as string)}`,
      );
    if (this.#begun < named.length) throw new SnapshotError(`${nameOf(named[this.#begun] as string)} is missing`);
    if (homes !== named.length || objects !== this.#objects)
      throw new SnapshotError(
        `the snapshot is damaged: it has ${named.length} homes and ${this.#objects} objects where it says ${String(homes)} and ${String(objects)}`,
      );
    this.#ended = true;
    if (typeof sha256 !== "string" || !HEX.test(sha256) || (await this.#whole.hex()) !== sha256)
      throw new SnapshotError("the snapshot is damaged: it does not match its checksum");
    this.#lines++;
    return { type: "end", homes: named.length, objects: this.#objects };
  }

  #checkObject(home: string, { resource, name, revision, json }: SnapshotObject): void {
    const what = `line ${this.#lines + 1} (${resource} ${JSON.stringify(name)} of ${nameOf(home)})`;
    const object = this.#parsed(json);
    const metadata = isRecord(object) ? object["metadata"] : undefined;
    if (!isRecord(metadata) || metadata["name"] !== name || (metadata["namespace"] ?? "") !== home)
      throw new SnapshotError(`${what} is damaged: its object is another`);
    const { revision: newest } = this.#header as SnapshotHeader;
    if (revision < 1 || revision > newest || metadata["resourceVersion"] !== String(revision))
      throw new SnapshotError(`${what} is damaged: its revision is not possible`);
  }

  /** The line is good: its bytes belong to the whole. */
  #take(bytes: Uint8Array): void {
    this.#whole.update(bytes);
    this.#whole.update(newline);
    this.#lines++;
  }

  #textOf(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.#unreadable();
    }
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.#unreadable();
    }
  }

  #unreadable(): SnapshotError {
    return new SnapshotError(`line ${this.#lines + 1} is damaged: it is not JSON`);
  }
}

function headerOf({ version, cluster, revision, time, homes }: Record<string, unknown>): SnapshotHeader {
  const wrong = (field: string) =>
    new SnapshotError(`the snapshot's first line is damaged: ${field} is not what it has to be`);
  if (version !== SNAPSHOT_VERSION) throw wrong("version");
  if (typeof cluster !== "string" || cluster === "") throw wrong("cluster");
  if (!Number.isSafeInteger(revision) || (revision as number) < 1) throw wrong("revision");
  if (typeof time !== "string" || Number.isNaN(Date.parse(time))) throw wrong("time");
  if (!Array.isArray(homes) || homes[0] !== "" || !homes.every((home) => typeof home === "string"))
    throw wrong("homes");
  if (new Set(homes).size < homes.length) throw wrong("homes");
  return { cluster, revision: revision as number, time, homes };
}

const notASnapshot = (why: string): SnapshotError => new SnapshotError(`this is not a Coxswain snapshot: ${why}`);

/** A home as messages name it. */
export const nameOf = (home: string): string =>
  home === "" ? "the home of the cluster's own objects" : `the home of namespace ${JSON.stringify(home)}`;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
