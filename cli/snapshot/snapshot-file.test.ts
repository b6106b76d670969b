import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { endOf, smallSnapshot } from "../../test/support/small-snapshot.ts";
import { readSnapshot, refuseExisting, verifySnapshot, writeSnapshot } from "./snapshot-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cox-snapshot-"));
  path = join(folder, "file.snapshot");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { header: HEADER, clusterHome: CLUSTER_HOME, namespaceHome: NAMESPACE_HOME, text: GOOD } = smallSnapshot();
const BEFORE_END = HEADER + CLUSTER_HOME + NAMESPACE_HOME;

/** In pieces that end anywhere. */
const arriving = (content: string, pieceBytes = 100): Readable => {
  const bytes = Buffer.from(content);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  return Readable.from(pieces);
};
const ignore = () => {};

describe("a snapshot that arrives", () => {
  test("becomes a gzipped file for its owner alone, and what was in it is told", async () => {
    const homes: number[] = [];
    const saved = await writeSnapshot(path, arriving(GOOD), (seen) => homes.push(seen.homes));
    expect(saved).toMatchObject({
      cluster: "default",
      revision: 100,
      homes: 2,
      objects: 3,
      bytes: Buffer.byteLength(GOOD),
    });
    expect([...saved.resources]).toEqual([
      ["namespaces", 1],
      ["pods", 2],
    ]);
    expect([homes[0], homes.at(-1)]).toEqual([0, 2]);
    expect(gunzipSync(readFileSync(path)).toString()).toBe(GOOD);
    expect(saved.fileBytes).toBe(statSync(path).size);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["file.snapshot"]);
  });

  test.each([
    ["that ends early", arriving(BEFORE_END), "what arrived is no whole snapshot: the snapshot is truncated"],
    ["that is none", arriving("<html>\n"), "what arrived is no whole snapshot: this is not a Coxswain snapshot"],
    ["that is empty", arriving(""), "what arrived is no whole snapshot: this is not a Coxswain snapshot"],
    [
      "that breaks off",
      Readable.from(
        (async function* () {
          yield Buffer.from(HEADER);
          throw new Error("the line is dead");
        })(),
      ),
      "the line is dead",
    ],
  ])("%s leaves nothing", async (_, source, why) => {
    await expect(writeSnapshot(path, source, ignore)).rejects.toThrow(why);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("leaves nothing, and what was there before, where it is interrupted", async () => {
    writeFileSync(path, "before");
    const interrupt = new AbortController();
    const endless = Readable.from(
      (async function* () {
        yield Buffer.from(HEADER);
        interrupt.abort();
        await new Promise(() => {});
      })(),
    );
    await expect(writeSnapshot(path, endless, ignore, interrupt.signal)).rejects.toThrow("abort");
    expect(readdirSync(folder)).toEqual(["file.snapshot"]);
    expect(readFileSync(path, "utf8")).toBe("before");
  });

  test("takes the place of what one that was killed has left, and of its rights", async () => {
    writeFileSync(`${path}.part`, "half", { mode: 0o644 });
    await writeSnapshot(path, arriving(GOOD), ignore);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["file.snapshot"]);
  });

  test("is refused in one line where no file can be", async () => {
    const elsewhere = join(folder, "none", "file.snapshot");
    await expect(writeSnapshot(elsewhere, arriving(GOOD), ignore)).rejects.toThrow(
      expect.objectContaining({
        name: "Failure",
        message: expect.stringMatching(/^cannot write .*file\.snapshot\.part: ENOENT/),
      }),
    );
  });

  test("leaves nothing where it cannot get its name", async () => {
    mkdirSync(path);
    await expect(writeSnapshot(path, arriving(GOOD), ignore)).rejects.toThrow(/^cannot write/);
    expect(readdirSync(folder)).toEqual(["file.snapshot"]);
  });
});

test("a file that is there already is replaced only where that is asked for; a folder never", () => {
  refuseExisting(path, false);
  writeFileSync(path, "");
  expect(() => refuseExisting(path, false)).toThrow(
    expect.objectContaining({ exitCode: 2, message: `${path} is there already: --force replaces it` }),
  );
  refuseExisting(path, true);
  expect(() => refuseExisting(folder, true)).toThrow(expect.objectContaining({ exitCode: 2 }));
});

describe("a file", () => {
  test("that is good is verified, and read as it was", async () => {
    writeFileSync(path, gzipSync(GOOD));
    expect(await verifySnapshot(path, ignore)).toMatchObject({
      homes: 2,
      objects: 3,
      fileBytes: gzipSync(GOOD).length,
    });
    expect(await text(readSnapshot(path))).toBe(GOOD);
  });

  const packed = gzipSync(GOOD);
  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(packed);
    bytes[at] = bytes[at]! ^ 0xff;
    return bytes;
  };
  const swapped = GOOD.replace('"note":"ü"', '"note":"Ü"');
  const withoutHome = HEADER + CLUSTER_HOME;
  test.each([
    ["is empty", Buffer.alloc(0), "this is not a Coxswain snapshot: it is empty"],
    ["is no gzip", Buffer.from(GOOD), "this is not a Coxswain snapshot: it is not gzipped"],
    ["is another program's", gzipSync("hello\n"), "this is not a Coxswain snapshot: its first line is not JSON"],
    ["is another program's JSON", gzipSync('{"kind":"List"}\n'), "this is not a Coxswain snapshot"],
    ["is one long line", gzipSync("x".repeat(5 << 20)), "this is not a Coxswain snapshot: its first line is too long"],
    ["is of a newer version", gzipSync(GOOD.replace('"version":1', '"version":2')), "a newer Coxswain made it"],
    [
      "is cut within the gzip stream",
      packed.subarray(0, packed.length - 20),
      "the snapshot is truncated: the end of the gzip stream",
    ],
    ["is cut within a line", gzipSync(GOOD.slice(0, -5)), "the snapshot is truncated"],
    ["is cut between homes", gzipSync(withoutHome), 'truncated: it ends before the home of namespace "default"'],
    ["has lost its last line", gzipSync(BEFORE_END), "truncated: its last line is missing"],
    ["has lost a home", gzipSync(withoutHome + endOf(withoutHome, 1)), 'the home of namespace "default" is missing'],
    ["has a changed object", gzipSync(swapped), "the home of the cluster's own objects is damaged"],
    ["has a changed byte in its gzip stream", flipped(packed.length >> 1), "the snapshot is damaged"],
    ["has a changed checksum of gzip's", flipped(packed.length - 8), "the snapshot is damaged: its gzip stream"],
    ["has more lines behind its end", gzipSync(`${GOOD}{}\n`), "there is something after the snapshot's end"],
    ["has another gzip stream behind its end", Buffer.concat([packed, gzipSync("{}\n")]), "after the snapshot's end"],
    ["has something else behind its end", Buffer.concat([packed, Buffer.from("junk")]), "after the snapshot's end"],
    ["is padded", Buffer.concat([packed, Buffer.alloc(64)]), "after the snapshot's end"],
  ])("that %s is refused by what is wrong", async (_, content, why) => {
    writeFileSync(path, content);
    await expect(verifySnapshot(path, ignore)).rejects.toThrow(
      expect.objectContaining({
        name: "Failure",
        exitCode: 1,
        message: expect.stringMatching(new RegExp(`^${path}: .*(${why})`)),
      }),
    );
  });

  test("that is not there, or is none, is told in one line", async () => {
    await expect(verifySnapshot(path, ignore)).rejects.toThrow(
      expect.objectContaining({ name: "Failure", exitCode: 2, message: `there is no file ${path}` }),
    );
    await expect(verifySnapshot(folder, ignore)).rejects.toThrow(
      expect.objectContaining({ name: "Failure", exitCode: 1, message: expect.stringContaining("EISDIR") }),
    );
  });
});
