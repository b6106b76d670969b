import fc from "fast-check";
import { expect, test } from "vitest";
import { issuesOf, run } from "../../test/support/evaluate-cel.ts";
import { compile } from "./cel.ts";
import { CelError } from "./cel-error.ts";
import { ANYTHING } from "./declared.ts";
import { CostBudget } from "./meter.ts";

const EXCEEDED = "operation cancelled: actual cost limit exceeded";

test("an expression that is too long or too deep is refused", () => {
  expect(issuesOf(" ".repeat(100_001))).toContain(
    "expression code point size exceeds limit: size: 100001, limit 100000",
  );
  expect(issuesOf(`${"(".repeat(300)}1${")".repeat(300)}`)).toContain("expression recursion limit exceeded: 250");
  expect(issuesOf(`${"[".repeat(300)}${"]".repeat(300)}`)).toContain("expression recursion limit exceeded: 250");
  expect(issuesOf(Array(300).fill("1").join("+"))).toContain("max recursion depth exceeded");
  expect(issuesOf(`x${".a".repeat(300)}`, { x: ANYTHING })).toContain("max recursion depth exceeded");
  expect(issuesOf(`optional.of(1)${".optMap(v, v)".repeat(30)}`)).toContain("expression is too large");
});

test("a long chain of && is not deep", () => {
  expect(run(Array(5000).fill("true").join("&&")).value).toBe(true);
});

test("a type that doubles with each step is refused", () => {
  expect(issuesOf(`[1]${".map(a, {a: a})".repeat(20)}`)).toContain("type of expression is too large");
});

const twice = (start: string, step: string, times: number): string => start + `.map(a, ${step})`.repeat(times);

const text = "a".repeat(100_000);
const many = Array.from({ length: 50_000 }, (_, i) => i);
const HOSTILE = {
  "nested lists, compared": `${twice("[1]", "[a, a]", 60)} == ${twice("[1]", "[a, a]", 60)}`,
  "nested lists, printed": `'%s'.format([${twice("['a']", "[a, a]", 60)}])`,
  "nested lists, summed up": `${twice("[1]", "[a, a]", 60)}.indexOf(many[0])`,
  "strings doubled": twice("['a']", "a + a", 60),
  "strings doubled without a type": twice("[dyn('a')]", "a + a", 60),
  "a string in a string": "t.replace('a', t)",
  "lists added up": `many${" + many".repeat(100)}`,
  "a range": "lists.range(1000000000)",
  "patterns that repeat": "t.matches('((a{30}){30})b')",
  "patterns made anew": "many.all(i, !'b'.matches('a{900}' + string(i)))",
  "loops in loops": "many.all(a, many.all(b, a + b >= 0))",
  "sets of each other": "sets.contains(many, many)",
};

test.each(Object.entries(HOSTILE))("%s: it ends, whatever it costs upstream", (_, source) => {
  expect(run(source, { t: text, many }).error).toBe(EXCEEDED);
});

test("JSON that is deep, or has the names of JavaScript's own, is only JSON", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  let other: unknown = 1;
  for (let i = 0; i < 100_000; i++) other = [other];
  expect(run("a == b", { a: deep, b: other }).error).toBe(EXCEEDED);
  const odd = JSON.parse('{"__proto__": 1, "constructor": 2}');
  expect(run("x.__proto__ + x.constructor + x.size()", { x: odd }).value).toBe(5n);
  expect(run("has(x.__proto__) || has(x.hasOwnProperty)", { x: {} }).value).toBe(false);
});

const TOKENS = (
  "x y 1 2u 1.5 'a' b'b' true null [ ] { } ( ) . , : ? ! - + * / % < == in && || .all( .map(i, .filter(i, .size() .? [? " +
  "optional.of( .orValue( has( dyn( type( .exists(i, i .matches( duration( ip( quantity( .format( .join( .sort() .sum()"
).split(" ");

test("no text makes compiling or evaluating throw anything but what they may", () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const source = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.array(fc.constantFrom(...TOKENS), { maxLength: 14 }).map((tokens) => tokens.join(" ")),
  );
  fc.assert(
    fc.property(source, json, json, (text, x, y) => {
      const { program, issues } = compile(text, { variables: { x: ANYTHING, y: ANYTHING } });
      if (!program) return issues.length > 0;
      const { min, max } = program.estimateCost();
      expect(min).toBeLessThanOrEqual(max);
      try {
        program.evaluate({ x, y }, new CostBudget(10_000));
      } catch (error) {
        expect(error).toBeInstanceOf(CelError);
      }
      return true;
    }),
    { numRuns: 200 },
  );
});
