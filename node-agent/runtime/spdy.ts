/**
 * The frames of SPDY/3.1 that a CRI streaming server and its client exchange (draft-mbelshe-httpbis-spdy-00, section 2.6).
 * Header blocks travel in deflate's "stored" form, which every inflater accepts; what comes back in them is not needed,
 * so nothing is ever inflated.
 */

const VERSION = 3;
const TYPE = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;
const FLAG_FIN = 0x01;
const HEADER_BYTES = 8;
/** Larger data goes out in several frames; a frame's length has 24 bits. */
export const DATA_BYTES_MAX = 64 * 1024;
/** containerd copies in chunks of 32 KiB; anything above this is not SPDY. */
const FRAME_BYTES_MAX = 1 << 20;
const STORED_BLOCK_BYTES_MAX = 0xffff;
const ZLIB_HEADER = Buffer.from([0x78, 0x01]);
/** An empty stored block: without it an inflater keeps what it has until the next block. */
const FLUSH = Buffer.from([0, 0, 0, 0xff, 0xff]);

export type SpdyEvent =
  | { type: "data"; stream: number; data: Uint8Array; fin: boolean }
  | { type: "reset"; stream: number }
  | { type: "reply"; stream: number }
  | { type: "ping"; frame: Uint8Array }
  | { type: "goaway" };

/** Frames a client sends. One per connection: the header compression has a beginning. */
export function spdyWriter() {
  let first = true;
  return {
    synStream(stream: number, headers: Record<string, string>): Uint8Array {
      const block = stored(headerBlock(headers), first);
      first = false;
      const payload = Buffer.alloc(10 + block.length);
      payload.writeUInt32BE(stream, 0);
      block.copy(payload, 10);
      return control(TYPE.synStream, payload);
    },
    data(stream: number, data: Uint8Array, fin = false): Uint8Array {
      const frame = Buffer.alloc(HEADER_BYTES + data.length);
      frame.writeUInt32BE(stream, 0);
      frame[4] = fin ? FLAG_FIN : 0;
      frame.writeUIntBE(data.length, 5, 3);
      frame.set(data, HEADER_BYTES);
      return frame;
    },
  };
}

/** Cuts the incoming bytes into frames. `push` throws where the peer does not speak SPDY. */
export function spdyReader(onEvent: (event: SpdyEvent) => void) {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(chunk: Buffer): void {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= HEADER_BYTES) {
        const length = rest.readUIntBE(5, 3);
        if (length > FRAME_BYTES_MAX) throw new Error(`SPDY frame of ${length} bytes`);
        if (rest.length < HEADER_BYTES + length) return;
        const event = read(rest.subarray(0, HEADER_BYTES + length));
        rest = rest.subarray(HEADER_BYTES + length);
        if (event) onEvent(event);
      }
    },
  };
}

function read(frame: Buffer): SpdyEvent | undefined {
  const payload = frame.subarray(HEADER_BYTES);
  const fin = (frame[4]! & FLAG_FIN) !== 0;
  if ((frame[0]! & 0x80) === 0) return { type: "data", stream: frame.readUInt32BE(0), data: payload, fin };
  const version = frame.readUInt16BE(0) & 0x7fff;
  if (version !== VERSION) throw new Error(`SPDY version ${version}`);
  switch (frame.readUInt16BE(2)) {
    case TYPE.synReply:
      return { type: "reply", stream: payload.readUInt32BE(0) };
    case TYPE.rstStream:
      return { type: "reset", stream: payload.readUInt32BE(0) };
    case TYPE.ping:
      return { type: "ping", frame: Buffer.from(frame) };
    case TYPE.goAway:
      return { type: "goaway" };
    default:
      return undefined; // SETTINGS, HEADERS, WINDOW_UPDATE: neither side of this protocol acts on them.
  }
}

function control(type: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt16BE(0x8000 | VERSION, 0);
  frame.writeUInt16BE(type, 2);
  frame.writeUIntBE(payload.length, 5, 3);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

function headerBlock(headers: Record<string, string>): Buffer {
  const entries = Object.entries(headers);
  const parts = [uint32(entries.length)];
  for (const [name, value] of entries) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text);
      parts.push(uint32(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

function stored(bytes: Buffer, withZlibHeader: boolean): Buffer {
  if (bytes.length > STORED_BLOCK_BYTES_MAX) throw new Error("SPDY headers are too large");
  const head = Buffer.alloc(5);
  head.writeUInt16LE(bytes.length, 1);
  head.writeUInt16LE(bytes.length ^ 0xffff, 3);
  return Buffer.concat([withZlibHeader ? ZLIB_HEADER : Buffer.alloc(0), head, bytes, FLUSH]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
