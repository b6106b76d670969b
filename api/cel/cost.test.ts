import { expect, test } from "vitest";
import { programOf, run } from "../../test/support/evaluate-cel.ts";
import { compile, PER_CALL_LIMIT } from "./cel.ts";
import { CelError } from "./cel-error.ts";
import { ANYTHING } from "./declared.ts";
import { UNBOUNDED } from "./estimate-range.ts";
import { CostBudget } from "./meter.ts";
import { declaredOfStructural } from "./structural.ts";

const schema = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 20 },
    names: { type: "array", maxItems: 10, items: { type: "string", maxLength: 5 } },
    map: { type: "object", additionalProperties: { type: "string" } },
    ports: {
      type: "array",
      items: {
        type: "object",
        required: ["port"],
        properties: { port: { type: "integer" }, name: { type: "string" } },
      },
    },
    count: { type: "integer" },
  },
};
const self = {
  name: "hello",
  names: ["a", "bb", "a"],
  map: { a: "1", b: "2" },
  ports: [{ port: 80, name: "http" }],
  count: 3,
};
const declared = declaredOfStructural(schema, { name: "selfType", isResourceRoot: false })!;

/** What kube-apiserver v1.36 counts and estimates for the same: [cost, least, most]. */
const COSTS: Record<string, [number, number, number]> = {
  "self.count > 1": [3, 3, 3],
  "self.name == 'x' && self.names.size() > 0": [3, 3, 7],
  "self.names.all(n, n.startsWith('a'))": [15, 3, 53],
  "self.names.all(n, self.names.exists(m, m == n))": [58, 3, 863],
  "self.names.filter(n, n != 'a')[0]": [24, 14, 164],
  "self.names.exists_one(n, n == 'bb')": [12, 4, 44],
  "self.map.all(k, self.map[k].size() < 10)": [19, 3, 3538938],
  "self.map['a'] + self.name": [6, 5, 314586],
  "has(self.name) ? self.name : 'none'": [2, 1, 3],
  "self.name.matches('^[a-z]+$')": [4, 4, 20],
  "self.name.contains('ell')": [3, 2, 10],
  "self.name.replace('l', 'LL')": [3, 2, 18],
  "self.name in self.names": [7, 4, 14],
  "self.name in ['a', 'b']": [2, 14, 14],
  "self.ports.all(p, p.port > 0 && p.name != '')": [11, 3, 2097147],
  "self.ports.map(p, {'port': p.port})": [47, 13, 11534305],
  "self.ports.sortBy(p, p.port)": [32, 36, 137441574936],
  "self.names.sort()": [31, 13, 223],
  "self.names.distinct()": [31, 13, 213],
  "sets.contains(self.names, ['a'])": [6, 13, 23],
  "quantity('1').isLessThan(quantity('2'))": [3, 3, 3],
  "cidr('10.0.0.0/8').containsIP('10.0.0.1')": [3, 3, 6],
  "url('https://a.b').getHost()": [3, 3, 3],
  "format.dns1123Label().validate(self.name)": [11, 3, 259],
  "self.?name.orValue('x')": [2, 3, 3],
  "optional.of(1).optMap(v, v + 1)": [7, 3, 17],
  "dyn(self.name) == 'x'": [4, 4, 4],
  "[self.count, 1]": [12, 12, 12],
};

test("an evaluation costs what upstream counts, and is estimated as upstream does", () => {
  for (const [source, expected] of Object.entries(COSTS)) {
    const { min, max } = programOf(source, { self: declared }).estimateCost();
    expect([run(source, { self }, { self: declared }).cost, min, max], source).toEqual(expected);
  }
});

const evaluate = (source: string, budget: CostBudget, values: Record<string, unknown> = {}) => {
  const { program } = compile(source, { variables: { x: ANYTHING } });
  try {
    return program!.evaluate(values, budget);
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
};

const numbers = Array.from({ length: 1000 }, (_, i) => i);
const TOO_MUCH = "x.all(a, x.all(b, x.all(c, a + b + c >= 0)))";

test("one evaluation ends where its limit is reached", () => {
  const budget = new CostBudget(10 * PER_CALL_LIMIT);
  const error = evaluate(TOO_MUCH, budget, { x: numbers });
  expect(error).toMatchObject({ kind: "cost", message: "operation cancelled: actual cost limit exceeded" });
  expect(10 * PER_CALL_LIMIT - budget.remaining).toBeLessThan(PER_CALL_LIMIT + 100);
});

test("nothing absorbs the end of an evaluation", () => {
  expect(evaluate(`${TOO_MUCH} || true`, new CostBudget(10 * PER_CALL_LIMIT), { x: numbers })).toMatchObject({
    kind: "cost",
  });
});

test("a budget is shared, and what fails is paid as well", () => {
  const budget = new CostBudget(100);
  expect(evaluate("x[0] == 0", budget, { x: numbers })).toBe(true);
  expect(budget.remaining).toBe(97);
  expect(evaluate("x.all(a, a >= 0)", budget, { x: numbers })).toMatchObject({ kind: "budget" });
  expect(budget.remaining).toBeLessThan(0);
});

test("what no schema bounds has no estimate", () => {
  expect(programOf("x.all(a, a == 'b')", { x: ANYTHING }).estimateCost().max).toBe(UNBOUNDED);
});
