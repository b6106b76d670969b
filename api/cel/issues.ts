/** Upstream reports no more than these. */
const REPORTED_MAX = 100;
/** A longer source line is left out of the text. */
const SNIPPET_MAX = 16_384;

interface Issue {
  readonly at: number;
  readonly message: string;
}

/** What is wrong with an expression, in the order of its source. */
export class IssueList {
  readonly #source: string;
  readonly #issues: Issue[] = [];
  #count = 0;

  constructor(source: string) {
    this.#source = source;
  }

  get count(): number {
    return this.#count;
  }

  /** `at` is in UTF-16 units; -1: of the whole. */
  report(at: number, message: string): void {
    this.#count++;
    if (this.#issues.length < REPORTED_MAX) this.#issues.push({ at, message });
  }

  /** As cel-go prints them: `ERROR: <input>:1:6: …`, the line, and a caret below the place. */
  toString(): string {
    const lines = this.#issues.toSorted((a, b) => a.at - b.at).map((issue) => this.#format(issue));
    if (this.#count > REPORTED_MAX) lines.push(`${this.#count - REPORTED_MAX} more errors were truncated`);
    return lines.join("\n");
  }

  #format({ at, message }: Issue): string {
    if (at < 0) return `ERROR: <input>:-1:0: ${message}`;
    const before = this.#source.slice(0, at);
    const start = before.lastIndexOf("\n") + 1;
    const end = this.#source.indexOf("\n", at);
    const snippet = this.#source.slice(start, end < 0 ? undefined : end).replaceAll("\t", " ");
    const column = [...before.slice(start)].length;
    const heading = `ERROR: <input>:${before.split("\n").length}:${column + 1}: ${message}`;
    if (snippet.length > SNIPPET_MAX) return heading;
    const characters = [...snippet];
    const dots = characters.slice(0, column).map((character) => (isWide(character) ? "．" : "."));
    return `${heading}\n | ${snippet}\n | ${dots.join("")}${isWide(characters[column]) ? "＾" : "^"}`;
  }
}

/** More than one byte in UTF-8. */
const isWide = (character: string | undefined): boolean => character !== undefined && character > "\x7f";
