import { type Attributes, isNamespace } from "../../api/admission/attributes.ts";
import type { Activation } from "../../api/admission/evaluation.ts";
import type { PolicyBindingObject, PolicyHook, PolicyObject } from "../../api/admission/policies.ts";
import { type Invocation, matchResources } from "../../api/admission/rule-match.ts";
import type { KubeObject } from "../../api/object.ts";
import { type Versions, versionsOf } from "./attributes.ts";
import type { Admission } from "./plugin.ts";
import { BadBinding, paramsOf } from "./policy-params.ts";
import { namespaceLabelsOf, namespaceOf, type Surroundings } from "./surroundings.ts";
import { activationOf } from "./webhook-match.ts";

/** One evaluation of a policy: under one of its bindings, with one parameter. */
export interface PolicyCall<Policy extends PolicyObject> {
  readonly policy: Policy;
  readonly binding: PolicyBindingObject;
  readonly param: Readonly<KubeObject> | undefined;
  readonly invocation: Invocation;
  readonly versions: Versions;
}

export interface BindingFailure<Policy extends PolicyObject> {
  readonly policy: Policy;
  readonly binding: PolicyBindingObject;
  readonly message: string;
}

/** What policies have to say to a request; `failed` has the bindings that cannot be used (policy/generic Dispatch). */
export function policyCallsOf<Policy extends PolicyObject>(
  hooks: readonly PolicyHook<Policy>[],
  admission: Admission,
  attributes: Attributes,
  surroundings: Surroundings,
): { calls: PolicyCall<Policy>[]; failed: BindingFailure<Policy>[] } {
  const calls: PolicyCall<Policy>[] = [];
  const failed: BindingFailure<Policy>[] = [];
  const labels = namespaceLabelsOf(admission, attributes, surroundings);
  for (const { policy, bindings } of hooks) {
    const { matchConstraints, paramKind } = policy.spec;
    const invocation = matchConstraints && matchResources(matchConstraints, attributes, labels);
    if (!invocation) continue;
    const versions = versionsOf(admission, invocation.resource, invocation.kind);
    for (const binding of bindings) {
      const { matchResources: own, paramRef } = binding.spec;
      if (own && !matchResources(own, attributes, labels)) continue;
      try {
        for (const param of paramsOf(admission, attributes.namespace, paramKind, paramRef, surroundings)) {
          calls.push({ policy, binding, param, invocation, versions });
        }
      } catch (error) {
        if (!(error instanceof BadBinding)) throw error;
        failed.push({ policy, binding, message: `failed to configure binding: ${error.message}` });
      }
    }
  }
  return { calls, failed };
}

/** What a policy's expressions may name. */
export function policyActivation<Policy extends PolicyObject>(
  { policy, param, invocation, versions }: PolicyCall<Policy>,
  admission: Admission,
  attributes: Attributes,
  { usesNamespace }: { readonly usesNamespace: boolean },
  surroundings: Surroundings,
): Activation {
  // A Namespace is in none, here.
  const isInOne = usesNamespace && !isNamespace(attributes);
  const namespace = isInOne ? namespaceOf(admission, attributes, surroundings) : undefined;
  const activation = activationOf(attributes, invocation, versions, surroundings, namespace);
  return policy.spec.paramKind ? { ...activation, params: param ?? null } : activation;
}
