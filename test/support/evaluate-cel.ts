import { compile, type Environment, type Program } from "../../api/cel/cel.ts";
import { CelError } from "../../api/cel/cel-error.ts";
import { ANYTHING, type Declared } from "../../api/cel/declared.ts";
import { CostBudget } from "../../api/cel/meter.ts";
import { CelList, CelMap, type CelValue, Instance, Optional, textOf, Uint } from "../../api/cel/values.ts";

/** For tests: variables of no schema, and as many cost units as there may be. */
const UNITS = 10_000_000;

export function programOf(source: string, variables: Environment["variables"] = {}): Program {
  const { program, issues } = compile(source, { variables });
  if (!program) throw new Error(issues);
  return program;
}

export const issuesOf = (source: string, variables: Environment["variables"] = {}): string | undefined =>
  compile(source, { variables }).issues;

/** A value as JavaScript writes it: 1n is an int, `5u` a uint, `?1` an optional. */
function shown(value: CelValue): unknown {
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Optional) return value.value === undefined ? "?" : ["?", shown(value.value)];
  if (value instanceof CelList) return Array.from(value, shown);
  if (value instanceof CelMap) return new Map(Array.from(value.entries(), ([key, held]) => [shown(key), shown(held)]));
  return value instanceof Instance ? textOf(value) : value;
}

export interface Outcome {
  readonly value?: unknown;
  readonly error?: string;
  readonly cost: number;
}

/** Values by name are JSON of no schema, where nothing is declared. */
export function run(
  source: string,
  values: Record<string, unknown> = {},
  declared: Record<string, Declared> = {},
): Outcome {
  const names = Object.keys(values).map((name) => [name, declared[name] ?? ANYTHING]);
  const program = programOf(source, Object.fromEntries(names));
  const budget = new CostBudget(UNITS);
  try {
    const value = shown(program.evaluate(values, budget));
    return { value, cost: UNITS - budget.remaining };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { error: error.message, cost: UNITS - budget.remaining };
  }
}
