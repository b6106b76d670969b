import { createHash } from "node:crypto";
import { extract } from "tar-stream";
import { expect, test } from "vitest";
import { PAUSE_IMAGE, pauseImageArchive } from "./pause-image.ts";
import { pauseProgram } from "./pause-program.ts";

async function unpack(archive: Uint8Array): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const stream = extract();
  stream.end(archive);
  for await (const entry of stream) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files.set(entry.header.name, Buffer.concat(chunks));
  }
  return files;
}

test("the archive's manifest, config and layer are found by their digests, down to the program", async () => {
  const files = await unpack(await pauseImageArchive("amd64"));
  const blob = (digest: string): Buffer => {
    const content = files.get(`blobs/${digest.replace(":", "/")}`)!;
    expect(`sha256:${createHash("sha256").update(content).digest("hex")}`).toBe(digest);
    return content;
  };
  const [entry] = JSON.parse(files.get("index.json")!.toString()).manifests;
  expect(entry.annotations["io.containerd.image.name"]).toBe(PAUSE_IMAGE);
  const manifest = JSON.parse(blob(entry.digest).toString());
  const config = JSON.parse(blob(manifest.config.digest).toString());
  const layer = blob(manifest.layers[0].digest);
  expect(config.rootfs.diff_ids).toEqual([manifest.layers[0].digest]);
  expect(config.config.Entrypoint).toEqual(["/pause"]);
  expect((await unpack(layer)).get("pause")).toEqual(Buffer.from(pauseProgram("amd64")));
});

test("the archive is the same each time, so that a node never imports it twice", async () => {
  expect(await pauseImageArchive("arm64")).toEqual(await pauseImageArchive("arm64"));
});

test.each([
  ["amd64", 62],
  ["arm64", 183],
] as const)(
  "the program for %s is an ELF executable of that machine whose one segment is the file",
  (architecture, machine) => {
    const program = Buffer.from(pauseProgram(architecture));
    expect(program.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
    expect(program.readUInt16LE(18)).toBe(machine);
    expect(program.readBigUInt64LE(64 + 32)).toBe(BigInt(program.length));
  },
);

test("the program's entry is its code, and the code names the struct that says: ignore", () => {
  const program = Buffer.from(pauseProgram("amd64"));
  const base = program.readBigUInt64LE(64 + 16);
  const entry = Number(program.readBigUInt64LE(24) - base);
  expect(program[entry]).toBe(0xb8); // mov eax, …
  const struct = program.readUInt32LE(entry + 11) - Number(base);
  expect(program.readBigUInt64LE(struct)).toBe(1n);
  expect(struct + 32).toBe(program.length);
});
