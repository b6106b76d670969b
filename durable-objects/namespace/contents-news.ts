/** A ClusterHome that could not be told is told again: the delay doubles from the first to the last. */
const RETRY_FIRST_MILLISECONDS = 100;
const RETRY_LAST_MILLISECONDS = 10_000;

export interface ContentsNewsOptions {
  /** The namespace is being deleted. */
  isGoing(): boolean;
  tell(): Promise<void>;
  later(milliseconds: number, work: () => void): void;
}

/** While a namespace is being deleted its home tells the ClusterHome of every change, so that nobody has to ask whether it is empty yet. */
export class ContentsNews {
  readonly #options: ContentsNewsOptions;
  #hasNews = false;
  #isTelling = false;
  #failures = 0;

  constructor(options: ContentsNewsOptions) {
    this.#options = options;
  }

  /** Something is not told yet: it must not be lost with this instance. */
  get isBehind(): boolean {
    return this.#hasNews || this.#isTelling;
  }

  /** Something has changed; or, after a restart, may have changed unheard. */
  changed(): void {
    if (!this.#options.isGoing()) return;
    this.#hasNews = true;
    this.#tell();
  }

  #tell(): void {
    if (this.#isTelling || !this.#hasNews) return;
    this.#isTelling = true;
    this.#hasNews = false;
    void Promise.resolve()
      .then(() => this.#options.tell())
      .then(
        () => {
          this.#failures = 0;
          this.#isTelling = false;
          this.#tell();
        },
        () => {
          this.#hasNews = true;
          const delay = RETRY_FIRST_MILLISECONDS * 2 ** Math.min(this.#failures++, 30);
          this.#options.later(Math.min(delay, RETRY_LAST_MILLISECONDS), () => {
            this.#isTelling = false;
            this.#tell();
          });
        },
      );
  }
}
