import type { Attributes } from "../../api/admission/attributes.ts";
import { callFailure, dryRunUnsupported, hasSideEffects, webhookDenial } from "../../api/admission/denial.ts";
import { type ReviewAnswer, reviewRequest, reviewVersionOf } from "../../api/admission/review.ts";
import { type Hook, hooksOf } from "../../api/admission/webhooks.ts";
import { sameJson } from "../../api/equality.ts";
import { cloneJson } from "../../api/json-value.ts";
import type { KubeObject } from "../../api/object.ts";
import { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX, type JsonPatchOperation } from "../../api/patch/json.ts";
import { ApiError, internalError } from "../../api/status.ts";
import { NeedsAnswers } from "../verbs/answers.ts";
import { attributesOf } from "./attributes.ts";
import type { Admission, AdmissionPlugin } from "./plugin.ts";
import { ReinvocationMemory } from "./reinvocation-memory.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellAnnotations, tellWarnings } from "./tell.ts";
import { type Called, webhookQuestion } from "./webhook-call.ts";
import { type HookCall, hookCallOf, isExemptWrite } from "./webhook-match.ts";

export const MUTATING_WEBHOOKS = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const NAME = "MutatingAdmissionWebhook";
const ANNOTATION = "mutation.webhook.admission.k8s.io";
const PATCH_ANNOTATION = "patch.webhook.admission.k8s.io";

/** Asks the mutating webhooks, one after the other: each sees what those before it made of the object (upstream's plugin of this name). */
export const mutatingWebhooks = (surroundings: Surroundings): AdmissionPlugin => ({
  name: NAME,
  admit(admission) {
    const configurations = admission.catalog.objects(MUTATING_WEBHOOKS);
    if (configurations.length === 0 || isExemptWrite(admission)) return;
    const memory = ReinvocationMemory.of(admission, NAME);
    memory.begin(admission.object);
    let attributes = attributesOf(admission);
    hooksOf(configurations).forEach((hook, index) => {
      const call = hookCallOf(hook, admission, attributes, surroundings);
      if (!call || !memory.isDue(hook.id)) return;
      const hasChanged = callHook(admission, attributes, hook, call, index, surroundings);
      if (hasChanged) {
        attributes = attributesOf(admission);
        memory.hasChanged();
      }
      if (hook.webhook.reinvocationPolicy === "IfNeeded") memory.mayBeAskedAgain(hook.id);
    });
    memory.end(admission.object);
  },
});

/** Asks one webhook, and does what it says. Answers whether the object is another now. */
function callHook(
  admission: Admission,
  attributes: Attributes,
  { webhook, configuration, id }: Hook,
  { invocation, versions }: HookCall,
  index: number,
  surroundings: Surroundings,
): boolean {
  const { name, failurePolicy } = webhook;
  if (admission.dryRun && hasSideEffects(webhook)) throw dryRunUnsupported(name);
  const { annotations } = admission;
  const round = admission.reinvocation?.isSecond ? 1 : 0;
  const version = reviewVersionOf(webhook.admissionReviewVersions);
  const shown = { object: versions.show(attributes.object), oldObject: versions.show(attributes.oldObject) };
  const request = reviewRequest(attributes, invocation, shown);
  const key = `mutating webhook ${id} ${round}`;
  const began = admission.now;
  const called: Called = version
    ? admission.answers.to(webhookQuestion({ key, webhook, version, request, mutating: true, began }, surroundings))
    : {
        failure:
          "could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)",
      };
  const { answer } = called;
  if (!answer) {
    if (failurePolicy !== "Ignore") throw callFailure(name, called.failure);
    console.warn(`failed calling webhook ${JSON.stringify(name)}: ${called.failure}`);
    if (annotations) annotations[`failed-open.${ANNOTATION}/round_${round}_index_${index}`] = name;
    return false;
  }
  tellAnnotations(admission, answer.auditAnnotations, `${name}/`);
  tellWarnings(admission, answer.warnings);
  if (!answer.allowed) throw webhookDenial(name, answer.result);
  const next =
    answer.patch.length > 0 ? patched(admission, webhook.name, answer, shown.object, versions.take) : undefined;
  const mutated = next !== undefined && !sameJson(next, admission.object);
  if (annotations) {
    const told = { configuration, webhook: name };
    annotations[`${ANNOTATION}/round_${round}_index_${index}`] = JSON.stringify({ ...told, mutated });
    if (next) {
      const patch = { ...told, patch: answer.patch, patchType: "JSONPatch" };
      annotations[`${PATCH_ANNOTATION}/round_${round}_index_${index}`] = JSON.stringify(patch);
    }
  }
  if (next) admission.object = next;
  return mutated;
}

function patched(
  { operation }: Admission,
  name: string,
  { patch }: ReviewAnswer,
  object: Readonly<KubeObject> | undefined,
  take: (value: unknown) => KubeObject,
): KubeObject {
  if (operation === "delete" || !object) {
    const why = `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`;
    throw internalError(why);
  }
  if (patch.length > JSON_PATCH_OPERATIONS_MAX) {
    throw internalError(
      `admission webhook ${JSON.stringify(name)}: the patch has more than ${JSON_PATCH_OPERATIONS_MAX} operations`,
    );
  }
  try {
    return take(applyJsonPatch(cloneJson(object), patch as JsonPatchOperation[]));
  } catch (error) {
    if (error instanceof NeedsAnswers || error instanceof ApiError) throw error;
    throw internalError((error as Error).message);
  }
}
