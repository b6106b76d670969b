import type { CelType } from "../cel/types.ts";
import * as T from "../cel/types.ts";
import type { CompiledVariable } from "./evaluation.ts";
import { type CompiledExpression, compileExpression, type ExpressionUse } from "./expressions.ts";
import { type CompiledCondition, compileConditions } from "./match-conditions.ts";
import type { MutatingPolicyObject, PolicyObject, PolicyVariable, ValidatingPolicyObject } from "./policies.ts";

interface CompiledPolicy {
  readonly variables: readonly CompiledVariable[];
  readonly conditions: readonly CompiledCondition[];
  /** Whether any expression looks at `namespaceObject`, which may have to be fetched. */
  readonly usesNamespace: boolean;
}

export interface CompiledValidatingPolicy extends CompiledPolicy {
  readonly validations: readonly CompiledExpression[];
  /** Undefined where a validation has no messageExpression. */
  readonly messages: readonly (CompiledExpression | undefined)[];
  readonly annotations: readonly CompiledExpression[];
}

export interface CompiledMutatingPolicy extends CompiledPolicy {
  readonly mutations: readonly CompiledExpression[];
}

/** Compiles variables in their order: each may name those before it. What does not compile is known as anything. */
export function compileVariables(
  variables: readonly PolicyVariable[],
  use: Omit<ExpressionUse, "returns" | "variables">,
): { readonly compiled: readonly CompiledVariable[]; readonly types: ReadonlyMap<string, CelType> } {
  const types = new Map<string, CelType>();
  const compiled = variables.map(({ name = "", expression = "" }): CompiledVariable => {
    const made = compileExpression(expression, { ...use, returns: "anything", variables: types });
    types.set(name, made.program ? variableType(made.program.resultType) : T.DYN);
    return { name, compiled: made };
  });
  return { compiled, types };
}

const KEPT = new Set<CelType["kind"]>([
  "bool",
  "bytes",
  "double",
  "duration",
  "int",
  "null",
  "string",
  "timestamp",
  "uint",
]);

/** What is known of a variable by its type: scalars, and lists and maps of them (admission/plugin/cel convertCelTypeToDeclType). */
function variableType(type: CelType): CelType {
  if (type.kind === "list") return T.listOf(variableType(type.element));
  if (type.kind === "map") return T.mapOf(variableType(type.key), variableType(type.value));
  return KEPT.has(type.kind) ? type : T.DYN;
}

const validating = new WeakMap<ValidatingPolicyObject, CompiledValidatingPolicy>();

/** Compiled once: policies do not change, others take their places. */
export function compiledValidatingPolicy(policy: ValidatingPolicyObject): CompiledValidatingPolicy {
  let compiled = validating.get(policy);
  if (!compiled) {
    const { base, use } = common(policy);
    const { validations = [], auditAnnotations = [] } = policy.spec;
    const of = (source: string | undefined, more: Pick<ExpressionUse, "returns"> & Partial<ExpressionUse>) =>
      compileExpression(source ?? "", { ...use, ...more });
    const own = {
      validations: validations.map(({ expression }) => of(expression, { returns: "bool" })),
      messages: validations.map(({ messageExpression }) =>
        messageExpression ? of(messageExpression, { returns: "string", hasAuthorizer: false }) : undefined,
      ),
      annotations: auditAnnotations.map(({ valueExpression }) => of(valueExpression, { returns: "text or nothing" })),
    };
    const usesNamespace = lookAtNamespace(base, [...own.validations, ...own.messages, ...own.annotations]);
    compiled = { ...base, ...own, usesNamespace };
    validating.set(policy, compiled);
  }
  return compiled;
}

const mutating = new WeakMap<MutatingPolicyObject, CompiledMutatingPolicy>();

export function compiledMutatingPolicy(policy: MutatingPolicyObject): CompiledMutatingPolicy {
  let compiled = mutating.get(policy);
  if (!compiled) {
    const { base, use } = common(policy);
    const mutations = (policy.spec.mutations ?? []).map(({ patchType, jsonPatch, applyConfiguration }) =>
      patchType === "JSONPatch"
        ? compileExpression(jsonPatch?.expression ?? "", { ...use, returns: "JSONPatch" })
        : compileExpression(applyConfiguration?.expression ?? "", { ...use, returns: "Object" }),
    );
    compiled = { ...base, mutations, usesNamespace: lookAtNamespace(base, mutations) };
    mutating.set(policy, compiled);
  }
  return compiled;
}

type Base = Omit<CompiledPolicy, "usesNamespace">;

function lookAtNamespace({ variables, conditions }: Base, own: readonly (CompiledExpression | undefined)[]): boolean {
  const all = [...variables, ...conditions].map(({ compiled }): CompiledExpression | undefined => compiled);
  return [...all, ...own].some((each) => each?.program?.uses("namespaceObject"));
}

function common({ spec }: PolicyObject): { base: Base; use: Omit<ExpressionUse, "returns"> } {
  const plain = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true };
  const { compiled: variables, types } = compileVariables(spec.variables ?? [], plain);
  const use = { ...plain, variables: types };
  return { base: { variables, conditions: compileConditions(spec.matchConditions ?? [], use) }, use };
}
