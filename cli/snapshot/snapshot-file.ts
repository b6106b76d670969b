import { closeSync, createReadStream, existsSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { SnapshotError } from "../../api/snapshot-format.ts";
import { Failure } from "../failure.ts";
import { oneLine } from "../one-line.ts";
import { SnapshotCheck, type SnapshotSeen, type SnapshotSummary } from "./check-snapshot.ts";

const GZIP_MAGIC = Buffer.of(0x1f, 0x8b);
const AFTER_END = "there is something after the snapshot's end";

export interface StoredSnapshot extends SnapshotSummary {
  /** Of the file. */
  fileBytes: number;
}

/** Refuses what `writeSnapshot` would not write over, before anything is asked for. */
export function refuseExisting(path: string, force: boolean): void {
  if (existsSync(path) && statSync(path).isDirectory()) throw new Failure(`${path} is a folder: name a file`, 2);
  if (existsSync(path) && !force) throw new Failure(`${path} is there already: --force replaces it`, 2);
}

/**
 * Writes a snapshot that arrives, checked on its way. Under its name the file is whole or not there; the part that has arrived lies beside
 * it, for its owner alone (a snapshot holds secrets), and goes if the rest does not come. What breaks off the source is thrown as it is.
 */
export async function writeSnapshot(
  path: string,
  source: Readable,
  onProgress: (seen: SnapshotSeen) => void,
  signal?: AbortSignal,
): Promise<StoredSnapshot> {
  const part = `${path}.part`;
  const check = new SnapshotCheck(onProgress);
  let broken: unknown;
  // In a pipeline one stream's error becomes that of all the others: whose it was can be told here alone.
  const arriving = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      broken = error;
      throw error;
    }
  };
  let begun = false;
  try {
    rmSync(part, { force: true }); // Of one that was killed.
    const handle = await open(part, "wx", 0o600);
    begun = true;
    const file = handle.createWriteStream({ flush: true });
    await pipeline(arriving, (chunks) => check.pass(chunks), createGzip(), file, { signal });
    const fileBytes = statSync(part).size;
    renameSync(part, path);
    return { ...check.summary, fileBytes };
  } catch (error) {
    source.destroy();
    if (begun) rmSync(part, { force: true });
    if (error instanceof SnapshotError)
      throw new Failure(`what arrived is no whole snapshot: ${oneLine(error.message)}`);
    if (error === broken || signal?.aborted) throw error;
    throw new Failure(`cannot write ${part}: ${oneLine((error as Error).message)}`);
  }
}

/** Reads a whole file. Whatever is not a whole, undamaged snapshot is refused, in words that say what is wrong. */
export async function verifySnapshot(
  path: string,
  onProgress: (seen: SnapshotSeen) => void,
  signal?: AbortSignal,
): Promise<StoredSnapshot> {
  const check = new SnapshotCheck(onProgress);
  const gunzip = createGunzip();
  try {
    const fileBytes = statSync(path).size;
    // gzip's own word for it is that the end is missing.
    if (fileBytes === 0) throw new SnapshotError("this is not a Coxswain snapshot: it is empty");
    await pipeline(
      createReadStream(path),
      gunzip,
      async (chunks: AsyncIterable<Uint8Array>) => {
        for await (const _ of check.pass(chunks));
      },
      { signal },
    );
    if (gunzip.bytesWritten < fileBytes) throw new SnapshotError(AFTER_END);
    return { ...check.summary, fileBytes };
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreadable(path, error as NodeJS.ErrnoException);
  }
}

/** The lines of a file that has been verified. Errors are the stream's. */
export function readSnapshot(path: string): Readable {
  const file = createReadStream(path);
  const gunzip = createGunzip();
  file.on("error", (error) => gunzip.destroy(error));
  gunzip.on("close", () => file.destroy());
  return file.pipe(gunzip);
}

function unreadable(path: string, error: NodeJS.ErrnoException): Failure {
  if (error.code === "ENOENT") return new Failure(`there is no file ${path}`, 2);
  return new Failure(`${path}: ${problemOf(path, error)}`);
}

function problemOf(path: string, { code, message }: NodeJS.ErrnoException): string {
  // Of a file that begins as it should, it is said of what comes after the gzip stream.
  if (message === "incorrect header check")
    return beginsAsGzip(path) ? AFTER_END : "this is not a Coxswain snapshot: it is not gzipped";
  if (code === "Z_BUF_ERROR") return "the snapshot is truncated: the end of the gzip stream is missing";
  if (code?.startsWith("Z_")) return `the snapshot is damaged: its gzip stream cannot be read (${message})`;
  return oneLine(message);
}

function beginsAsGzip(path: string): boolean {
  const bytes = Buffer.alloc(GZIP_MAGIC.length);
  const file = openSync(path, "r");
  try {
    readSync(file, bytes);
    return bytes.equals(GZIP_MAGIC);
  } finally {
    closeSync(file);
  }
}
