import { alertError } from "./alert.ts";
import { type Bytes, concat, EMPTY, uint16 } from "./bytes.ts";
import type { Channel } from "./channel.ts";
import type { TrafficCipher } from "./key-schedule.ts";

export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, application: 23 } as const;

const HEADER_BYTES = 5;
const PLAINTEXT_MAX = 2 ** 14;
const CIPHERTEXT_MAX = PLAINTEXT_MAX + 256;
const WRITTEN_VERSION = 0x0303;
const TAG_BYTES = 16;
/** Records of nothing between two with something in them. */
const EMPTY_RECORDS_MAX = 32;

export interface TlsRecord {
  readonly type: number;
  readonly content: Bytes;
}

/** TLS 1.3's record layer over a connection (RFC 8446 section 5). */
export class TlsRecords {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #close: () => Promise<void>;
  #buffered: Bytes = EMPTY;
  /** None before the keys are agreed on. */
  reading: TrafficCipher | undefined;
  writing: TrafficCipher | undefined;

  constructor(channel: Channel) {
    this.#reader = channel.readable.getReader();
    this.#writer = channel.writable.getWriter();
    this.#close = () => channel.close();
  }

  /** The next record; undefined: the connection ended between two. @throws where it ended within one, or is not TLS. */
  async read(): Promise<TlsRecord | undefined> {
    for (let i = 0; i < EMPTY_RECORDS_MAX; i++) {
      const header = await this.#take(HEADER_BYTES);
      if (!header) return undefined;
      const [type = 0, , , high = 0, low = 0] = header;
      const length = high * 256 + low;
      if (length > CIPHERTEXT_MAX || type < RECORD.changeCipherSpec || type > RECORD.application) {
        throw new Error("tls: first record does not look like a TLS handshake");
      }
      const body = await this.#take(length);
      if (!body) throw new Error("unexpected EOF");
      // For middleboxes alone (RFC 8446 appendix D.4).
      if (type === RECORD.changeCipherSpec) continue;
      if (!this.reading) return { type, content: body };
      if (type !== RECORD.application) {
        // Of a server that does not have the keys yet. Never a farewell: anybody on the way could have said it.
        if (type === RECORD.alert) throw alertError(body);
        throw new Error("tls: unexpected message");
      }
      const inner = await this.reading.decrypt(body, header);
      let end = inner.length;
      while (end > 0 && inner[end - 1] === 0) end--;
      if (end === 0) throw new Error("tls: unexpected message");
      if (end === 1 && inner[0] === RECORD.application) continue;
      return { type: inner[end - 1]!, content: inner.subarray(0, end - 1) };
    }
    throw new Error("tls: too many ignored records");
  }

  async write(type: number, content: Bytes): Promise<void> {
    for (let at = 0; at === 0 || at < content.length; at += PLAINTEXT_MAX) {
      const part = content.subarray(at, at + PLAINTEXT_MAX);
      if (!this.writing || type === RECORD.changeCipherSpec) {
        await this.#writer.write(concat(headerOf(type, part.length), part));
        continue;
      }
      const inner = concat(part, Uint8Array.of(type));
      const header = headerOf(RECORD.application, inner.length + TAG_BYTES);
      await this.#writer.write(concat(header, await this.writing.encrypt(inner, header)));
    }
  }

  async close(): Promise<void> {
    await this.#close();
  }

  /** Undefined: there is nothing more at all. */
  async #take(length: number): Promise<Bytes | undefined> {
    const parts: Uint8Array[] = [this.#buffered];
    let have = this.#buffered.length;
    while (have < length) {
      const { value, done } = await this.#reader.read();
      if (done) {
        if (have === 0) return undefined;
        throw new Error("unexpected EOF");
      }
      parts.push(value);
      have += value.length;
    }
    const all = parts.length === 1 ? this.#buffered : concat(...parts);
    this.#buffered = all.subarray(length);
    return all.subarray(0, length);
  }
}

const headerOf = (type: number, length: number): Bytes =>
  concat(Uint8Array.of(type), uint16(WRITTEN_VERSION), uint16(length));
