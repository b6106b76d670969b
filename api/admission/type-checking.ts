import type { Declared } from "../cel/declared.ts";
import type { AdmissionRule } from "../kinds/admission-rules.ts";
import type { GroupVersionKind } from "./attributes.ts";
import { compileVariables } from "./compiled-policy.ts";
import { type ExpressionUse, issuesOf } from "./expressions.ts";
import type { ValidatingPolicyObject } from "./policies.ts";

/** What kinds there are, and what their objects look like. */
export interface KnownTypes {
  /** Undefined where no such resource is served. */
  kindOf(group: string, version: string, resource: string): GroupVersionKind | undefined;
  /** Undefined where nothing is known of the kind's fields. */
  declared(kind: GroupVersionKind): Declared | undefined;
}

/** admissionregistration.k8s.io/v1 ExpressionWarning. */
export interface ExpressionWarning {
  /** `spec.validations[0].expression`. */
  fieldRef: string;
  warning: string;
}

/** Kinds that one rule's expressions are checked against. */
const TYPES_MAX = 10;

/**
 * What the expressions of a policy get wrong about the kinds that it is for: fields that are not there, types that do not fit
 * (policy/validating/typechecking.go). Rules with a `*` say nothing of kinds.
 */
export function typeCheck({ spec }: ValidatingPolicyObject, types: KnownTypes): ExpressionWarning[] {
  const kinds = kindsOf(spec.matchConstraints?.resourceRules ?? [], types);
  if (kinds.length === 0) return [];
  const params = spec.paramKind && types.declared(kindOfParams(spec.paramKind));
  const uses = kinds.map(({ kind, object }) => {
    const plain = {
      hasParams: spec.paramKind !== undefined,
      hasAuthorizer: true,
      types: { object, params },
    };
    const variables = compileVariables(spec.variables ?? [], plain).types;
    return { kind, use: { ...plain, returns: "anything", variables } as const satisfies ExpressionUse };
  });
  const warnings: ExpressionWarning[] = [];
  const check = (fieldRef: string, source: string | undefined) => {
    if (!source) return;
    const found = uses.flatMap(({ kind, use }) => {
      const issues = issuesOf(source, use);
      return issues === undefined ? [] : [`${describe(kind)}: ${issues}\n`];
    });
    if (found.length > 0) warnings.push({ fieldRef, warning: found.join("\n") });
  };
  spec.validations?.forEach(({ expression, messageExpression }, i) => {
    check(`spec.validations[${i}].expression`, expression);
    check(`spec.validations[${i}].messageExpression`, messageExpression);
  });
  return warnings;
}

function kindsOf(rules: readonly AdmissionRule[], types: KnownTypes): { kind: GroupVersionKind; object: Declared }[] {
  const found = new Map<string, { kind: GroupVersionKind; object: Declared }>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of rules) {
    if ([...apiGroups, ...apiVersions].some((name) => name.includes("*"))) continue;
    const plain = resources.filter((resource) => !/[*/]/.test(resource));
    for (const group of apiGroups.toSorted()) {
      for (const version of apiVersions.toSorted()) {
        for (const resource of plain.toSorted()) {
          if (found.size === TYPES_MAX) break;
          const kind = types.kindOf(group, version, resource);
          const object = kind && types.declared(kind);
          if (object) found.set(describe(kind), { kind, object });
        }
      }
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function kindOfParams({ apiVersion = "", kind = "" }: { apiVersion?: string; kind?: string }): GroupVersionKind {
  const slash = apiVersion.indexOf("/");
  return { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1), kind };
}

/** As Go prints a GroupVersionKind. */
const describe = ({ group, version, kind }: GroupVersionKind): string => `${group}/${version}, Kind=${kind}`;
