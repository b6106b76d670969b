import { MESSAGE_BYTES_MAX, RUNTIME_COST_BUDGET } from "../cel/cel.ts";
import { CelError } from "../cel/cel-error.ts";
import { CostBudget } from "../cel/meter.ts";
import { describeFieldError, type FieldError, fieldInvalid, fieldInvalidUnshown } from "../field-error.ts";
import { isObject, type Json } from "../json-value.ts";
import { type CompiledRule, compiledRulesOf } from "./cel-rules.ts";
import { type Correlation, KeyedItems } from "./correlation.ts";
import type { ValidationRule } from "./definition.ts";
import { ERRORS_MAX, pathOfField } from "./keyed-lists.ts";
import { nodeOfField, type Structural } from "./structural.ts";

/**
 * x-kubernetes-validations of one object (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel): rules of a node first, then those
 * below it; transition rules where there is an old value; all within one budget.
 */

/** What is found. Warnings are failures of rules over values that are as they were. */
export interface RuleState {
  errors: FieldError[];
  warnings: string[];
}

export interface RuleSubject {
  value: Json;
  /** Undefined or null: there is none. */
  old: Json;
  /** At an update. */
  correlation?: Correlation | undefined;
  /** Rules may speak of apiVersion, kind and metadata.name. */
  isResource: boolean;
}

/** Which part of the old object belongs to the value: itself, or only something around it. */
interface Ratchet {
  readonly current: Correlation | undefined;
  readonly nearest: Correlation | undefined;
}

interface Run extends RuleState {
  readonly budget: CostBudget;
  /** No further rule is evaluated. */
  stopped: boolean;
}

/** Evaluates the rules of a schema's root and below, within RUNTIME_COST_BUDGET cost units. `path` is where the value is. */
export function validateRules(
  root: Structural,
  subject: RuleSubject,
  { errors, warnings }: RuleState,
  path = "",
): void {
  const run: Run = { errors, warnings, budget: new CostBudget(RUNTIME_COST_BUDGET), stopped: false };
  const { value, old, correlation, isResource } = subject;
  visit(root, value, old, path, { current: correlation, nearest: undefined }, isResource, run);
}

function visit(
  node: Structural | undefined,
  value: Json,
  old: Json,
  path: string,
  ratchet: Ratchet,
  isResource: boolean,
  run: Run,
): void {
  if (!node?.hasRules || value === null || value === undefined || run.stopped) return;
  if ((node.schema["x-kubernetes-validations"]?.length ?? 0) > 0) {
    evaluateRules(node, value, old ?? undefined, path, ratchet, isResource, run);
  }
  if (Array.isArray(value)) {
    const { items } = node;
    if (!items?.hasRules) return;
    const before = new KeyedItems(node, Array.isArray(old) ? old : []);
    for (let i = 0; i < value.length && !run.stopped && run.errors.length < ERRORS_MAX; i++) {
      visit(items, value[i], before.get(value[i]), `${path}[${i}]`, indexOf(ratchet, i), items.embedded, run);
    }
  } else if (isObject(value)) {
    const before = isObject(old) ? old : {};
    for (const key of Object.keys(value)) {
      const field = nodeOfField(node, key);
      if (!field?.hasRules) continue;
      const was = Object.hasOwn(before, key) ? before[key] : undefined;
      visit(field, value[key], was, pathOfField(node, key, path), keyOf(ratchet, key), field.embedded, run);
    }
  }
}

function keyOf(ratchet: Ratchet, key: string): Ratchet {
  const { current, nearest } = ratchet;
  if (!current) return ratchet;
  // What an object says of its type is what was asked for: never as it was.
  if (!nearest && (key === "apiVersion" || key === "kind")) return { current: undefined, nearest: undefined };
  return { current: current.key(key), nearest: current };
}

const indexOf = (ratchet: Ratchet, i: number): Ratchet =>
  ratchet.current ? { current: ratchet.current.index(i), nearest: ratchet.current } : ratchet;

const isAsBefore = ({ current, nearest }: Ratchet): boolean => (current ?? nearest)?.isSame() ?? false;

function evaluateRules(
  node: Structural,
  value: Json,
  old: Json,
  path: string,
  ratchet: Ratchet,
  isResource: boolean,
  run: Run,
): void {
  const { errors, budget } = run;
  const at = path || NOWHERE;
  const tell = (why: string) => errors.push(fieldInvalid(at, node.type, why));
  for (const compiled of compiledRulesOf(node, { isResource }).rules) {
    if (errors.length >= ERRORS_MAX) return;
    if (budget.remaining <= 0) {
      tell(OUT_OF_BUDGET);
      run.stopped = true;
      return;
    }
    const { rule, program, usesOldSelf } = compiled;
    if (compiled.error !== undefined) tell(`rule compile error: ${compiled.error}`);
    if (!program) continue;
    if (usesOldSelf && old === undefined && !rule.optionalOldSelf) continue;
    const variables = old === undefined && !rule.optionalOldSelf ? { self: value } : { self: value, oldSelf: old };
    try {
      if (program.evaluate(variables, budget) === true) continue;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      tell(describeCelError(error, rule));
      if (error.kind === "evaluation") continue;
      run.stopped = true;
      return;
    }
    const failure = describeFailure(compiled, variables, budget);
    const shown = rule.fieldPath && compiled.fieldPath ? joined(path, compiled.fieldPath) : at;
    const fault = failure.ends
      ? fieldInvalid(shown, node.type, failure.detail)
      : faultOf(rule, shown, node, value, failure.detail);
    if (!usesOldSelf && isAsBefore(ratchet)) run.warnings.push(describeFieldError(fault));
    else errors.push(fault);
    if (failure.ends) {
      run.stopped = true;
      return;
    }
  }
}

const NOWHERE = "<nil>";
const OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run";

const joined = (path: string, below: string): string =>
  path === "" ? below : below.startsWith("[") ? path + below : `${path}.${below}`;

const ruleText = ({ rule, message }: ValidationRule): string => (message ? message : rule).trim();

function describeCelError({ kind, message }: CelError, rule: ValidationRule): string {
  if (kind === "budget") return OUT_OF_BUDGET;
  const of = ruleText(rule);
  if (kind === "cost")
    return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${of}`;
  if (message.startsWith("no such overload")) {
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${of}`;
  }
  return `${message} evaluating rule: ${of}`;
}

/** Why a rule failed: what its messageExpression says, else its message, else the rule. `ends`: nothing may be evaluated after it. */
function describeFailure(
  { rule, message }: CompiledRule,
  variables: Record<string, unknown>,
  budget: CostBudget,
): { detail: string; ends: boolean } {
  const fallback = rule.message ? rule.message.trim() : `failed rule: ${ruleText(rule)}`;
  if (!message) return { detail: fallback, ends: false };
  let text: unknown;
  try {
    text = message.evaluate(variables, budget);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    if (error.kind === "evaluation") return { detail: fallback, ends: false };
    const why =
      error.kind === "budget"
        ? "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run"
        : `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(rule.messageExpression)}`;
    return { detail: why, ends: true };
  }
  const trimmed = typeof text === "string" ? text.trim() : "";
  const isTold =
    trimmed !== "" && !trimmed.includes("\n") && new TextEncoder().encode(trimmed).length <= MESSAGE_BYTES_MAX;
  return { detail: isTold ? trimmed : fallback, ends: false };
}

function faultOf(
  { reason }: ValidationRule,
  field: string,
  { type }: Structural,
  value: Json,
  detail: string,
): FieldError {
  switch (reason) {
    case "FieldValueForbidden":
    case "FieldValueRequired":
      return { type: reason, field, detail };
    case "FieldValueDuplicate":
      return isShown(type)
        ? { type: reason, field, value, detail: "" }
        : { type: reason, field, omitsValue: true, detail: "" };
    default:
      return isShown(type) ? fieldInvalid(field, value, detail) : fieldInvalidUnshown(field, detail);
  }
}

/** Objects and lists would fill the message. */
const isShown = (type: string): boolean => type !== "object" && type !== "array";
