import { Duplex } from "node:stream";
import WebSocket from "ws";
import { DATA_FRAME_BYTES_MAX, WINDOW_BYTES, type WindowMessage, windowMessage } from "../../api/node-link.ts";

/** The bytes of a windowed stream (api/node-link.ts): neither side is sent more than it has room for. */
export class WindowedDuplex extends Duplex {
  readonly #socket: WebSocket;
  /** What may still be sent. */
  #credit = WINDOW_BYTES;
  /** What was received and not yet asked for again. */
  #owed = 0;
  /** What the other side may still send. */
  #room = WINDOW_BYTES;
  #unsent: { data: Buffer; done: () => void } | undefined;

  constructor(socket: WebSocket) {
    super({ allowHalfOpen: true, highWaterMark: DATA_FRAME_BYTES_MAX });
    this.#socket = socket;
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) this.#take(data);
      else this.#obey(data.toString());
    });
    socket.on("close", () => this.destroy());
  }

  tell(message: WindowMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  override _write(data: Buffer, _encoding: string, done: () => void): void {
    this.#unsent = { data, done };
    this.#send();
  }

  override _final(done: () => void): void {
    this.tell({ end: true });
    done();
  }

  override _read(): void {
    const more = this.#owed;
    if (more === 0) return;
    this.#owed = 0;
    this.#room += more;
    this.tell({ more });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.close(1000);
    done(error);
  }

  #send(): void {
    while (this.#unsent && this.#credit > 0) {
      const { data, done } = this.#unsent;
      const piece = data.subarray(0, Math.min(this.#credit, DATA_FRAME_BYTES_MAX));
      this.#credit -= piece.length;
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(piece);
      this.#unsent = piece.length === data.length ? undefined : { data: data.subarray(piece.length), done };
      if (!this.#unsent) done();
    }
  }

  #take(data: Buffer): void {
    this.#room -= data.length;
    if (this.#room < 0) {
      this.destroy(new Error("more was sent than there is room for"));
      return;
    }
    this.#owed += data.length;
    // False: `_read` asks for more, once what is there has been read.
    if (this.push(data)) this._read();
  }

  #obey(text: string): void {
    const message = parsed(text);
    if (message && "more" in message) {
      this.#credit += message.more;
      this.#send();
    } else if (message && "end" in message) this.push(null);
    else this.destroy(new Error("not a message of a windowed stream"));
  }
}

function parsed(text: string): WindowMessage | undefined {
  try {
    return windowMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
