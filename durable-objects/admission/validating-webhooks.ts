import { callFailure, dryRunUnsupported, hasSideEffects, webhookDenial } from "../../api/admission/denial.ts";
import { reviewRequest, reviewVersionOf } from "../../api/admission/review.ts";
import { type Hook, hooksOf } from "../../api/admission/webhooks.ts";
import { attributesOf } from "./attributes.ts";
import type { Admission, AdmissionPlugin } from "./plugin.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellAnnotations, tellWarnings } from "./tell.ts";
import { type Called, webhookQuestion } from "./webhook-call.ts";
import { hookCallOf, isExemptWrite } from "./webhook-match.ts";

export const VALIDATING_WEBHOOKS = "validatingwebhookconfigurations.admissionregistration.k8s.io";
const ANNOTATION = "failed-open.validating.webhook.admission.k8s.io";

/** Asks the validating webhooks, all at once (upstream's plugin of this name). */
export const validatingWebhooks = (surroundings: Surroundings): AdmissionPlugin => ({
  name: "ValidatingAdmissionWebhook",
  validate(admission) {
    const configurations = admission.catalog.objects(VALIDATING_WEBHOOKS);
    if (configurations.length === 0 || isExemptWrite(admission)) return;
    const attributes = attributesOf(admission);
    const calls = hooksOf(configurations).flatMap((hook) => {
      const call = hookCallOf(hook, admission, attributes, surroundings);
      return call ? [{ hook, call }] : [];
    });
    if (calls.length === 0) return;
    const began = admission.now;
    const questions = calls.map(({ hook: { webhook, id }, call: { invocation, versions } }) => {
      if (admission.dryRun && hasSideEffects(webhook)) throw dryRunUnsupported(webhook.name);
      const version = reviewVersionOf(webhook.admissionReviewVersions) ?? "v1";
      const shown = { object: versions.show(attributes.object), oldObject: versions.show(attributes.oldObject) };
      const request = reviewRequest(attributes, invocation, shown);
      const key = `validating webhook ${id}`;
      return webhookQuestion({ key, webhook, version, request, mutating: false, began }, surroundings);
    });
    const answers = admission.answers.toAll(questions);
    let refusal: Error | undefined;
    answers.forEach((called, i) => {
      refusal ??= verdict(admission, calls[i]!.hook, called, i);
    });
    if (refusal) throw refusal;
  },
});

/** Everybody is heard: also whoever speaks after one that refuses may have a warning. */
function verdict(
  admission: Admission,
  { webhook }: Hook,
  { answer, failure }: Called,
  index: number,
): Error | undefined {
  const { name, failurePolicy } = webhook;
  if (!answer) {
    if (failurePolicy !== "Ignore") return callFailure(name, failure ?? "");
    console.warn(`failed calling webhook ${JSON.stringify(name)}: ${failure}`);
    if (admission.annotations) admission.annotations[`${ANNOTATION}/round_0_index_${index}`] = name;
    return undefined;
  }
  tellAnnotations(admission, answer.auditAnnotations, `${name}/`);
  tellWarnings(admission, answer.warnings);
  return answer.allowed ? undefined : webhookDenial(name, answer.result);
}
