import type { Sha256 } from "./snapshot-format.ts";

/** What workerd has as `crypto.DigestStream`. */
type DigestStreamClass = new (algorithm: "SHA-256") => WritableStream<Uint8Array> & { digest: Promise<ArrayBuffer> };

/** A write to the stream costs more than the hashing of a short line. */
const BUFFER_BYTES = 64 << 10;

/** Makes hashes of the platform's digest streams. */
export const sha256By = (DigestStream: DigestStreamClass) => (): Sha256 => {
  const stream = new DigestStream("SHA-256");
  const writer = stream.getWriter();
  let buffer = new Uint8Array(BUFFER_BYTES);
  let used = 0;
  const write = (bytes: Uint8Array): void => {
    writer.write(bytes).catch(() => undefined); // `hex` rejects with the same.
  };
  return {
    update(bytes) {
      if (used + bytes.length > BUFFER_BYTES) {
        write(buffer.subarray(0, used));
        buffer = new Uint8Array(BUFFER_BYTES);
        used = 0;
      }
      if (bytes.length > BUFFER_BYTES) {
        write(bytes.slice());
        return;
      }
      buffer.set(bytes, used);
      used += bytes.length;
    },
    async hex() {
      if (used > 0) write(buffer.subarray(0, used));
      await writer.close();
      return Array.from(new Uint8Array(await stream.digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    },
  };
};
