import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { PodObject } from "../api/kinds/pod.ts";

/** Changes this close together are written once. */
const SAVE_MILLISECONDS = 200;

/** The desired pods on disk: what an agent that is cut off from the control plane goes on with after a restart. */
export class SavedState {
  readonly #file: string;
  readonly #pods: () => PodObject[];
  readonly #onError: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: { file: string; pods(): PodObject[]; onError(error: Error): void }) {
    this.#file = options.file;
    this.#pods = options.pods;
    this.#onError = options.onError;
  }

  async load(): Promise<PodObject[]> {
    const text = await readFile(this.#file, "utf8").catch(() => undefined);
    if (text === undefined) return [];
    try {
      const { pods } = JSON.parse(text) as { pods: PodObject[] };
      return pods;
    } catch (error) {
      // Written atomically, so this is damage from outside; the control plane will tell everything again.
      this.#onError(error as Error);
      return [];
    }
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write()).catch(this.#onError);
    }, SAVE_MILLISECONDS);
  }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    if (this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write()).catch(this.#onError);
    }
    await this.#writing;
  }

  async #write(): Promise<void> {
    const text = JSON.stringify({ pods: this.#pods() });
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const next = `${this.#file}.new`;
    const file = await open(next, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, this.#file);
  }
}
