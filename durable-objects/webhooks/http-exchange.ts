import { concat, EMPTY } from "../tls/bytes.ts";
import type { Channel } from "../tls/channel.ts";
import type { WebhookReply } from "./webhook-transport.ts";

const HEAD_BYTES_MAX = 64 * 1024;
/** A patch of the largest object, in base64, is less. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;
/** `100 Continue` and its kin before the answer. */
const INTERIM_MAX = 8;
const CRLF = [13, 10] as const;

export interface PostRequest {
  /** Of the URL. */
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  /** JSON. */
  readonly body: string;
}

/** One POST over a connection that carries nothing else (HTTP/1.1, RFC 9112). @throws Error where no whole answer comes. */
export async function postJson(channel: Channel, { host, path, body }: PostRequest): Promise<WebhookReply> {
  const bytes = new TextEncoder().encode(body);
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    "User-Agent: kube-apiserver-admission",
    "Accept: application/json, */*",
    "Content-Type: application/json",
    `Content-Length: ${bytes.length}`,
    "Connection: close",
  ];
  const writer = channel.writable.getWriter();
  const written = writer.write(concat(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`), bytes));
  // Who answers before it has read everything is heard all the same.
  written.catch(() => undefined);
  const reader = new HttpReader(channel.readable.getReader());
  for (let i = 0; i < INTERIM_MAX; i++) {
    const { code, headers } = parseHead(await reader.head());
    if (code >= 200 || code === 101) {
      return { code, contentType: headers.get("content-type") ?? "", body: await readBody(reader, code, headers) };
    }
  }
  throw new Error("net/http: too many 1xx informational responses");
}

async function readBody(reader: HttpReader, code: number, headers: Map<string, string>): Promise<string> {
  if (code === 204 || code === 304 || code < 200) return "";
  const encoding = headers.get("transfer-encoding");
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== "chunked")
      throw new Error(`unsupported transfer encoding: ${JSON.stringify(encoding)}`);
    return text(await readChunks(reader));
  }
  const length = headers.get("content-length");
  if (length === undefined) return text(await reader.rest());
  if (!/^\d+$/.test(length)) throw new Error(`bad Content-Length ${JSON.stringify(length)}`);
  return text(await reader.take(Number(length)));
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function readChunks(reader: HttpReader): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(await reader.line());
    if (!size) throw new Error("malformed chunked encoding");
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) return concat(...chunks);
    total += length;
    if (total > BODY_BYTES_MAX) throw tooLarge();
    chunks.push(await reader.take(length));
    if ((await reader.line()) !== "") throw new Error("malformed chunked encoding");
  }
}

const tooLarge = (): Error => new Error(`the webhook's response is longer than ${BODY_BYTES_MAX} bytes`);

function parseHead(head: string): { code: number; headers: Map<string, string> } {
  const [first = "", ...lines] = head.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first);
  if (!status) throw new Error(`malformed HTTP response ${JSON.stringify(first.slice(0, 100))}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new Error("malformed MIME header line");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    // Two lengths are two opinions of where the answer ends.
    if (name === "content-length" && headers.has(name) && headers.get(name) !== value)
      throw new Error("http: message cannot contain multiple Content-Length headers");
    headers.set(name, value);
  }
  return { code: Number(status[1]), headers };
}

class HttpReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #buffered: Uint8Array = EMPTY;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
  }

  /** Status line and headers, without the empty line after them. */
  async head(): Promise<string> {
    const lines: string[] = [];
    let bytes = 0;
    for (;;) {
      const line = await this.line();
      bytes += line.length;
      if (bytes > HEAD_BYTES_MAX) throw new Error("net/http: server response headers exceeded the limit");
      if (line === "" && lines.length > 0) return lines.join("\r\n");
      lines.push(line);
    }
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#buffered.indexOf(CRLF[1]);
      if (end >= 0) {
        const line = text(this.#buffered.subarray(0, end)).replace(/\r$/, "");
        this.#buffered = this.#buffered.subarray(end + 1);
        return line;
      }
      if (this.#buffered.length > HEAD_BYTES_MAX) {
        throw new Error("net/http: server response headers exceeded the limit");
      }
      if (!(await this.#more())) throw new Error("unexpected EOF");
    }
  }

  async take(length: number): Promise<Uint8Array> {
    if (length > BODY_BYTES_MAX) throw tooLarge();
    const parts = [this.#buffered];
    let have = this.#buffered.length;
    while (have < length) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("unexpected EOF");
      parts.push(value);
      have += value.length;
    }
    const all = concat(...parts);
    this.#buffered = all.subarray(length);
    return all.subarray(0, length);
  }

  /** All until the connection ends. */
  async rest(): Promise<Uint8Array> {
    const parts = [this.#buffered];
    let have = this.#buffered.length;
    for (;;) {
      if (have > BODY_BYTES_MAX) throw tooLarge();
      const { value, done } = await this.#reader.read();
      if (done) return concat(...parts);
      parts.push(value);
      have += value.length;
    }
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#reader.read();
    if (done) return false;
    this.#buffered = concat(this.#buffered, value);
    return true;
  }
}
