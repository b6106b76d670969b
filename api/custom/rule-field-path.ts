import type { Structural } from "./structural.ts";

/** Where a rule or a selectable field points: what the text means as a field path, and the schema there. */
export interface RuleFieldPath {
  path: string;
  /** The first segment. */
  root: string;
  /** Undefined: additional properties without a schema. */
  node: Structural | undefined;
}

const TOKEN = /'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]']+|'/gs;
const ESCAPES: Record<string, string> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/**
 * Reads `.spec.x['a.b']` against a schema (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel ValidFieldPath). Throws an
 * Error with upstream's words.
 */
export function readFieldPath(text: string, schema: Structural, { allowsArrays = true } = {}): RuleFieldPath {
  const tokens = text.match(TOKEN) ?? [];
  const result: RuleFieldPath = { path: "", root: "", node: schema };
  let at = 0;
  const next = (): string => {
    const token = tokens[at++];
    if (token === undefined) throw new Error("unexpected end of JSON path");
    return token;
  };
  const append = (name: string) => {
    const { node } = result;
    if (!node?.properties && !node?.additional) throw new Error("does not refer to a valid field");
    if (node.properties) {
      const property = node.properties.get(name);
      if (!property) throw new Error("does not refer to a valid field");
      result.path += result.path === "" ? name : `.${name}`;
      result.node = property;
    } else {
      result.path += `[${name}]`;
      result.node = node.additional?.schema;
    }
    if (result.root === "") result.root = name;
  };
  while (at < tokens.length) {
    const token = next();
    if (token === ".") {
      append(next());
    } else if (token === "[") {
      if (!allowsArrays) throw new Error("array notation is not allowed");
      const quoted = next();
      if (quoted.length < 2 || !quoted.startsWith("'") || !quoted.endsWith("'")) {
        throw new Error(`expected single quoted string but got ${quoted}`);
      }
      append(unescaped(quoted.slice(1, -1)));
      const close = next();
      if (close !== "]") throw new Error(`expected ] but got ${close}`);
    } else {
      throw new Error(`expected [ or . but got: ${token}`);
    }
  }
  return result;
}

const unescaped = (text: string): string =>
  text.replace(/\\(.)/gs, (whole, char: string) => {
    if (char === "'" || char === "\\") return char;
    const meant = ESCAPES[char];
    if (meant === undefined) throw new Error(`invalid string literal: invalid escape char ${whole}`);
    return meant;
  });
