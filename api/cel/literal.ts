import type { Literal } from "./ast.ts";
import type { Token } from "./lex.ts";
import { unquoteBytes, unquoteString } from "./unquote.ts";
import { Uint } from "./values.ts";

/** The value of a literal; undefined where the token is none. What is a literal and yet wrong is reported. */
export function literalOf(token: Token, sign: "" | "-", report: (message: string) => void): Literal | undefined {
  switch (token.kind) {
    case "int": {
      const value = sign ? -BigInt(token.text) : BigInt(token.text);
      if (BigInt.asIntN(64, value) !== value) report("invalid int literal");
      return value;
    }
    case "uint": {
      const value = BigInt(token.text.slice(0, -1));
      if (BigInt.asUintN(64, value) !== value) report("invalid uint literal");
      return new Uint(value);
    }
    case "double": {
      const value = Number(sign + token.text);
      if (!Number.isFinite(value)) report("invalid double literal");
      return value;
    }
    case "string":
    case "bytes":
      return textOf(token, report);
    case "symbol":
      return token.text === "null" ? null : token.text === "true" ? true : token.text === "false" ? false : undefined;
    default:
      return undefined;
  }
}

function textOf({ kind, text }: Token, report: (message: string) => void): string | Uint8Array {
  try {
    return kind === "bytes" ? unquoteBytes(text) : unquoteString(text);
  } catch (error) {
    report((error as Error).message);
    return "";
  }
}
