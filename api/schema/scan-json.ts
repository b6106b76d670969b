import { pathText, STRICT_ERRORS_MAX } from "./decode-state.ts";

/**
 * Reads JSON text the slow way, for what JSON.parse does not tell: Go's sentence for a syntax error, and fields that are
 * given twice. Only texts that JSON.parse refused, or that are known to repeat a field, come here.
 */

/** A syntax error in the words of Go's encoding/json. */
export class JsonSyntaxError extends Error {}

/** Paths of the fields that are given more than once, in order. Throws a JsonSyntaxError. */
export function scanJson(text: string): string[] {
  const scanner = new Scanner(text);
  scanner.document();
  return scanner.duplicates;
}

const LITERALS: Record<string, string> = { t: "true", f: "false", n: "null" };
const ESCAPES = '"\\/bfnrt';
const isDigit = (char: string | undefined): boolean => char !== undefined && char >= "0" && char <= "9";

class Scanner {
  readonly duplicates: string[] = [];
  readonly #text: string;
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#space();
    this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail("after top-level value");
  }

  #fail(where: string): never {
    if (this.#at >= this.#text.length) throw new JsonSyntaxError("unexpected end of JSON input");
    throw new JsonSyntaxError(`invalid character ${quoteChar(this.#text, this.#at)} ${where}`);
  }

  #space(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at];
      if (char !== " " && char !== "\n" && char !== "\t" && char !== "\r") return;
    }
  }

  #value(): void {
    const char = this.#text[this.#at];
    if (char === "{") this.#object();
    else if (char === "[") this.#array();
    else if (char === '"') this.#string();
    else if (char === "-" || isDigit(char)) this.#number();
    else if (char !== undefined && LITERALS[char]) this.#literal(LITERALS[char]);
    else this.#fail("looking for beginning of value");
  }

  #object(): void {
    const seen = new Set<string>();
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return;
    }
    for (;;) {
      if (this.#text[this.#at] !== '"') this.#fail("looking for beginning of object key string");
      const key = this.#string();
      if (seen.has(key) && this.duplicates.length < STRICT_ERRORS_MAX) this.duplicates.push(pathText(this.#path, key));
      seen.add(key);
      this.#space();
      if (this.#text[this.#at] !== ":") this.#fail("after object key");
      this.#at++;
      this.#space();
      this.#path.push(key);
      this.#value();
      this.#path.pop();
      this.#space();
      const next = this.#text[this.#at];
      if (next !== "," && next !== "}") this.#fail("after object key:value pair");
      this.#at++;
      if (next === "}") return;
      this.#space();
    }
  }

  #array(): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === "]") {
      this.#at++;
      return;
    }
    for (let index = 0; ; index++) {
      this.#path.push(index);
      this.#value();
      this.#path.pop();
      this.#space();
      const next = this.#text[this.#at];
      if (next !== "," && next !== "]") this.#fail("after array element");
      this.#at++;
      if (next === "]") return;
      this.#space();
    }
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || char < " ") this.#fail("in string literal");
      this.#at++;
      if (char === '"') return JSON.parse(this.#text.slice(start, this.#at)) as string;
      if (char === "\\") this.#escape();
    }
  }

  #escape(): void {
    const char = this.#text[this.#at];
    if (char !== "u") {
      if (char === undefined || !ESCAPES.includes(char)) this.#fail("in string escape code");
      this.#at++;
      return;
    }
    this.#at++;
    for (let i = 0; i < 4; i++, this.#at++) {
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? "")) this.#fail("in \\u hexadecimal character escape");
    }
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at])) this.#at++;
  }

  #number(): void {
    if (this.#text[this.#at] === "-") this.#at++;
    if (!isDigit(this.#text[this.#at])) this.#fail("in numeric literal");
    if (this.#text[this.#at] === "0") this.#at++;
    else this.#digits();
    if (this.#text[this.#at] === ".") {
      this.#at++;
      if (!isDigit(this.#text[this.#at])) this.#fail("after decimal point in numeric literal");
      this.#digits();
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      if (!isDigit(this.#text[this.#at])) this.#fail("in exponent of numeric literal");
      this.#digits();
    }
  }

  #literal(word: string): void {
    for (const expected of word) {
      if (this.#text[this.#at] !== expected) this.#fail(`in literal ${word} (expecting '${expected}')`);
      this.#at++;
    }
  }
}

/** Go looks at bytes: of a character beyond ASCII it shows the first byte of its UTF-8 form. */
function quoteChar(text: string, at: number): string {
  const char = String.fromCharCode(new TextEncoder().encode(String.fromCodePoint(text.codePointAt(at)!))[0]!);
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  return `'${JSON.stringify(char)
    .slice(1, -1)
    .replace(/^\\u00/, "\\x")}'`;
}
