import { connect, type TLSSocket } from "node:tls";

/** One HTTP response, its body as text. */
export interface Answer {
  status: number;
  body: string;
}

/**
 * One keep-alive HTTP/1.1 connection over TLS that costs the load generator as little as can be, so that a measurement is of
 * the server: requests are sent one after the other, answers read by Content-Length or chunks.
 */
export class HttpClient {
  readonly #socket: TLSSocket;
  readonly #head: string;
  #unread: Buffer = Buffer.alloc(0);
  #wait: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #incoming: Incoming | undefined;
  #failure: Error | undefined;

  private constructor(socket: TLSSocket, host: string, token: string) {
    this.#socket = socket;
    this.#head = `Host: ${host}\r\nAuthorization: Bearer ${token}\r\nAccept: application/json\r\n`;
    socket.on("data", (chunk) => {
      this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
      this.#read();
    });
    const fail = (error = new Error("the server closed the connection")) => {
      this.#failure ??= error;
      this.#wait?.reject(this.#failure);
    };
    socket.on("error", fail);
    socket.on("close", () => fail());
  }

  static async open(url: string, token: string, ca: string): Promise<HttpClient> {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), ca, ALPNProtocols: ["http/1.1"] });
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    return new HttpClient(socket, host, token);
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Rejects once the connection is lost: whether the server has done what was asked is not known then. */
  request(method: string, path: string, body?: string, contentType = "application/json"): Promise<Answer> {
    if (this.#failure) return Promise.reject(this.#failure);
    const entity =
      body === undefined
        ? "\r\n"
        : `Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    return new Promise((resolve, reject) => {
      this.#wait = { resolve, reject };
      this.#socket.write(`${method} ${path} HTTP/1.1\r\n${this.#head}${entity}`);
    });
  }

  /** Gives up: what was asked is rejected with this. */
  abort(error: Error): void {
    this.#socket.destroy(error);
  }

  close(): void {
    this.#wait = undefined;
    this.#socket.destroy();
  }

  /** Takes what has arrived, each byte once: a large body comes in many parts. */
  #read(): void {
    for (;;) {
      this.#incoming ??= this.#readHead();
      const incoming = this.#incoming;
      if (!incoming) return;
      if (incoming.left > 0) {
        const part = this.#unread.subarray(0, incoming.left);
        this.#unread = this.#unread.subarray(part.length);
        incoming.parts.push(part);
        incoming.left -= part.length;
        if (incoming.left > 0) return;
      }
      if (incoming.isChunked) {
        const size = this.#readChunkSize(incoming.parts.length === 0);
        if (size === undefined) return;
        incoming.left = size;
        if (size > 0) continue;
      }
      this.#incoming = undefined;
      const wait = this.#wait;
      this.#wait = undefined;
      wait?.resolve({ status: incoming.status, body: Buffer.concat(incoming.parts).toString("utf8") });
      return;
    }
  }

  #readHead(): Incoming | undefined {
    const end = this.#unread.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const head = this.#unread.toString("latin1", 0, end);
    this.#unread = this.#unread.subarray(end + 4);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    return { status: Number(head.slice(9, 12)), parts: [], left: Number(length?.[1] ?? 0), isChunked: !length };
  }

  /** Of the chunk that follows, 0 for the last; undefined while its line is not there yet. Chunks end with a line's end. */
  #readChunkSize(isFirst: boolean): number | undefined {
    const start = isFirst ? 0 : 2;
    const end = this.#unread.indexOf("\r\n", start);
    if (end < 0) return undefined;
    const size = Number.parseInt(this.#unread.toString("latin1", start, end), 16);
    // The empty line after the last chunk comes with it.
    const after = size > 0 ? end + 2 : end + 4;
    if (this.#unread.length < after) return undefined;
    this.#unread = this.#unread.subarray(after);
    return size;
  }
}

/** An answer of which some is still to come: `left` bytes of its body, or of the present chunk. */
interface Incoming {
  status: number;
  parts: Buffer[];
  left: number;
  isChunked: boolean;
}
