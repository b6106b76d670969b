import fc from "fast-check";
import { expect, test } from "vitest";
import type { Expression } from "./ast.ts";
import { IssueList } from "./issues.ts";
import { parse } from "./parse.ts";
import { Uint } from "./values.ts";

const parsed = (source: string): Expression => {
  const issues = new IssueList(source);
  const node = parse(source, issues);
  if (!node) throw new Error(issues.toString());
  return node;
};

/** An expression as it can be written, every operator in brackets. */
function print(node: Expression): string {
  switch (node.kind) {
    case "literal":
      return printLiteral(node.value);
    case "identifier":
      return node.name;
    case "select":
      return node.test ? `has(${print(node.operand)}.${node.field})` : `${print(node.operand)}.${node.field}`;
    case "list":
      return `[${node.elements.map((element, i) => (node.optional.has(i) ? "?" : "") + print(element)).join(", ")}]`;
    case "map":
      return `{${node.entries.map(({ key, value, optional }) => `${optional ? "?" : ""}${print(key)}: ${print(value)}`).join(", ")}}`;
    case "struct":
      return `${node.name}{${node.fields.map(({ name, value }) => `${name}: ${print(value)}`).join(", ")}}`;
    case "call":
      return printCall(node);
    case "fold":
      return `${print(node.range)}.${node.form}(${node.variable}, ${print(node.body)})`;
  }
}

function printLiteral(value: (Expression & { kind: "literal" })["value"]): string {
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array)
    return `b'${Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}'`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return value.toExponential();
  return String(value);
}

function printCall(node: Expression & { kind: "call" }): string {
  const operands = node.arguments.map(print);
  const [, symbol] = /^(?:_|@)?(.*?)_?$/.exec(node.function)!;
  if (node.target) return `${print(node.target)}.${node.function}(${operands.join(", ")})`;
  if (node.function === "_?_:_") return `(${operands[0]} ? ${operands[1]} : ${operands[2]})`;
  if (node.function === "_[_]") return `${operands[0]}[${operands[1]}]`;
  if (operands.length === 2 && /^[_@]/.test(node.function)) return `(${operands[0]} ${symbol} ${operands[1]})`;
  return /_$/.test(node.function)
    ? `(${node.function.slice(0, -1)}(${operands[0]}))`
    : `${node.function}(${operands.join(", ")})`;
}

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      "a",
      "b.c",
      "1",
      "-2",
      "0x1f",
      "3u",
      "1.5e3",
      "'x\\n'",
      "r'\\d'",
      "b'\\x01'",
      "true",
      "null",
      "[]",
      "{}",
    ),
    fc
      .tuple(tie("expression"), fc.constantFrom("+", "-", "*", "<", "==", "in", "&&", "||"), tie("expression"))
      .map((parts) => parts.join(" ")),
    tie("expression").map((inner) => `(${inner})`),
    tie("expression").map((inner) => `!(${inner})`),
    tie("expression").map((inner) => `-(${inner})`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `f(${a}, ${b})`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `(${a}).g(${b})[0].h`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `[${a}, ?${b}]`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `{${a}: ${b}}`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `a ? (${a}) : (${b})`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `(${a}).all(i, ${b})`),
    tie("expression").map((inner) => `T.u{v: ${inner}}`),
    tie("expression").map((inner) => `has((${inner}).v)`),
  ),
}));

test("what is printed of an expression is the same expression", () => {
  fc.assert(
    fc.property(expression, (source) => {
      const printed = print(parsed(source));
      expect(print(parsed(printed))).toBe(printed);
    }),
    { numRuns: 500 },
  );
});

test("operators bind as the grammar says", () => {
  expect(print(parsed("1 + 2 * 3 - 4"))).toBe("((1 + (2 * 3)) - 4)");
  expect(print(parsed("a || b && c == d"))).toBe("(a || (b && (c == d)))");
  expect(print(parsed("a ? b : c ? d : e"))).toBe("(a ? b : (c ? d : e))");
  expect(print(parsed("!!a && !b.c"))).toBe("(a && (!(b.c)))");
  expect(print(parsed("a && b && c && d"))).toBe("((a && b) && (c && d))");
  expect(print(parsed("a < b == c in d"))).toBe("(((a < b) == c) in d)");
});
