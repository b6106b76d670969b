import { STATIC_ESTIMATED_COST_LIMIT, STATIC_ESTIMATED_CRD_COST_LIMIT } from "../cel/cel.ts";
import { REQUEST_BYTES_MAX } from "../cel/structural.ts";
import { type FieldError, fieldForbidden, fieldInternal, fieldInvalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { compiledRulesOf } from "./cel-rules.ts";
import type { JsonSchema, ValidationRule } from "./definition.ts";
import { structuralOf } from "./structural.ts";

/** Rules of a definition's schema: that they compile, and what they may cost (pkg/apis/apiextensions/validation/cel_validation.go). */

/** What of the schema around it says how often a rule is evaluated. */
export interface RuleScope {
  readonly schema: JsonSchema;
  readonly isRoot: boolean;
  /** How often a value of this schema can be there; undefined: as often as fits into a request. */
  readonly cardinality: number | undefined;
}

/** What all rules of one schema cost together, in cost units. */
export interface CostTotal {
  total: number;
  /** The costliest, the first one most; only those that make up a hundredth of what is allowed. */
  expensive: { path: FieldPath; cost: number }[];
}

export const rootScope = (schema: JsonSchema): RuleScope => ({ schema, isRoot: true, cardinality: 1 });

export function scopeOfChild(parent: RuleScope | undefined, schema: JsonSchema): RuleScope | undefined {
  if (!parent) return undefined;
  const factor = elementsMax(parent.schema);
  const bounded = parent.cardinality !== undefined && factor !== undefined;
  return { schema, isRoot: false, cardinality: bounded ? parent.cardinality! * factor! : undefined };
}

function elementsMax({ type, additionalProperties, maxProperties, maxItems }: JsonSchema): number | undefined {
  if (type === "array") return maxItems === undefined ? undefined : Math.max(0, maxItems);
  if (type !== "object" || additionalProperties === undefined) return 1;
  return maxProperties === undefined ? undefined : Math.max(0, maxProperties);
}

const EXPENSIVE_MAX = 4;

function observe(costs: CostTotal, path: FieldPath, cost: number): void {
  costs.total += cost;
  if (cost < STATIC_ESTIMATED_CRD_COST_LIMIT / 100) return;
  costs.expensive = [...costs.expensive, { path, cost }].sort((a, b) => b.cost - a.cost).slice(0, EXPENSIVE_MAX);
}

/** Adds what is wrong with the rules of a schema. `path` is that of the list of rules. */
export function checkRuleExpressions(
  schema: JsonSchema,
  path: FieldPath,
  scope: RuleScope,
  uncorrelatable: FieldPath | undefined,
  costs: CostTotal,
  errors: FieldError[],
): void {
  const isResource = scope.isRoot || schema["x-kubernetes-embedded-resource"] === true;
  const { rules, declared } = compiledRulesOf(structuralOf(schema), { isResource });
  if (!declared) {
    const why =
      "failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
    errors.push(fieldInternal(path, `internal error: ${why}`));
    return;
  }
  const fitsInRequest = Math.floor(REQUEST_BYTES_MAX / ((declared.minSerializedSize ?? 0) + 1));
  const times = scope.cardinality ?? fitsInRequest;
  rules.forEach(({ rule, program, error, usesOldSelf, message, messageError }, i) => {
    const at = path.index(i);
    const ruleAt = at.child("rule");
    const cost = product(program?.estimateCost().max ?? 0, times);
    checkCost("estimated rule cost", cost, ruleAt, costs, errors);
    if (error !== undefined) errors.push(fieldInvalid(ruleAt, goRule(rule), error));
    const messageAt = at.child("messageExpression");
    if (messageError !== undefined) errors.push(fieldInvalid(messageAt, goRule(rule), messageError));
    else if (message) {
      checkCost("estimated messageExpression cost", message.estimateCost().max, messageAt, costs, errors);
    }
    if (usesOldSelf && uncorrelatable) {
      const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
      errors.push(fieldInvalid(ruleAt, rule.rule, why));
    } else if (!usesOldSelf && rule.optionalOldSelf !== undefined) {
      const why = "may not be set if oldSelf is not used in rule";
      errors.push(fieldInvalid(at.child("optionalOldSelf"), rule.optionalOldSelf, why));
    }
  });
}

/** Nothing is nothing however often. */
const product = (cost: number, times: number): number => (cost === 0 || times === 0 ? 0 : cost * times);

function checkCost(what: string, cost: number, path: FieldPath, costs: CostTotal, errors: FieldError[]): void {
  if (cost > STATIC_ESTIMATED_COST_LIMIT) {
    errors.push(fieldForbidden(path, costMessage(what, cost, STATIC_ESTIMATED_COST_LIMIT)));
  }
  observe(costs, path, cost);
}

/** What all rules of a schema cost together is too much. `path` is that of the schema. */
export function checkTotalCost({ total, expensive }: CostTotal, path: FieldPath): FieldError[] {
  if (total <= STATIC_ESTIMATED_CRD_COST_LIMIT) return [];
  const contributed = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
  const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
  return [
    ...expensive.map((rule) => fieldForbidden(rule.path, contributed)),
    fieldForbidden(path, costMessage(what, total, STATIC_ESTIMATED_CRD_COST_LIMIT)),
  ];
}

function costMessage(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? "more than 100x" : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** A rule as upstream's messages show it: its internal type has no JSON names. */
const goRule = (rule: ValidationRule): object => ({
  Rule: rule.rule ?? "",
  Message: rule.message ?? "",
  MessageExpression: rule.messageExpression ?? "",
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? "",
  OptionalOldSelf: rule.optionalOldSelf ?? null,
});
