/** What may wait for a slow reader; beyond it the watch ends, and its client starts another. */
const WAITING_BYTES_MAX = 8 << 20;
/** Up to here more is read for it at once. */
const WAITING_BYTES_WANTED = 1 << 20;

const encoder = new TextEncoder();

/** The writing end of a watch: whole lines, in order, bounded. */
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
      { highWaterMark: WAITING_BYTES_WANTED },
    );
  }

  get isOpen(): boolean {
    return this.#controller !== undefined;
  }

  write(lines: string): void {
    const controller = this.#controller;
    if (!controller || lines === "") return;
    controller.enqueue(encoder.encode(lines));
    if (WAITING_BYTES_WANTED - (controller.desiredSize ?? 0) > WAITING_BYTES_MAX) this.close();
  }

  /** Resolves when the reader has room for more, or the watch has ended. */
  async ready(): Promise<void> {
    if (!this.#controller || (this.#controller.desiredSize ?? 0) > 0) return;
    await new Promise<void>((resolve) => this.#ready.push(resolve));
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
