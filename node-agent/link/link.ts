import type { Logger } from "pino";
import WebSocket from "ws";
import {
  type AgentRequest,
  FRAME_BYTES_MAX,
  type MessageToAgent,
  messageToAgent,
  PING,
  PING_SECONDS,
  PONG,
  type StreamRequest,
} from "../../api/node-link.ts";

/** The control plane has gone when nothing was heard for this long. */
const SILENCE_SECONDS = 25;
const REQUEST_SECONDS = 30;
const CONNECT_SECONDS = 10;
/** Requests that wait for their answers at once; beyond it callers are refused and try again later. */
const REQUESTS_MAX = 1000;
const BACK_OFF_FIRST_MILLISECONDS = 200;
const BACK_OFF_MAX_MILLISECONDS = 10_000;
/** A connection that lasted this long was a good one: the next failure begins with the first back-off. */
const GOOD_MILLISECONDS = 10_000;
/** Larger frames than the other side may send would be its mistake; the margin is for JSON's escapes. */
const RECEIVED_BYTES_MAX = 8 * FRAME_BYTES_MAX;

export interface Answer {
  code: number;
  body: Record<string, unknown>;
}

export interface LinkOptions {
  /** `https://…` of the API server, with `/clusters/<name>` where it is not the default cluster. */
  server: string;
  nodeName: string;
  token: string;
  /** PEM of the authority that signed the server's certificate; the system's where absent. */
  ca?: string;
  log: Logger;
  random(): number;
  onWatch(message: Extract<MessageToAgent, { type: "watch" }>): void;
  onStream(stream: string, request: StreamRequest): void;
  onConnected(): void;
  onDisconnected(): void;
}

interface Pending {
  resolve(answer: Answer): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** The node's one WebSocket to the control plane; opened again for as long as the agent lives. */
export class Link {
  readonly #options: LinkOptions;
  readonly #pending = new Map<number, Pending>();
  #socket: WebSocket | undefined;
  #nextId = 1;
  #stopped = false;
  #backOff = BACK_OFF_FIRST_MILLISECONDS;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#connect();
  }

  /** Resolves with whatever the control plane answers; rejects when it cannot be asked, or does not answer in time. */
  request(request: AgentRequest, timeoutSeconds = REQUEST_SECONDS): Promise<Answer> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error("not connected to the control plane"));
    if (this.#pending.size >= REQUESTS_MAX)
      return Promise.reject(new Error("too many requests wait for the control plane"));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error("the control plane did not answer in time"));
      }, timeoutSeconds * 1000);
      this.#pending.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ type: "request", id, request }));
    });
  }

  /** Opens the stream socket that the control plane asked for. */
  dialStream(stream: string): WebSocket {
    return this.#dial(`${this.#url()}/streams/${encodeURIComponent(stream)}`);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#socket?.close(1000);
  }

  #url(): string {
    return `${this.#options.server.replace(/^http/, "ws").replace(/\/$/, "")}/node-link`;
  }

  #dial(url: string): WebSocket {
    const { token, ca } = this.#options;
    return new WebSocket(url, {
      headers: { Authorization: `Bearer ${token}` },
      ...(ca !== undefined && { ca }),
      handshakeTimeout: CONNECT_SECONDS * 1000,
      maxPayload: RECEIVED_BYTES_MAX,
      perMessageDeflate: false,
    });
  }

  #connect(): void {
    if (this.#stopped) return;
    const { log, onConnected, onDisconnected } = this.#options;
    const socket = this.#dial(this.#url());
    this.#socket = socket;
    let openedAt = 0;
    let heardAt = Date.now();
    const beat = setInterval(() => {
      if (Date.now() - heardAt > SILENCE_SECONDS * 1000) socket.terminate();
      else if (socket.readyState === WebSocket.OPEN) socket.send(PING);
    }, PING_SECONDS * 1000);
    socket.on("open", () => {
      openedAt = Date.now();
      heardAt = openedAt;
      log.info("connected to the control plane");
      onConnected();
    });
    socket.on("message", (data: Buffer, isBinary) => {
      heardAt = Date.now();
      if (!isBinary) this.#take(data.toString());
    });
    socket.on("error", (error) => log.warn({ error: error.message }, "the link to the control plane failed"));
    socket.on("close", (code) => {
      clearInterval(beat);
      this.#socket = undefined;
      for (const { reject, timer } of this.#pending.values()) {
        clearTimeout(timer);
        reject(new Error("the link to the control plane broke"));
      }
      this.#pending.clear();
      if (openedAt > 0) {
        log.warn({ code }, "disconnected from the control plane");
        onDisconnected();
      }
      this.#connectLater(openedAt > 0 && Date.now() - openedAt > GOOD_MILLISECONDS);
    });
  }

  #connectLater(afterGood: boolean): void {
    if (this.#stopped) return;
    if (afterGood) this.#backOff = BACK_OFF_FIRST_MILLISECONDS;
    // Many nodes lose the same server at the same moment: they must not come back as one.
    const wait = this.#backOff * (0.5 + this.#options.random());
    this.#backOff = Math.min(this.#backOff * 2, BACK_OFF_MAX_MILLISECONDS);
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #take(text: string): void {
    if (text === PONG) return;
    const { log, onWatch, onStream } = this.#options;
    let message: MessageToAgent;
    try {
      message = messageToAgent.parse(JSON.parse(text));
    } catch (error) {
      log.error({ error: (error as Error).message }, "a message of the control plane is not understood");
      return;
    }
    switch (message.type) {
      case "watch":
        onWatch(message);
        return;
      case "open":
        onStream(message.stream, message.request);
        return;
      case "answer": {
        const pending = this.#pending.get(message.id);
        if (!pending) return;
        this.#pending.delete(message.id);
        clearTimeout(pending.timer);
        pending.resolve({ code: message.code, body: message.body });
        return;
      }
    }
  }
}
