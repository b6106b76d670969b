import { DATA_FRAME_BYTES_MAX, WINDOW_BYTES, type WindowMessage, windowMessage } from "../../api/node-link.ts";
import type { Channel } from "../tls/channel.ts";

/** What of a WebSocket is needed. */
export interface StreamSocket {
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
}

/**
 * The bytes of a windowed stream (api/node-link.ts). `onTold` hears what is said beside them; an Error: why nothing
 * more will be said.
 */
export function windowedChannel(
  socket: StreamSocket,
  onTold: (message: WindowMessage | Error) => void = () => {},
): Channel {
  let credit = WINDOW_BYTES;
  let room = WINDOW_BYTES;
  let owed = 0;
  let isOver = false;
  let credited = () => {};
  let reader: ReadableStreamDefaultController<Uint8Array> | undefined;

  const tell = (message: WindowMessage) => {
    if (!isOver) socket.send(JSON.stringify(message));
  };
  const ask = () => {
    if (owed === 0) return;
    const more = owed;
    owed = 0;
    room += more;
    tell({ more });
  };
  /** The reader's end, with or without a fault; there is none twice. */
  const endReading = (error?: Error) => {
    const ending = reader;
    reader = undefined;
    if (error) ending?.error(error);
    else ending?.close();
  };
  const over = (error?: Error) => {
    if (isOver) return;
    isOver = true;
    socket.close(1000);
    endReading(error);
    credited();
    onTold(error ?? new Error("EOF"));
  };
  const obey = (text: string) => {
    const message = parsed(text);
    if (!message) return over(new Error("not a message of a windowed stream"));
    if ("more" in message) {
      credit += message.more;
      credited();
    } else if ("end" in message) endReading();
    else onTold(message);
  };
  const take = (data: Uint8Array) => {
    room -= data.length;
    if (room < 0) return over(new Error("more was sent than there is room for"));
    owed += data.length;
    reader?.enqueue(data);
    if ((reader?.desiredSize ?? 1) > 0) ask();
  };
  socket.addEventListener("message", ({ data }) => {
    if (isOver) return;
    if (typeof data === "string") obey(data);
    else take(new Uint8Array(data as ArrayBuffer));
  });
  // Who breaks off without a word may have cut off what was still to come.
  socket.addEventListener("close", () => over(new Error("unexpected EOF")));
  socket.addEventListener("error", () => over(new Error("unexpected EOF")));

  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        reader = controller;
      },
      pull: ask,
      cancel: () => over(),
    },
    { highWaterMark: DATA_FRAME_BYTES_MAX, size: (chunk) => chunk?.byteLength ?? 0 },
  );
  const writable = new WritableStream<Uint8Array>({
    async write(chunk) {
      for (let rest = chunk; rest.length > 0; ) {
        if (isOver) throw new Error("write: broken pipe");
        if (credit === 0) {
          await new Promise<void>((resolve) => {
            credited = resolve;
          });
          continue;
        }
        const piece = rest.subarray(0, Math.min(credit, DATA_FRAME_BYTES_MAX));
        credit -= piece.length;
        socket.send(piece);
        rest = rest.subarray(piece.length);
      }
    },
    close: () => tell({ end: true }),
    abort: () => over(),
  });
  return { readable, writable, close: async () => over() };
}

function parsed(text: string): WindowMessage | undefined {
  try {
    return windowMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
