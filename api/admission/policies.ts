import type { MatchResources } from "../kinds/admission-rules.ts";
import type { Condition } from "../kinds/conditions.ts";
import type { MatchCondition } from "../kinds/webhooks.ts";
import type { KubeObject } from "../object.ts";
import type { LabelSelector } from "../selector.ts";

/** admissionregistration.k8s.io/v1 Variable. */
export interface PolicyVariable {
  name?: string;
  expression?: string;
}

/** admissionregistration.k8s.io/v1 Validation. */
export interface Validation {
  expression?: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
}

/** admissionregistration.k8s.io/v1 AuditAnnotation. */
export interface AuditAnnotation {
  key?: string;
  valueExpression?: string;
}

/** admissionregistration.k8s.io/v1 Mutation. */
export interface Mutation {
  patchType?: string;
  applyConfiguration?: { expression?: string };
  jsonPatch?: { expression?: string };
}

/** The kind of a policy's parameters. */
export interface ParamKind {
  apiVersion?: string;
  kind?: string;
}

interface PolicySpec {
  failurePolicy?: string;
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  matchConditions?: MatchCondition[];
  variables?: PolicyVariable[];
}

export interface ValidatingPolicyObject extends KubeObject {
  spec: PolicySpec & { validations?: Validation[]; auditAnnotations?: AuditAnnotation[] };
  status?: {
    conditions?: Condition[];
    observedGeneration?: number;
    typeChecking?: { expressionWarnings?: { fieldRef?: string; warning?: string }[] };
  };
}

export interface MutatingPolicyObject extends KubeObject {
  spec: PolicySpec & { mutations?: Mutation[]; reinvocationPolicy?: string };
}

export type PolicyObject = ValidatingPolicyObject | MutatingPolicyObject;

/** admissionregistration.k8s.io/v1 ParamRef. */
export interface ParamRef {
  name?: string;
  namespace?: string;
  selector?: LabelSelector;
  parameterNotFoundAction?: string;
}

export interface PolicyBindingObject extends KubeObject {
  spec: {
    policyName?: string;
    paramRef?: ParamRef;
    matchResources?: MatchResources;
    /** Of validating policies. */
    validationActions?: string[];
  };
}

/** A policy with all that binds it. */
export interface PolicyHook<Policy extends PolicyObject> {
  readonly policy: Policy;
  readonly bindings: readonly PolicyBindingObject[];
}

const known = new WeakMap<
  readonly KubeObject[],
  { bindings: readonly KubeObject[]; hooks: readonly PolicyHook<any>[] }
>();

/** The policies that anything binds, by name; a policy without a binding does nothing. */
export function policyHooks<Policy extends PolicyObject>(
  policies: readonly KubeObject[],
  bindings: readonly KubeObject[],
): readonly PolicyHook<Policy>[] {
  const remembered = known.get(policies);
  if (remembered?.bindings === bindings) return remembered.hooks;
  const byPolicy = Map.groupBy(byName(bindings) as PolicyBindingObject[], ({ spec }) => spec?.policyName ?? "");
  const hooks = (byName(policies) as Policy[]).flatMap((policy): PolicyHook<Policy>[] => {
    const bound = byPolicy.get(policy.metadata.name);
    return bound ? [{ policy, bindings: bound }] : [];
  });
  known.set(policies, { bindings, hooks });
  return hooks;
}

const byName = (objects: readonly KubeObject[]): KubeObject[] =>
  [...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
