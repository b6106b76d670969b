import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  endLine,
  headerLine,
  homeEndLine,
  homeLine,
  LINE_BYTES_MAX,
  LineSplitter,
  objectLine,
  type Sha256,
  SNAPSHOT_VERSION,
  SnapshotError,
  SnapshotVerifier,
} from "./snapshot-format.ts";

const newHash = (): Sha256 => {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
};
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const object = (home: string, name: string, revision: number, more: object = {}) => ({
  resource: home === "" ? "namespaces" : "configmaps",
  name,
  revision,
  json: JSON.stringify({
    kind: "Any",
    apiVersion: "v1",
    metadata: { name, ...(home && { namespace: home }), resourceVersion: String(revision) },
    ...more,
  }),
});

/** Two homes with things in them and an empty one. */
const HOMES: [home: string, lines: string[]][] = [
  ["", [objectLine(object("", "default", 7)), objectLine(object("", "empty", 9))]],
  [
    "default",
    [
      objectLine(object("default", "a", 11, { data: { "10": "ß\u2028", "9": '"\\}}' } })),
      objectLine(object("default", "b", 12)),
    ],
  ],
  ["empty", []],
];

const HEADER = { cluster: "blue", revision: 20, time: "2026-11-22T12:00:00.000Z", homes: HOMES.map(([home]) => home) };

/** The lines of a snapshot, each with its newline. */
function linesOf(homes = HOMES, header: object = {}): string[] {
  const lines = [headerLine({ ...HEADER, homes: homes.map(([home]) => home), ...header })];
  for (const [home, objects] of homes) {
    lines.push(homeLine(home), ...objects, homeEndLine(home, objects.length, sha256(objects.join(""))));
  }
  return withEnd(lines, homes.length, homes.flatMap(([, objects]) => objects).length);
}

const withEnd = (lines: string[], homes: number, objects: number): string[] => [
  ...lines,
  endLine(homes, objects, sha256(lines.join(""))),
];

/** Reads bytes in chunks of so many; answers what was in them. */
async function read(bytes: Uint8Array, chunk = bytes.length) {
  const splitter = new LineSplitter();
  const verifier = new SnapshotVerifier(newHash);
  const read = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    for (const line of splitter.push(bytes.subarray(at, at + chunk))) read.push(await verifier.line(line));
  }
  return { lines: read, ...verifier.finish(splitter.unfinished) };
}

const readText = async (text: string, chunk?: number) => await read(new TextEncoder().encode(text), chunk);
const refusal = async (text: string | Uint8Array): Promise<string> => {
  try {
    await (typeof text === "string" ? readText(text) : read(text));
  } catch (error) {
    expect(error).toBeInstanceOf(SnapshotError);
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
};

describe("a whole snapshot", () => {
  test("says what it holds", async () => {
    const { lines, ...end } = await readText(linesOf().join(""));
    expect(end).toEqual({ header: HEADER, homes: 3, objects: 4 });
    expect(lines.map(({ type }) => type)).toEqual([
      "header",
      ...["home", "object", "object", "homeEnd"],
      ...["home", "object", "object", "homeEnd"],
      ...["home", "homeEnd"],
      "end",
    ]);
  });

  test("gives objects back in the very text that they were stored in", async () => {
    const { lines } = await readText(linesOf().join(""));
    const stored = object("default", "a", 11, { data: { "10": "ß\u2028", "9": '"\\}}' } });
    expect(lines[6]).toEqual({ type: "object", home: "default", ...stored });
  });

  test("may be cut into chunks anywhere", async () => {
    const text = linesOf().join("");
    for (const chunk of [1, 2, 7, 64, 1000]) expect(await readText(text, chunk)).toMatchObject({ objects: 4 });
  });

  test("may have names with any character in them", async () => {
    const odd = object("", 'a"b\\c:ü', 8);
    const homes: typeof HOMES = [["", [objectLine(odd)]]];
    expect((await readText(linesOf(homes).join(""))).lines[2]).toMatchObject({ name: 'a"b\\c:ü', json: odd.json });
  });
});

describe("what is not a snapshot", () => {
  test.each([
    ["nothing", "", "it is empty"],
    ["text", "hello\n", "its first line is not JSON"],
    ["other JSON", '{"kind":"PodList"}\n', "its first line is not a CoxswainSnapshot"],
    ["a list", "[]\n", "its first line is not a CoxswainSnapshot"],
    ["a part of a first line", headerLine(HEADER).slice(0, 40), "it has no first line"],
    ["another format's bytes", "\x1f\x8b\0\0\n", "its first line is not JSON"],
    ["endless bytes", "x".repeat(LINE_BYTES_MAX + 1), "its first line is too long"],
  ])("%s", async (_, text, why) => {
    expect(await refusal(text)).toBe(`this is not a Coxswain snapshot: ${why}`);
  });

  test("bytes that are no UTF-8", async () => {
    expect(await refusal(Uint8Array.of(0xff, 0xfe, 10))).toBe(
      "this is not a Coxswain snapshot: its first line is not JSON",
    );
  });

  test("that of a newer version is called that", async () => {
    const text = linesOf().join("").replace('"version":1', '"version":2');
    expect(await refusal(text)).toBe(
      `the snapshot's format is version 2: a newer Coxswain made it, this one reads version ${SNAPSHOT_VERSION}`,
    );
  });

  test.each([
    ["version", { version: 0 }],
    ["cluster", { cluster: "" }],
    ["revision", { revision: 1.5 }],
    ["revision", { revision: 0 }],
    ["time", { time: "yesterday" }],
    ["homes", { homes: "" }],
    ["homes", { homes: [] }],
    ["homes", { homes: ["default", ""] }],
    ["homes", { homes: ["", 1] }],
    ["homes", { homes: ["", "a", "a"] }],
  ])("a first line whose %s is wrong", async (field, wrong) => {
    const text = `${JSON.stringify({ kind: "CoxswainSnapshot", version: 1, ...HEADER, ...wrong })}\n`;
    expect(await refusal(text)).toBe(`the snapshot's first line is damaged: ${field} is not what it has to be`);
  });
});

describe("a snapshot that is damaged", () => {
  const lines = linesOf();

  test("that ends early says where, wherever it ends", async () => {
    const text = lines.join("");
    for (let end = lines[0]!.length; end < text.length; end++) {
      expect(await refusal(text.slice(0, end))).toMatch(
        /^the snapshot is truncated: it(s last line is missing| ends )/,
      );
    }
  });

  test.each([
    [1, "it ends before the home of the cluster's own objects"],
    [2, "it ends inside of the home of the cluster's own objects"],
    [5, 'it ends before the home of namespace "default"'],
    [7, 'it ends inside of the home of namespace "default"'],
    [11, "its last line is missing"],
  ])("that has only %i lines", async (count, why) => {
    expect(await refusal(lines.slice(0, count).join(""))).toBe(`the snapshot is truncated: ${why}`);
  });

  test("is refused whichever bit of it is turned", async () => {
    const bytes = new TextEncoder().encode(lines.join(""));
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = damaged[at]! ^ (1 << (at % 8));
      await refusal(damaged);
    }
  });

  test("in an object says in which home", async () => {
    const damaged = lines.with(6, lines[6]!.replace("ß", "s"));
    expect(await refusal(damaged.join(""))).toBe(
      'the home of namespace "default" is damaged: its objects do not match their checksum',
    );
  });

  test("in the way that an object is gone says in which home", async () => {
    expect(await refusal(lines.toSpliced(7, 1).join(""))).toBe(
      'the home of namespace "default" is damaged: it has 1 objects where it says 2',
    );
  });

  test("in a home's line alone is damaged as a whole", async () => {
    const spaced = lines.with(5, lines[5]!.replace(":", ": "));
    expect(await refusal(spaced.join(""))).toBe("the snapshot is damaged: it does not match its checksum");
  });

  test.each([
    ["an object outside of any home", lines.toSpliced(5, 0, lines[6]!), "line 6 is an object outside of any home"],
    [
      "a home that is not named",
      lines.with(5, homeLine("other")),
      'the home of namespace "other" is none of the homes that the snapshot names',
    ],
    [
      "a home that comes twice",
      lines.toSpliced(9, 0, ...lines.slice(5, 9)),
      'the home of namespace "default" is there twice',
    ],
    ["a home that is missing", lines.toSpliced(5, 4), 'the home of namespace "default" is missing'],
    ["a last home that is missing", lines.toSpliced(9, 2), 'the home of namespace "empty" is missing'],
    [
      "a home inside of a home",
      lines.toSpliced(8, 1),
      'line 9: the home of namespace "empty" begins inside of the home of namespace "default"',
    ],
    [
      "an end of another home",
      lines.with(4, homeEndLine("default", 2, "")),
      'line 5: the home of namespace "default" ends where it had not begun',
    ],
    [
      "an end of no home",
      lines.toSpliced(5, 0, lines[4]!),
      "line 6: the home of the cluster's own objects ends where it had not begun",
    ],
    [
      "an end inside of a home",
      [...lines.slice(0, 7), lines.at(-1)!],
      'line 8: the snapshot ends inside of the home of namespace "default"',
    ],
    ["a line of another sort", lines.with(6, "{}\n"), "line 7 is damaged: it is none that a snapshot has"],
    ["a line that is no JSON", lines.with(6, '{"resource":"configmaps"\n'), "line 7 is damaged: it is not JSON"],
    ["an empty line", lines.toSpliced(6, 0, "\n"), "line 7 is damaged: it is not JSON"],
    [
      "a line that is too long",
      lines.with(6, `${"x".repeat(LINE_BYTES_MAX + 1)}\n`),
      `line 7 is longer than ${LINE_BYTES_MAX} bytes`,
    ],
    [
      "wrong numbers at the end",
      withEnd(lines.slice(0, -1), 3, 5),
      "the snapshot is damaged: it has 3 homes and 4 objects where it says 3 and 5",
    ],
    ["lines after the end", [...lines, lines[6]!], "there is something after the snapshot's end"],
    ["bytes after the end", [...lines, "x"], "there is something after the snapshot's end"],
  ])("has %s", async (_, damaged, why) => {
    expect(await refusal(damaged.join(""))).toBe(why);
  });

  test.each([
    ["object is another", "its object", objectLine({ ...object("default", "a", 11), name: "z" })],
    ["object is of another namespace", "its object", objectLine(object("other", "a", 11))],
    ["object has no metadata", "its object", objectLine({ ...object("default", "a", 11), json: '{"kind":{}}' })],
    ["revision is another", "its revision", objectLine({ ...object("default", "a", 11), revision: 12 })],
    ["revision is later than the snapshot's", "its revision", objectLine(object("default", "a", 21))],
  ])("has a line whose %s, though every checksum is right", async (_, what, line) => {
    const homes: typeof HOMES = [HOMES[0]!, ["default", [line]]];
    const is = what === "its object" ? "its object is another" : "its revision is not possible";
    expect(await refusal(linesOf(homes).join(""))).toMatch(
      new RegExp(`^line 7 \\(\\w+ "[az]" of the home of namespace "default"\\) is damaged: ${is}$`),
    );
  });
});

test("a line of exactly the greatest length is read", () => {
  const splitter = new LineSplitter();
  const half = new Uint8Array(LINE_BYTES_MAX / 2).fill(97);
  expect([...splitter.push(half), ...splitter.push(half)]).toEqual([]);
  expect(splitter.unfinished).toBe(LINE_BYTES_MAX);
  expect([...splitter.push(Uint8Array.of(10, 98))].map(({ length }) => length)).toEqual([LINE_BYTES_MAX]);
  expect(splitter.unfinished).toBe(1);
});
