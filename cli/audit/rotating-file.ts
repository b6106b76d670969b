import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

export interface RotatingFileOptions {
  path: string;
  /** A file that would grow past this is set aside: as `<path>.1`, the one before as `<path>.2` … */
  bytesMax: number;
  /** Files that are kept beside the one that is written to. */
  filesMax: number;
}

/** A file that lines are added to, and that never takes more than so much room. For its owner alone. */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #descriptor: number;
  #bytes: number;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
    this.#descriptor = openSync(options.path, "a", 0o600);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  /** Whole or not at all, but for a full disk. Throws what the file system says. */
  append(lines: Uint8Array): void {
    if (this.#bytes > 0 && this.#bytes + lines.length > this.#options.bytesMax) this.#rotate();
    for (let written = 0; written < lines.length; ) written += writeSync(this.#descriptor, lines, written);
    this.#bytes += lines.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    const { path, filesMax } = this.#options;
    const aside = (number: number): string => (number === 0 ? path : `${path}.${number}`);
    closeSync(this.#descriptor);
    for (let number = filesMax; number > 0; number--) renameIfThere(aside(number - 1), aside(number));
    this.#descriptor = openSync(path, "a", 0o600);
    this.#bytes = fstatSync(this.#descriptor).size;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
