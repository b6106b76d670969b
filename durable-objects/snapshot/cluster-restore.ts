import type { KubeObject } from "../../api/object.ts";
import {
  LineSplitter,
  nameOf,
  type Sha256,
  SnapshotError,
  type SnapshotObject,
  SnapshotVerifier,
} from "../../api/snapshot-format.ts";
import { ApiError, badRequest } from "../../api/status.ts";
import type { ImportPart, RestoredHomeRpc, TimelineRpc, Unsealing } from "../protocol.ts";
import { importVersions, isUntouched } from "../store/import.ts";
import type { SqlDatabase } from "../store/sql.ts";
import { forEachBounded } from "../timeline/home-source.ts";

/** One part that a home is sent: whichever is reached first. */
const PART_OBJECTS = 500;
const PART_CHARS = 1 << 20;
/** Parts under way at a time, of one home or several. */
const PARTS_MAX = 4;
/** A restore that is under way or decided is looked at so often, until it has ended. */
const LOOK_MILLISECONDS = 5_000;
/** Until when a home that did not take its objects may be in order again. */
const RETRY_SECONDS = 30;
/** Whoever sends a snapshot has gone when nothing came for so long. */
const STALL_MILLISECONDS = 60_000;

export interface ClusterRestoreOptions {
  /** The cluster's name. */
  cluster: string;
  database: SqlDatabase;
  homeOf(namespace: string): RestoredHomeRpc;
  timeline: Pick<TimelineRpc, "startAbove">;
  newHash(): Sha256;
  uuid(): string;
  /** Milliseconds since 1970. */
  now(): number;
  setAlarm(at: number): void;
  /** Removes all that the object has stored. */
  deleteAll(): Promise<void>;
  /** A restore begins: nobody may write to the database from now on. */
  began(): void;
  /** Takes one of the snapshot's objects into account that says who has an address or a port. Within a transaction. */
  reserve(home: string, object: KubeObject): void;
}

/** What a cluster became. */
export interface Restored {
  cluster: string;
  revision: number;
  homes: number;
  objects: number;
}

/** A namespace's home that is restored; what its Namespace says is known once all is there. */
type RestoringHome = { namespace: string } & Partial<Omit<Unsealing, "restore">>;

/** The durable record of a restore: while there is one, the ClusterHome is sealed. */
interface RestoreRecord {
  restore: string;
  revision: number;
  homes: RestoringHome[];
  /** There is no way back: whoever finds it undone completes it. */
  isDecided: boolean;
}

const TABLE = "restoring";

/**
 * Makes a cluster from a snapshot, in two phases. First the homes take their objects, sealed. Then, when the last line has come and everything has
 * turned out to be right, it is decided in one write here, and every home is unsealed. Whatever ends the first phase undoes it; whatever ends the
 * second is made up for: by the alarm, if it was the process that ended.
 */
export class ClusterRestore {
  readonly #options: ClusterRestoreOptions;
  #record: RestoreRecord | undefined;
  /** The one in this instance that reads a snapshot; a restore without it was left by an earlier one. */
  #reading: Reading | undefined;
  #undoing: Promise<void> | undefined;

  constructor(options: ClusterRestoreOptions) {
    this.#options = options;
    const { database } = options;
    type Row = { restore: string; revision: number; homes: string; decided: number };
    for (const _ of database.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", TABLE)) {
      for (const { restore, revision, homes, decided } of database.exec<Row>(`SELECT * FROM ${TABLE}`))
        this.#record = { restore, revision, homes: JSON.parse(homes) as RestoringHome[], isDecided: decided === 1 };
    }
    if (this.#record) options.setAlarm(options.now());
  }

  get isSealed(): boolean {
    return this.#record !== undefined;
  }

  /** Nothing of the cluster is there. */
  get isNew(): boolean {
    return this.#record === undefined && isUntouched(this.#options.database);
  }

  isRestoring(restore: string): boolean {
    return this.#record?.restore === restore;
  }

  /** @throws ApiError where the cluster is not new, or the snapshot not good; the cluster is as new as before then */
  async run(snapshot: ReadableStream<Uint8Array>): Promise<Restored> {
    const reader = snapshot.getReader();
    let restored: Restored;
    try {
      this.#assertNew();
      restored = await this.#read(reader);
    } catch (error) {
      await reader.cancel(error).catch(() => undefined);
      throw error instanceof SnapshotError ? badRequest(error.message) : error;
    }
    // Decided: should it not be done now, the alarm does it.
    await this.#complete().catch((error: unknown) => console.warn(`a restore is completed later: ${String(error)}`));
    return restored;
  }

  /** To be called where the alarm rings while the home is sealed. Never rejects. */
  async alarm(): Promise<void> {
    const { now, setAlarm } = this.#options;
    if (!this.#record) return;
    setAlarm(now() + LOOK_MILLISECONDS);
    try {
      if (this.#record.isDecided) await this.#complete();
      else if (!this.#reading || this.#reading.heardAt + STALL_MILLISECONDS < now()) await this.#undo();
    } catch (error) {
      console.warn(`a restore could not be ended, which is tried again: ${String(error)}`);
    }
  }

  #assertNew(): void {
    const { cluster } = this.#options;
    if (!this.isNew)
      throw new ApiError("AlreadyExists", `clusters ${JSON.stringify(cluster)} already exists`, {
        name: cluster,
        kind: "clusters",
      });
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Restored> {
    const { newHash, now } = this.#options;
    const splitter = new LineSplitter();
    const verifier = new SnapshotVerifier(newHash);
    const reading = new Reading(now());
    try {
      for (;;) {
        const { value, done } = await chunkOf(reader);
        this.#assertCurrent(reading);
        if (done) break;
        reading.heardAt = now();
        for (const bytes of splitter.push(value)) {
          const line = verifier.object(bytes) ?? (await verifier.line(bytes));
          if (line.type === "header") this.#begin(reading, line.revision, line.homes);
          else if (line.type === "object") await this.#take(reading, line.home, line);
          // Also of a home with nothing in it: that is sealed, too.
          else if (line.type === "homeEnd") await this.#send(reading, line.home);
        }
      }
      const { header, homes, objects } = verifier.finish(splitter.unfinished);
      await reading.allTaken();
      this.#assertCurrent(reading);
      this.#decide(reading.namespaces);
      return { cluster: this.#options.cluster, revision: header.revision, homes, objects };
    } catch (error) {
      await reading.allTaken().catch(() => undefined);
      // Should it not be done now, the alarm does it.
      if (this.#reading === reading)
        await this.#undo().catch((failure: unknown) => console.warn(`a restore is undone later: ${String(failure)}`));
      throw error;
    } finally {
      if (this.#reading === reading) this.#reading = undefined;
    }
  }

  /** Others were served while this one waited. */
  #assertCurrent(reading: Reading): void {
    if (reading.begun && this.#reading !== reading)
      throw new SnapshotError("nothing of the snapshot came for too long");
  }

  #begin(reading: Reading, revision: number, homes: readonly string[]): void {
    this.#assertNew(); // It was, when the reading began.
    const { database, now, setAlarm, uuid, began } = this.#options;
    began();
    const record: RestoreRecord = {
      restore: uuid(),
      revision,
      homes: homes.slice(1).map((namespace) => ({ namespace })),
      isDecided: false,
    };
    database.transaction(() => {
      database.exec(
        `CREATE TABLE IF NOT EXISTS ${TABLE} (id INTEGER PRIMARY KEY, restore TEXT NOT NULL, revision INTEGER NOT NULL, homes TEXT NOT NULL, decided INTEGER NOT NULL)`,
      );
      database.exec(
        `INSERT INTO ${TABLE} (id, restore, revision, homes, decided) VALUES (1, ?, ?, ?, 0)`,
        record.restore,
        revision,
        JSON.stringify(record.homes),
      );
    });
    this.#record = record;
    this.#reading = reading;
    reading.begun = true;
    setAlarm(now() + LOOK_MILLISECONDS);
  }

  async #take(reading: Reading, home: string, { resource, name, revision, json }: SnapshotObject): Promise<void> {
    reading.objects.push({ resource, name, revision, json });
    reading.chars += json.length;
    if (reading.objects.length >= PART_OBJECTS || reading.chars >= PART_CHARS) await this.#send(reading, home);
  }

  async #send(reading: Reading, home: string): Promise<void> {
    const { restore, revision } = this.#record as RestoreRecord;
    const { database, homeOf, reserve } = this.#options;
    const objects = reading.part();
    const refused = (error: unknown): never => {
      // A name or a revision that is there twice is told by the database alone.
      if (/UNIQUE constraint/.test(String(error)))
        throw new SnapshotError(`${nameOf(home)} is damaged: it has an object or a revision twice`);
      console.warn(`${nameOf(home)} could not be restored: ${String(error)}`);
      throw new ApiError("ServiceUnavailable", `${nameOf(home)} could not be restored: try again`, {
        retryAfterSeconds: RETRY_SECONDS,
      });
    };
    try {
      database.transaction(() => {
        if (home === "") importVersions(database, revision, objects);
        for (const { resource, json } of objects) {
          if (resource === "namespaces" && home === "") reading.namespaces.push(JSON.parse(json) as KubeObject);
          else if (resource === "services" || resource === "ipaddresses.networking.k8s.io")
            reserve(home, JSON.parse(json) as KubeObject);
        }
      });
    } catch (error) {
      refused(error);
    }
    if (home === "") return;
    await reading.whenFree();
    reading.taking(homeOf(home).takeObjects({ restore, revision, objects }).catch(refused));
  }

  /** From here on the cluster is there. */
  #decide(namespaces: readonly KubeObject[]): void {
    const record = this.#record as RestoreRecord;
    const byName = new Map(namespaces.map((object) => [object.metadata.name, object]));
    const homes = record.homes.map(({ namespace }): RestoringHome => {
      const metadata = byName.get(namespace)?.metadata;
      if (!metadata) throw new SnapshotError(`${nameOf(namespace)} belongs to no Namespace`);
      return { namespace, uid: metadata.uid ?? "", state: metadata.deletionTimestamp ? "terminating" : "active" };
    });
    if (homes.length < byName.size) throw new SnapshotError("a Namespace has no home in the snapshot");
    this.#options.database.exec(`UPDATE ${TABLE} SET homes = ?, decided = 1`, JSON.stringify(homes));
    this.#record = { ...record, homes, isDecided: true };
  }

  /** May be done again from the beginning, and twice at a time. */
  async #complete(): Promise<void> {
    const record = this.#record;
    if (!record) return;
    const { database, homeOf, now, setAlarm, timeline } = this.#options;
    await timeline.startAbove(record.revision);
    await forEachBounded(record.homes, async ({ namespace, state = "active", uid = "" }) => {
      await homeOf(namespace).unseal({ restore: record.restore, state, uid });
    });
    if (this.#record !== record) return;
    setAlarm(now()); // Its controllers look at everything.
    database.exec(`DROP TABLE ${TABLE}`);
    this.#record = undefined;
  }

  /** One at a time: what comes after it may be another restore. May be done again from the beginning. */
  async #undo(): Promise<void> {
    this.#undoing ??= this.#discardAll().finally(() => {
      this.#undoing = undefined;
    });
    await this.#undoing;
  }

  async #discardAll(): Promise<void> {
    const record = this.#record;
    if (!record) return;
    this.#reading = undefined;
    await forEachBounded(record.homes, async ({ namespace }) => {
      await this.#options.homeOf(namespace).discard(record.restore);
    });
    await this.#options.deleteAll();
    this.#record = undefined;
  }
}

/** A snapshot on its way in. */
class Reading {
  /** Milliseconds since 1970. */
  heardAt: number;
  begun = false;
  /** The next part, of one home. */
  objects: ImportPart["objects"] = [];
  chars = 0;
  readonly namespaces: KubeObject[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  constructor(now: number) {
    this.heardAt = now;
  }

  part(): ImportPart["objects"] {
    const { objects } = this;
    this.objects = [];
    this.chars = 0;
    return objects;
  }

  taking(taken: Promise<void>): void {
    const settled: Promise<void> = taken
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  /** Resolves when another part may be sent; rejects where one was refused. */
  async whenFree(): Promise<void> {
    while (this.#underWay.size >= PARTS_MAX) await Promise.race(this.#underWay);
    if (this.#failure) throw this.#failure.error;
  }

  async allTaken(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#failure) throw this.#failure.error;
  }
}

/** Whoever sends the snapshot may go away in the middle of it. */
async function chunkOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<{ value: Uint8Array; done: false } | { value?: undefined; done: true }> {
  try {
    return (await reader.read()) as Awaited<ReturnType<typeof chunkOf>>;
  } catch {
    throw new SnapshotError("the snapshot broke off");
  }
}
