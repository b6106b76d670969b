import { compiledValidatingPolicy } from "../../api/admission/compiled-policy.ts";
import { refusedName } from "../../api/admission/denial.ts";
import { policyHooks, type ValidatingPolicyObject } from "../../api/admission/policies.ts";
import { validateByPolicy } from "../../api/admission/validating-policy.ts";
import { ApiError, forbidden, type StatusReason } from "../../api/status.ts";
import { attributesOf } from "./attributes.ts";
import type { Admission, AdmissionPlugin } from "./plugin.ts";
import { policyActivation, policyCallsOf } from "./policy-match.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellAnnotations, tellWarnings } from "./tell.ts";
import { isExemptWrite } from "./webhook-match.ts";

export const VALIDATING_POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io";
const VALIDATING_BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io";

/** Why the request is refused: of several, the first is told. */
interface Refusal {
  readonly message: string;
  /** Empty: the usual. */
  readonly reason: string;
}

/** One entry of the audit annotation `validation.policy.admission.k8s.io/validation_failure`. */
interface AuditedFailure {
  readonly message: string;
  readonly policy: string;
  readonly binding: string;
  readonly expressionIndex: number;
  readonly validationActions: readonly string[];
}

const FAILURE_ANNOTATION = "validation.policy.admission.k8s.io/validation_failure";
const AUDITED_FAILURES_MAX = 50;
const CODES: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 };
const UNPROCESSABLE = 422;

/** Refuses what the cluster's policies refuse (KEP-3488; upstream's plugin of this name). */
export const validatingPolicies = (surroundings: Surroundings): AdmissionPlugin => ({
  name: "ValidatingAdmissionPolicy",
  validate(admission) {
    const policies = admission.catalog.objects(VALIDATING_POLICIES);
    if (policies.length === 0 || isExemptWrite(admission)) return;
    const hooks = policyHooks<ValidatingPolicyObject>(policies, admission.catalog.objects(VALIDATING_BINDINGS));
    if (hooks.length === 0) return;
    const attributes = attributesOf(admission);
    const { calls, failed } = policyCallsOf(hooks, admission, attributes, surroundings);
    const refusals: Refusal[] = failed
      .filter(({ policy }) => policy.spec.failurePolicy !== "Ignore")
      .map(({ policy, binding, message }) => refusal(policy.metadata.name, binding.metadata.name, message, ""));
    const audited: AuditedFailure[] = [];
    const told = new Map<string, Set<string>>();

    for (const call of calls) {
      const { policy, binding } = call;
      const names = [policy.metadata.name, binding.metadata.name] as const;
      const actions = binding.spec.validationActions ?? [];
      const activation = policyActivation(call, admission, attributes, compiledValidatingPolicy(policy), surroundings);
      const { denials, annotations, annotationErrors } = validateByPolicy(policy, activation);
      for (const { index, message, reason } of denials) {
        if (actions.includes("Deny")) refusals.push(refusal(...names, message, reason));
        if (actions.includes("Warn")) {
          const text = `Validation failed for ValidatingAdmissionPolicy '${names[0]}' with binding '${names[1]}': ${message}`;
          tellWarnings(admission, [text]);
        }
        if (actions.includes("Audit")) {
          const [policyName, bindingName] = names;
          const failure = { message, policy: policyName, binding: bindingName, expressionIndex: index };
          audited.push({ ...failure, validationActions: actions });
        }
      }
      for (const { key, value } of annotations) {
        const name = `${names[0]}/${key}`;
        told.set(name, (told.get(name) ?? new Set()).add(value));
      }
      for (const message of annotationErrors) refusals.push(refusal(...names, message, ""));
    }
    audit(admission, told, audited);
    const [first] = refusals;
    if (first) throw denial(admission, refusedName(attributes), first);
  },
});

const refusal = (policy: string, binding: string, message: string, reason: string): Refusal => ({
  message: `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${message}`,
  reason,
});

function denial({ served: { info } }: Admission, name: string, { message, reason = "" }: Refusal): ApiError {
  const given = reason || "Invalid";
  const { message: sentence, details } = forbidden(info, name, message);
  const code = CODES[given] ?? UNPROCESSABLE;
  return new ApiError(given as StatusReason, sentence, { ...details, causes: [{ message }] }, code);
}

function audit(admission: Admission, told: ReadonlyMap<string, ReadonlySet<string>>, audited: AuditedFailure[]): void {
  if (!admission.annotations) return;
  const annotations = Object.fromEntries([...told].map(([name, values]) => [name, [...values].join(", ")]));
  tellAnnotations(admission, annotations, "");
  if (audited.length > 0) {
    admission.annotations[FAILURE_ANNOTATION] = JSON.stringify(audited.slice(0, AUDITED_FAILURES_MAX));
  }
}
