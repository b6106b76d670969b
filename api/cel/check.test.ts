import { expect, test } from "vitest";
import { issuesOf, programOf } from "../../test/support/evaluate-cel.ts";
import { ANYTHING, type Declared, declaredAs, declaredList, declaredMap, declaredObject } from "./declared.ts";
import { formatType, INT, STRING } from "./types.ts";

const spec = declaredObject("Spec", {
  name: declaredAs(STRING),
  count: declaredAs(INT),
  names: declaredList(declaredAs(STRING)),
  labels: declaredMap(declaredAs(STRING)),
});
const variables: Record<string, Declared> = { spec, x: ANYTHING };

/** The first issue, without the place in the source. */
const complaint = (source: string): string | undefined =>
  issuesOf(source, variables)
    ?.split("\n")[0]
    ?.replace(/^ERROR: <input>:\S+ /, "");

test("issues show the line and the place as upstream prints them", () => {
  expect(issuesOf("1 + y")).toBe(
    "ERROR: <input>:1:5: undeclared reference to 'y' (in container '')\n | 1 + y\n | ....^",
  );
  expect(issuesOf("'é' +\n  y + z")).toBe(
    [
      "ERROR: <input>:2:3: undeclared reference to 'y' (in container '')",
      " |   y + z",
      " | ..^",
      "ERROR: <input>:2:7: undeclared reference to 'z' (in container '')",
      " |   y + z",
      " | ......^",
    ].join("\n"),
  );
  expect(issuesOf("'é' + y")).toContain("\n | .．....^");
});

test("types are found and named", () => {
  const types = {
    "[1, 2]": "list(int)",
    "{'a': [1u]}": "map(string, list(uint))",
    "[]": "list(dyn)",
    "spec.names.map(n, n.size())": "list(int)",
    "spec.?name": "optional_type(string)",
    "spec.labels.a": "string",
    spec: "Spec",
    "type(spec)": "type(Spec)",
    "x.a.b": "dyn",
    "dyn(1)": "dyn",
    "spec.names.transformMap(i, n, n)": "map(int, string)",
    null: "null",
    "true ? optional.none() : optional.of(1)": "optional_type(int)",
    "timestamp(0) - timestamp(1)": "duration",
  };
  for (const [source, type] of Object.entries(types)) {
    expect(formatType(programOf(source, variables).resultType), source).toBe(type);
  }
});

test("what cannot be is refused in upstream's words", () => {
  const refused = {
    "spec.nam": "undefined field 'nam'",
    "spec.name.x": "type 'string' does not support field selection",
    "spec.count + 'a'": "found no matching overload for '_+_' applied to '(int, string)'",
    "spec.names.foo()": "undeclared reference to 'foo' (in container '')",
    "spec.name.size(1)": "found no matching overload for 'size' applied to 'string.(int)'",
    "spec.name.startsWith(1)": "found no matching overload for 'startsWith' applied to 'string.(int)'",
    "spec == 1": "found no matching overload for '_==_' applied to '(Spec, int)'",
    "spec.name && true": "expected type 'bool' but found 'string'",
    "spec.count.all(c, true)":
      "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
    "spec.names.all(n, n)": "expected type 'bool' but found 'string'",
    "[1, 'a']": "expected type 'int' but found 'string'",
    "{'a': 1, 'b': 'c'}": "expected type 'int' but found 'string'",
    "spec.names.all(1, true)": "argument must be a simple name",
    "spec.names.map(1, true)": "argument is not an identifier",
    "[1].all(i, i, true)": "duplicate variable name: i",
    "has(spec)": "invalid argument to has() macro",
    "Foo{a: 1}": "undeclared reference to 'Foo' (in container '')",
    "spec.name.matches('(')": "invalid matches argument",
    "duration('1d')": "invalid duration argument",
    "timestamp('x')": "invalid timestamp argument",
    "'%d'.format(['x'])": "error during formatting: decimal clause can only be used on integers, was given string",
    "'%s'.format([1, 2])": "too many arguments supplied to string.format (expected 1, got 2)",
    "'%s %s'.format([1])": "index 1 out of range",
    "'%z'.format([1])": 'could not parse formatting clause: unrecognized formatting clause "z"',
    "cel.bind(a, 1, a)": "undeclared reference to 'cel' (in container '')",
    "[?1]": "expected type 'optional_type(int)' but found 'int'",
  };
  for (const [source, expected] of Object.entries(refused)) expect(complaint(source), source).toBe(expected);
});

test("what is no expression is refused in upstream's words", () => {
  const starts =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
  const refused = {
    "": `Syntax error: mismatched input '<EOF>' expecting ${starts}`,
    "1 +": `Syntax error: mismatched input '<EOF>' expecting ${starts}`,
    "(1": "Syntax error: missing ')' at '<EOF>'",
    "[1": "Syntax error: missing ']' at '<EOF>'",
    "[1,,2]": "Syntax error: mismatched input ',' expecting ']'",
    "{'a': 1": "Syntax error: mismatched input '<EOF>' expecting {'}', ','}",
    "f(1 2)": "Syntax error: extraneous input '2' expecting ')'",
    "1 + * 2": `Syntax error: extraneous input '*' expecting ${starts}`,
    "a = b": "Syntax error: token recognition error at: '= '",
    "1 2": "Syntax error: extraneous input '2' expecting <EOF>",
    "a b c": "Syntax error: mismatched input 'b' expecting <EOF>",
    "@": "Syntax error: token recognition error at: '@'",
    "'abc": "Syntax error: token recognition error at: ''abc'",
    "x.true": "Syntax error: mismatched input 'true' expecting IDENTIFIER",
    if: "reserved identifier: if",
    "9223372036854775808": "invalid int literal",
    "'\\ud800'": "invalid unicode code point",
    "1e999": "invalid double literal",
  };
  for (const [source, expected] of Object.entries(refused)) {
    expect(complaint(source), source).toBe(expected);
  }
});

test("a constant that cannot be converted is refused before it is evaluated", () => {
  expect(issuesOf("int('abc') == 1")).toBe("type conversion error from 'string' to 'int'");
});

test("a program tells which variables it looks at", () => {
  const program = programOf("spec.names.all(x, x != spec.name)", variables);
  expect([program.uses("spec"), program.uses("names"), program.uses("oldSelf")]).toEqual([true, false, false]);
});
