import type { IssueList } from "./issues.ts";

type TokenKind = "identifier" | "quotedIdentifier" | "int" | "uint" | "double" | "string" | "bytes" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** As it is written. `true`, `false`, `null` and `in` are symbols. */
  readonly text: string;
  /** In UTF-16 units. */
  readonly at: number;
}

const SKIPPED = /(?:[\t \r\n\f]+|\/\/[^\n]*)+/y;
const ESCAPE = String.raw`\\(?:[abfnrtv"'\\?\x60]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})`;
const STRING = [
  `[rR]"""[^]*?"""`,
  `[rR]'''[^]*?'''`,
  `[rR]"[^"\\n\\r]*"`,
  `[rR]'[^'\\n\\r]*'`,
  `"""(?:${ESCAPE}|[^\\\\])*?"""`,
  `'''(?:${ESCAPE}|[^\\\\])*?'''`,
  `"(?:${ESCAPE}|[^\\\\"\\n\\r])*"`,
  `'(?:${ESCAPE}|[^\\\\'\\n\\r])*'`,
].join("|");

/** In the order in which they are tried: each is anchored, and none can repeat a group in two ways. */
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ["bytes", new RegExp(`[bB](?:${STRING})`, "y")],
  ["string", new RegExp(STRING, "y")],
  ["identifier", /[A-Za-z_][A-Za-z0-9_]*/y],
  ["quotedIdentifier", /`[A-Za-z0-9_./ -]+`/y],
  ["double", /\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?/y],
  ["uint", /0x[0-9a-fA-F]+[uU]|\d+[uU]/y],
  ["int", /0x[0-9a-fA-F]+|\d+/y],
  ["symbol", /==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%]/y],
];

const WORDS_AS_SYMBOLS = new Set(["in", "true", "false", "null"]);

/** The tokens of an expression, with one of kind "end" behind them. What is no token is reported and passed over. */
export function lex(source: string, issues: IssueList): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    SKIPPED.lastIndex = at;
    if (SKIPPED.test(source)) at = SKIPPED.lastIndex;
    if (at >= source.length) break;
    const token = tokenAt(source, at);
    if (token) {
      tokens.push(token);
      at += token.text.length;
    } else {
      const text = unrecognized(source, at);
      issues.report(at, `Syntax error: token recognition error at: '${text}'`);
      at += text.length;
    }
  }
  tokens.push({ kind: "end", text: "<EOF>", at: source.length });
  return tokens;
}

/** Of a string without an end: up to where it cannot go on, that character included. */
const UNFINISHED = new RegExp(`(?:"(?:${ESCAPE}|[^\\\\"\\n\\r])*|'(?:${ESCAPE}|[^\\\\'\\n\\r])*)(?:\\\\.?|.)?`, "sy");

/** What is no token; at least one character. */
function unrecognized(source: string, at: number): string {
  // Half an operator: what follows is looked at before it is given up.
  if ("&|=".includes(source[at]!)) return source.slice(at, at + 2);
  UNFINISHED.lastIndex = at;
  return UNFINISHED.exec(source)?.[0] ?? String.fromCodePoint(source.codePointAt(at)!);
}

function tokenAt(source: string, at: number): Token | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0];
    if (text !== undefined) return { kind: WORDS_AS_SYMBOLS.has(text) ? "symbol" : kind, text, at };
  }
  return undefined;
}
