import { MATCH_CONDITIONS_COST_BUDGET } from "../cel/cel.ts";
import { CostBudget } from "../cel/meter.ts";
import { type Activation, type CompiledVariable, evaluate, OutOfBudget, withVariables } from "./evaluation.ts";
import { type CompiledExpression, compileExpression, type ExpressionUse } from "./expressions.ts";

export interface CompiledCondition {
  readonly source: string;
  readonly compiled: CompiledExpression;
}

/** Conditions of objects that do not change are compiled once. */
export const compileConditions = (
  conditions: readonly { expression?: string }[],
  use: Omit<ExpressionUse, "returns">,
): readonly CompiledCondition[] =>
  conditions.map(({ expression: source = "" }) => ({
    source,
    compiled: compileExpression(source, { ...use, returns: "bool" }),
  }));

/** `error`: they could not be evaluated, and that refuses the request. */
export type Matched = { readonly matches: boolean; readonly error?: undefined } | { readonly error: string };

/**
 * Whether all conditions hold (webhook/matchconditions): one that does not decides, whatever becomes of the others; one that fails
 * refuses the request, or with failurePolicy Ignore does not match.
 */
export function matchConditions(
  conditions: readonly CompiledCondition[],
  failurePolicy: string | undefined,
  activation: Activation,
  variables: readonly CompiledVariable[] = [],
): Matched {
  const budget = new CostBudget(MATCH_CONDITIONS_COST_BUDGET);
  const whole = withVariables(activation, variables, budget);
  const errors: string[] = [];
  try {
    for (const { source, compiled } of conditions) {
      const { value, error } = evaluate(source, compiled, whole, budget);
      if (error !== undefined) errors.push(error);
      else if (value === false) return { matches: false };
    }
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    errors.splice(0, errors.length, error.message);
  }
  if (errors.length === 0) return { matches: true };
  if (failurePolicy === "Ignore") return { matches: false };
  const distinct = [...new Set(errors)];
  return { error: distinct.length === 1 ? distinct[0]! : `[${distinct.join(", ")}]` };
}
