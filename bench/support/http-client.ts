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

  private constructor(socket: TLSSocket, host: string, token: string) {
    this.#socket = socket;
    this.#head = `Host: ${host}\r\nAuthorization: Bearer ${token}\r\nAccept: application/json\r\n`;
    socket.on("data", (chunk) => {
      this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
      this.#read();
    });
    const fail = (error?: Error) => this.#wait?.reject(error ?? new Error("the server closed the connection"));
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

  request(method: string, path: string, body?: string, contentType = "application/json"): Promise<Answer> {
    const entity =
      body === undefined
        ? "\r\n"
        : `Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    return new Promise((resolve, reject) => {
      this.#wait = { resolve, reject };
      this.#socket.write(`${method} ${path} HTTP/1.1\r\n${this.#head}${entity}`);
    });
  }

  close(): void {
    this.#wait = undefined;
    this.#socket.destroy();
  }

  #read(): void {
    const headEnd = this.#unread.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#unread.toString("latin1", 0, headEnd);
    const entity = entityOf(head, this.#unread, headEnd + 4);
    if (!entity) return;
    this.#unread = this.#unread.subarray(entity.end);
    const wait = this.#wait;
    this.#wait = undefined;
    wait?.resolve({ status: Number(head.slice(9, 12)), body: entity.body });
  }
}

/** The body that starts at `start` and where it ends, or undefined while it is not whole. */
function entityOf(head: string, bytes: Buffer, start: number): { body: string; end: number } | undefined {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (length) {
    const end = start + Number(length[1]);
    return bytes.length < end ? undefined : { body: bytes.toString("utf8", start, end), end };
  }
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const chunkEnd = lineEnd + 2 + size;
    if (bytes.length < chunkEnd + 2) return undefined;
    if (size === 0) return { body: Buffer.concat(parts).toString("utf8"), end: chunkEnd + 2 };
    parts.push(bytes.subarray(lineEnd + 2, chunkEnd));
    at = chunkEnd + 2;
  }
}
