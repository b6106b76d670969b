import type { Token } from "./lex.ts";

/** ANTLR's list of what can begin an expression; at some places a little more can stand. */
export const startsOr = ({ close = "", optional = false }): string =>
  `{'[', '{', '(', ${close && `'${close}', `}'.', '-', '!', ${optional ? "'?', " : ""}'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`;
export const STARTS = startsOr({});

const STARTING_SYMBOLS = new Set(["[", "{", "(", ".", "-", "!", "true", "false", "null"]);

export const startsExpression = (token: Token | undefined): boolean =>
  token !== undefined &&
  (token.kind === "symbol"
    ? STARTING_SYMBOLS.has(token.text)
    : token.kind !== "end" && token.kind !== "quotedIdentifier");

export const isSymbol = (token: Token | undefined, text: string): boolean =>
  token?.kind === "symbol" && token.text === text;
