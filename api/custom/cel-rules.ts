import { compile, type Program, type Refusal } from "../cel/cel.ts";

import { type Declared, optionalDeclared } from "../cel/declared.ts";
import { declaredOfStructural } from "../cel/structural.ts";
import { BOOL, isSameType, STRING } from "../cel/types.ts";
import { NONE, Optional } from "../cel/values.ts";
import type { ValidationRule } from "./definition.ts";
import { readFieldPath } from "./rule-field-path.ts";
import type { Structural } from "./structural.ts";

/** A rule of x-kubernetes-validations, ready to be evaluated. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Undefined where the rule is empty, or has an `error`. */
  readonly program: Program | undefined;
  readonly error: string | undefined;
  readonly usesOldSelf: boolean;
  readonly message: Program | undefined;
  readonly messageError: string | undefined;
  /** Where a failure is told, from the value on: `.spec.x` as a field path; empty: the value itself. */
  readonly fieldPath: string;
}

export interface CompiledRules {
  readonly rules: readonly CompiledRule[];
  /** Undefined where the schema is nothing that expressions can speak of. */
  readonly declared: Declared | undefined;
}

const known = new WeakMap<Structural, CompiledRules>();
const knownOfResources = new WeakMap<Structural, CompiledRules>();

/** The rules of one node; made once. `isResource`: apiVersion, kind and metadata.name can be spoken of. */
export function compiledRulesOf(node: Structural, { isResource }: { isResource: boolean }): CompiledRules {
  const cache = isResource ? knownOfResources : known;
  let compiled = cache.get(node);
  if (!compiled) {
    compiled = compileRules(node, isResource);
    cache.set(node, compiled);
  }
  return compiled;
}

function compileRules(node: Structural, isResource: boolean): CompiledRules {
  const declared = declaredOfStructural(node.schema, { name: "selfType", isResourceRoot: isResource });
  const rules = node.schema["x-kubernetes-validations"] ?? [];
  return { declared, rules: rules.map((rule) => compileRule(rule, node, declared)) };
}

const EMPTY = { program: undefined, error: undefined, usesOldSelf: false, message: undefined, messageError: undefined };

function compileRule(rule: ValidationRule, node: Structural, declared: Declared | undefined): CompiledRule {
  const fieldPath = fieldPathOf(rule, node);
  if ((rule.rule ?? "").trim() === "") return { ...EMPTY, rule, fieldPath };
  if (!declared) return { ...EMPTY, rule, fieldPath, error: "failed to convert to declType for CEL validation rules" };
  const oldSelf = rule.optionalOldSelf ? optionalDeclared(declared, wrapOptional) : declared;
  const environment = { variables: { self: declared, oldSelf } };
  const compiled = compile(rule.rule, environment);
  if (compiled.issues !== undefined) {
    return { ...EMPTY, rule, fieldPath, error: describeRefusal(compiled, "program ") };
  }
  const { program } = compiled;
  if (!isSameType(program.resultType, BOOL)) {
    return { ...EMPTY, rule, fieldPath, error: "cel expression must evaluate to a bool" };
  }
  const found = { ...EMPTY, rule, fieldPath, program, usesOldSelf: program.uses("oldSelf") };
  if (!rule.messageExpression) return found;
  const message = compile(rule.messageExpression, environment);
  if (message.issues !== undefined) {
    return { ...found, messageError: `messageExpression ${describeRefusal(message, "")}` };
  }
  if (!isSameType(message.program.resultType, STRING)) {
    return { ...found, messageError: "messageExpression must evaluate to a string" };
  }
  return { ...found, message: message.program };
}

const describeRefusal = ({ during, issues }: Refusal, program: string): string =>
  during === "compilation" ? `compilation failed: ${issues}` : `${program}instantiation failed: ${issues}`;

const wrapOptional = (value: ConstructorParameters<typeof Optional>[0]): Optional =>
  value === undefined ? NONE : new Optional(value);

function fieldPathOf({ fieldPath }: ValidationRule, node: Structural): string {
  if (!fieldPath) return "";
  try {
    return readFieldPath(fieldPath, node).path;
  } catch {
    return "";
  }
}
