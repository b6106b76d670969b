/** What waits for a reader that is slower; nothing more is read for it, or told to it, until it has taken some. */
const WAITING_BYTES_MAX = 1 << 20;

/** The writing end of a watch: whole lines, in order. Whoever writes waits for `ready`, and is told by `isFull` when to. */
export class WatchStream {
  readonly readable: ReadableStream<Uint8Array>;
  #controller: ReadableByteStreamController | undefined;
  #ready: (() => void)[] = [];
  readonly #onClose: () => void;

  /** `onClose` is called once, whoever ends the watch. */
  constructor(onClose: () => void) {
    this.#onClose = onClose;
    this.readable = new ReadableStream(
      {
        type: "bytes",
        start: (controller) => {
          this.#controller = controller as ReadableByteStreamController;
        },
        pull: () => this.#wake(),
        cancel: () => this.#end(),
      },
      { highWaterMark: WAITING_BYTES_MAX },
    );
  }

  get isOpen(): boolean {
    return this.#controller !== undefined;
  }

  /** The reader has as much before it as may wait. */
  get isFull(): boolean {
    return (this.#controller?.desiredSize ?? 1) <= 0;
  }

  /** The bytes are the stream's from then on. */
  write(lines: Uint8Array): void {
    if (!this.#controller || lines.length === 0) return;
    try {
      this.#controller.enqueue(lines as Uint8Array<ArrayBuffer>);
    } catch {
      // The reader has gone, and the platform has not said so before.
      this.#end();
    }
  }

  /** Resolves when the reader has room for more, or the watch has ended. */
  async ready(): Promise<void> {
    if (this.isFull) await new Promise<void>((resolve) => this.#ready.push(resolve));
  }

  close(): void {
    const controller = this.#controller;
    if (!controller) return;
    this.#end();
    controller.close();
    // A byte stream with a pending read closes only when that read is answered.
    controller.byobRequest?.respond(0);
  }

  #end(): void {
    if (!this.#controller) return;
    this.#controller = undefined;
    this.#wake();
    this.#onClose();
  }

  #wake(): void {
    for (const resolve of this.#ready.splice(0)) resolve();
  }
}
