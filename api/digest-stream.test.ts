import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256By } from "./digest-stream.ts";

/** As the platform's: what is written goes into the digest when the stream gets to it. */
class DigestStream extends WritableStream<Uint8Array> {
  readonly digest: Promise<ArrayBuffer>;

  constructor(algorithm: "SHA-256") {
    const hash = createHash(algorithm.replace("-", ""));
    const { promise, resolve } = Promise.withResolvers<ArrayBuffer>();
    super({
      async write(bytes) {
        await Promise.resolve();
        hash.update(bytes);
      },
      close: () => resolve(new Uint8Array(hash.digest()).buffer),
    });
    this.digest = promise;
  }
}

test.each([[], [0], [1], [5, 3], [65_535, 1, 1], [65_536], [65_537], [10, 200_000, 10], [40_000, 40_000, 40_000]])(
  "parts of %j %j %j bytes have the hash of the whole",
  async (...sizes) => {
    const parts = sizes.map((size, i) => new Uint8Array(size).map((_, at) => (at * 7 + i) % 251));
    const hash = sha256By(DigestStream)();
    for (const part of parts) {
      hash.update(part);
      part.fill(0); // Whoever gave it may use its memory again.
    }
    const whole = createHash("sha256");
    for (const [i, size] of sizes.entries()) whole.update(new Uint8Array(size).map((_, at) => (at * 7 + i) % 251));
    expect(await hash.hex()).toBe(whole.digest("hex"));
  },
);
