/**
 * The Common Expression Language as Kubernetes uses it (google/cel-spec; k8s.io/apiserver/pkg/cel/environment: the libraries of v1.36).
 * An expression is parsed, checked and turned into closures once, and evaluated many times. Values go in as plain JSON.
 */
import type { Expression } from "./ast.ts";
import { childrenOf } from "./ast.ts";
import { CelError, Exhausted, Failure, fail } from "./cel-error.ts";
import { check, type Scope } from "./check.ts";
import { checkLiterals } from "./check-literals.ts";
import { type Declared, structsWithin } from "./declared.ts";
import { type CostEstimate, estimateCost } from "./estimate.ts";
import type { CelFunction } from "./function.ts";
import { IssueList } from "./issues.ts";
import { FUNCTIONS, MUTATION_FUNCTIONS } from "./library/library.ts";
import { type CostBudget, Meter } from "./meter.ts";
import { parse } from "./parse.ts";
import { planExpression } from "./plan.ts";
import type { Frame } from "./plan-step.ts";
import type { CelType } from "./types.ts";
import * as T from "./types.ts";
import type { CelValue } from "./values.ts";

/** What one evaluation may cost (k8s.io/apiserver/pkg/apis/cel PerCallLimit), in cost units: about 0.1 s upstream. */
export const PER_CALL_LIMIT = 1_000_000;
/** What all rules of one object, or one policy binding, may cost together (RuntimeCELCostBudget). */
export const RUNTIME_COST_BUDGET = 10_000_000;
/** What the match conditions of one webhook or policy may cost together (RuntimeCELCostBudgetMatchConditions). */
export const MATCH_CONDITIONS_COST_BUDGET = 2_500_000;
/** The most that one rule of a CRD may be estimated to cost (apiextensions StaticEstimatedCostLimit). */
export const STATIC_ESTIMATED_COST_LIMIT = 10_000_000;
/** The most that all rules of a CRD may be estimated to cost (apiextensions StaticEstimatedCRDCostLimit). */
export const STATIC_ESTIMATED_CRD_COST_LIMIT = 100_000_000;
/** The longest text that a messageExpression may make, in bytes (MaxEvaluatedMessageExpressionSizeBytes). */
export const MESSAGE_BYTES_MAX = 5 * 1024;

/** What an expression can name, besides the libraries. */
export interface Environment {
  /** Dots are allowed: `authorizer.requestResource`. */
  readonly variables: Readonly<Record<string, Declared>>;
  /** Struct types that an expression may construct, by name: `Object.spec{…}`. */
  constructible?(name: string): Declared | undefined;
  /** Adds what upstream adds for mutation alone: `jsonpatch.escapeKey`. */
  readonly jsonPatch?: boolean;
}

/** Why there is no program. */
export interface Refusal {
  readonly program?: undefined;
  /** What upstream prints: `ERROR: <input>:1:1: …`, source line and caret; of an instantiation the sentence alone. */
  readonly issues: string;
  /** Upstream's prefixes differ: "compilation failed: ", "program instantiation failed: ". */
  readonly during: "compilation" | "instantiation";
}

export interface Program {
  readonly source: string;
  /** Compare with `isSameType`; callers ask for bool, string, … */
  readonly resultType: CelType;
  /** Whether the expression looks at this variable. */
  uses(variable: string): boolean;
  /** In cost units, from the sizes that the variables' declarations promise. */
  estimateCost(): CostEstimate;
  /**
   * Variables are plain JSON, as they are declared; also values of the language. Those that are absent are refused when they are looked at.
   * The budget pays what it cost, also where it fails.
   * @throws CelError, and nothing else
   */
  evaluate(variables: Readonly<Record<string, unknown>>, budget: CostBudget): CelValue;
}

export type Compiled = { readonly program: Program; readonly issues?: undefined } | Refusal;

/** Names of types in expressions, besides structs. */
const TYPE_NAMES = new Map<string, CelType>([
  ["bool", T.BOOL],
  ["bytes", T.BYTES],
  ["double", T.DOUBLE],
  ["google.protobuf.Duration", T.DURATION],
  ["google.protobuf.Timestamp", T.TIMESTAMP],
  ["int", T.INT],
  ["list", T.listOf(T.DYN)],
  ["map", T.mapOf(T.DYN, T.DYN)],
  ["net.CIDR", T.CIDR],
  ["net.IP", T.IP],
  ["null_type", T.NULL],
  ["optional_type", T.optionalOf(T.DYN)],
  ["string", T.STRING],
  ["type", T.TYPE],
  ["uint", T.UINT],
]);

/** Compiles one expression. Neither parsing nor checking takes longer than in proportion to its size, which is bounded. */
export function compile(source: string, environment: Environment): Compiled {
  const issues = new IssueList(source);
  const scope = scopeOf(environment);
  try {
    const root = parse(source, issues);
    if (root) check(root, scope, issues);
    if (root && issues.count === 0) checkLiterals(root, issues);
    if (!root || issues.count > 0) return { issues: issues.toString(), during: "compilation" };
    return { program: instantiate(source, root, environment, scope) };
  } catch (thrown) {
    if (thrown instanceof Failure) return { issues: thrown.message, during: "instantiation" };
    // The depth of an expression is bounded, and how much of the stack the caller has used is not known here.
    if (thrown instanceof RangeError) return { issues: "expression is nested too deeply", during: "compilation" };
    throw thrown;
  }
}

function scopeOf(environment: Environment): Scope {
  const structs = new Map<string, Declared>();
  const remember = (declared: Declared): Declared => {
    structsWithin(declared, structs);
    return declared;
  };
  const variables = new Map(Object.entries(environment.variables));
  for (const declared of variables.values()) remember(declared);
  const constructible = (name: string): Declared | undefined => {
    const declared = environment.constructible?.(name);
    return declared && remember(declared);
  };
  return {
    variable: (name) => variables.get(name)?.type,
    typeNamed: (name) => TYPE_NAMES.get(name) ?? (structs.get(name) ?? constructible(name))?.type,
    function: functionsOf(environment),
    struct: (name) => {
      const declared = structs.get(name) ?? constructible(name);
      return (
        declared && {
          ...declared,
          field: (field) => {
            const found = declared.field?.(field);
            return found && remember(found);
          },
        }
      );
    },
  };
}

const functionsOf =
  ({ jsonPatch = false }: Environment) =>
  (name: string): CelFunction | undefined =>
    FUNCTIONS.get(name) ?? (jsonPatch ? MUTATION_FUNCTIONS.get(name) : undefined);

function instantiate(source: string, root: Expression, environment: Environment, scope: Scope): Program {
  const { step, slots } = planExpression(root, scope.function);
  let used: ReadonlySet<string> | undefined;
  let estimate: CostEstimate | undefined;
  return {
    source,
    resultType: root.type!,
    uses: (variable) => {
      used ??= new Set(namesIn(root));
      return used.has(variable);
    },
    estimateCost: () => {
      estimate ??= estimateCost(root, environment.variables);
      return estimate;
    },
    evaluate: (variables, budget) => {
      const { remaining } = budget;
      const meter = new Meter(Math.min(PER_CALL_LIMIT, remaining), remaining < PER_CALL_LIMIT ? "budget" : "cost");
      try {
        return step(frameOf(variables, environment, meter, slots));
      } catch (thrown) {
        throw errorOf(thrown);
      } finally {
        budget.spend(meter.cost);
      }
    },
  };
}

function* namesIn(node: Expression): Generator<string> {
  if (node.kind === "identifier" && !node.names) yield node.name;
  if (node.kind === "select" && node.variable !== undefined) yield node.variable;
  for (const child of childrenOf(node)) yield* namesIn(child);
}

function frameOf(
  variables: Readonly<Record<string, unknown>>,
  environment: Environment,
  meter: Meter,
  slots: number,
): Frame {
  const read = new Map<string, CelValue>();
  return {
    meter,
    slots: new Array(slots),
    variable: (name) => {
      const known = read.get(name);
      if (known !== undefined) return known;
      if (!Object.hasOwn(variables, name)) return fail(`no such attribute(s): ${name}`);
      const value = environment.variables[name]!.read(variables[name]);
      read.set(name, value);
      return value;
    },
  };
}

const COST_EXCEEDED = "operation cancelled: actual cost limit exceeded";

function errorOf(thrown: unknown): unknown {
  if (thrown instanceof Failure) return new CelError("evaluation", thrown.message);
  if (thrown instanceof Exhausted) return new CelError(thrown.kind, COST_EXCEEDED);
  return thrown instanceof RangeError ? new CelError("cost", COST_EXCEEDED) : thrown;
}
