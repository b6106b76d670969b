import type { Attributes } from "../../api/admission/attributes.ts";
import { compiledMutatingPolicy } from "../../api/admission/compiled-policy.ts";
import { refusedName } from "../../api/admission/denial.ts";
import { matchConditions } from "../../api/admission/match-conditions.ts";
import { mutate } from "../../api/admission/mutation.ts";
import { type MutatingPolicyObject, policyHooks } from "../../api/admission/policies.ts";
import { sameJson } from "../../api/equality.ts";
import { shapeOfBuiltIn } from "../../api/schema/shape.ts";
import { ApiError, forbidden } from "../../api/status.ts";
import { NeedsAnswers } from "../verbs/answers.ts";
import { servedIn } from "../verbs/served.ts";
import { attributesOf } from "./attributes.ts";
import type { Admission, AdmissionPlugin } from "./plugin.ts";
import { type PolicyCall, policyActivation, policyCallsOf } from "./policy-match.ts";
import { ReinvocationMemory } from "./reinvocation-memory.ts";
import type { Surroundings } from "./surroundings.ts";
import { isExemptWrite } from "./webhook-match.ts";

export const MUTATING_POLICIES = "mutatingadmissionpolicies.admissionregistration.k8s.io";
const MUTATING_BINDINGS = "mutatingadmissionpolicybindings.admissionregistration.k8s.io";
const NAME = "MutatingAdmissionPolicy";

/** Changes what the cluster's policies change (KEP-3962; upstream's plugin of this name). */
export const mutatingPolicies = (surroundings: Surroundings): AdmissionPlugin => ({
  name: NAME,
  admit(admission) {
    const policies = admission.catalog.objects(MUTATING_POLICIES);
    // Nothing of a deletion can be changed.
    if (policies.length === 0 || admission.operation === "delete" || isExemptWrite(admission)) return;
    const hooks = policyHooks<MutatingPolicyObject>(policies, admission.catalog.objects(MUTATING_BINDINGS));
    if (hooks.length === 0) return;
    const memory = ReinvocationMemory.of(admission, NAME);
    memory.begin(admission.object);
    let attributes = attributesOf(admission);
    const { calls, failed } = policyCallsOf(hooks, admission, attributes, surroundings);
    const refusals = failed
      .filter(({ policy }) => policy.spec.failurePolicy !== "Ignore")
      .map(({ policy, binding, message }) => ({
        ...refusal(policy.metadata.name, binding.metadata.name, message),
        isInvalid: false,
      }));
    for (const call of calls) {
      const { policy, binding, param } = call;
      const id = JSON.stringify(
        [policy, binding, param].map((each) => each && [each.metadata.namespace, each.metadata.name]),
      );
      const before = admission.object;
      for (const message of carryOut(call, admission, attributes, memory.isDue(id), surroundings)) {
        if (policy.spec.failurePolicy === "Ignore") continue;
        refusals.push({ ...refusal(policy.metadata.name, binding.metadata.name, message), isInvalid: true });
      }
      if (!sameJson(admission.object, before)) {
        attributes = attributesOf(admission);
        memory.hasChanged();
      }
      if (policy.spec.reinvocationPolicy === "IfNeeded") memory.mayBeAskedAgain(id);
    }
    memory.end(admission.object);
    if (refusals.length > 0) throw denial(admission, refusedName(attributes), refusals);
  },
});

interface Refusal {
  readonly message: string;
}

const refusal = (policy: string, binding: string, message: string): Refusal => ({
  message: `policy '${policy}' with binding '${binding}' denied request: ${message}`,
});

/** Carries out one policy's mutations, each on what the last one made. Answers what went wrong. */
function carryOut(
  call: PolicyCall<MutatingPolicyObject>,
  admission: Admission,
  before: Attributes,
  isDue: boolean,
  surroundings: Surroundings,
): string[] {
  const { policy, versions } = call;
  const compiled = compiledMutatingPolicy(policy);
  const { variables, conditions, mutations } = compiled;
  const matched = matchConditions(
    conditions,
    policy.spec.failurePolicy,
    policyActivation(call, admission, before, compiled, surroundings),
    variables,
  );
  if (matched.error !== undefined) return [matched.error];
  if (!matched.matches || !isDue) return [];
  const failures: string[] = [];
  policy.spec.mutations?.forEach((mutation, i) => {
    const attributes = attributesOf(admission);
    const shown = versions.show(attributes.object);
    if (!shown) return;
    const activation = policyActivation(call, admission, attributes, compiled, surroundings);
    try {
      const made = mutate(mutation, mutations[i]!, shown, shapeFor(call, admission), activation, variables);
      if (made) admission.object = versions.take(made);
    } catch (error) {
      if (error instanceof ApiError || error instanceof NeedsAnswers) throw error;
      failures.push((error as Error).message);
    }
  });
  return failures;
}

const shapeFor = (
  { invocation: { resource, kind } }: PolicyCall<MutatingPolicyObject>,
  { guise, catalog }: Admission,
) => (guise ? shapeOfBuiltIn(kind) : servedIn(catalog, resource).shape);

/** Of several, the first says what is told; all are among the causes. */
function denial(
  { served: { info } }: Admission,
  name: string,
  refusals: (Refusal & { isInvalid: boolean })[],
): ApiError {
  const { details, code } = forbidden(info, name, "");
  const [{ message, isInvalid }] = refusals as [Refusal & { isInvalid: boolean }];
  const causes = refusals.map((each) => ({ message: each.message }));
  return new ApiError(isInvalid ? "Invalid" : "Forbidden", message, { ...details, causes }, code);
}
