import { isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject, User } from "../object.ts";
import type { JsonPatchOperation } from "../patch/json.ts";
import type { Attributes } from "./attributes.ts";
import type { Invocation } from "./rule-match.ts";

/** The versions of AdmissionReview that are spoken, admission.k8s.io. */
export type ReviewVersion = "v1" | "v1beta1";

/** The first of the webhook's versions that is spoken. */
export const reviewVersionOf = (versions: readonly string[] | undefined): ReviewVersion | undefined =>
  versions?.find((version): version is ReviewVersion => version === "v1" || version === "v1beta1");

/** What a webhook is told of a request, apart from the uid, which each call has anew. */
export type ReviewRequest = JsonObject;

/** admission.k8s.io/v1 AdmissionRequest but for `uid`. The objects are in the invocation's version. */
export function reviewRequest(
  attributes: Attributes,
  { kind, resource }: Invocation,
  { object, oldObject }: { object: Readonly<KubeObject> | undefined; oldObject: Readonly<KubeObject> | undefined },
): ReviewRequest {
  const { subresource, name, namespace, operation, user, dryRun, options } = attributes;
  return {
    kind: { group: kind.group, version: kind.version, kind: kind.kind },
    resource: { group: resource.group, version: resource.version, resource: resource.resource },
    ...(subresource && { subResource: subresource }),
    requestKind: { ...attributes.kind },
    requestResource: { ...attributes.resource },
    ...(subresource && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation,
    userInfo: userInfo(user),
    object: (object ?? null) as JsonObject | null,
    oldObject: (oldObject ?? null) as JsonObject | null,
    dryRun,
    options: (options ?? null) as JsonObject | null,
  };
}

/** authentication.k8s.io/v1 UserInfo. */
const userInfo = ({ name, uid, groups, extra }: User): JsonObject => ({
  ...(name && { username: name }),
  ...(uid && { uid }),
  ...(groups.length > 0 && { groups: [...groups] }),
  ...(extra && Object.keys(extra).length > 0 && { extra: { ...extra } }),
});

/** The body of a call. */
export const reviewText = (version: ReviewVersion, uid: string, request: ReviewRequest): string =>
  JSON.stringify({
    kind: "AdmissionReview",
    apiVersion: `admission.k8s.io/${version}`,
    request: { uid, ...request },
  });

/** metav1.Status as a webhook may send it: any of it may be missing. */
export interface WebhookStatus {
  code?: number;
  message?: string;
  reason?: string;
  status?: string;
  details?: JsonObject;
}

export interface ReviewAnswer {
  readonly allowed: boolean;
  /** Nothing to do where it is empty. */
  readonly patch: readonly JsonPatchOperation[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  readonly result: WebhookStatus | undefined;
}

/** The webhook spoke, and not as it should have. The message is upstream's `received …`. */
export class BadReview extends Error {}

const PATCH_TYPE = "JSONPatch";

/** Reads a webhook's answer (webhook/request VerifyAdmissionResponse). @throws BadReview, or Error where it is no AdmissionReview at all. */
export function readReview(text: string, version: ReviewVersion, uid: string, mutating: boolean): ReviewAnswer {
  const review = parseReview(text, version);
  const response = review["response"];
  if (response === undefined || response === null) throw invalidResponse("webhook response was absent");
  checkTypes(response);
  const { patch = "", patchType } = response as { patch?: string | null; patchType?: string | null };
  const hasPatch = Boolean(patch);
  const hasType = patchType !== undefined && patchType !== null;
  if (version === "v1") {
    const { uid: answered = "" } = response as { uid?: string };
    if (answered !== uid) {
      throw invalidResponse(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(answered)}`);
    }
    if (mutating) checkPatchType(hasPatch, hasType, patchType);
    else if (hasPatch) throw invalidResponse("validating webhook may not return response.patch");
    else if (hasType) throw invalidResponse("validating webhook may not return response.patchType");
  }
  const { allowed = false, auditAnnotations, warnings, status } = response as JsonObject;
  if (mutating && allowed && version === "v1" && hasPatch && patchType !== PATCH_TYPE) {
    throw new BadReview(`unsupported patch type ${JSON.stringify(patchType)}`);
  }
  return {
    allowed: allowed === true,
    patch: mutating && allowed && hasPatch ? decodePatch(patch as string) : [],
    auditAnnotations: (auditAnnotations ?? {}) as Record<string, string>,
    warnings: (warnings ?? []) as string[],
    result: (status ?? undefined) as WebhookStatus | undefined,
  };
}

const invalidResponse = (why: string): BadReview => new BadReview(`received invalid webhook response: ${why}`);

function parseReview(text: string, version: ReviewVersion): JsonObject {
  let review: unknown;
  try {
    review = JSON.parse(text);
  } catch (error) {
    throw new Error(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
  if (!isObject(review)) {
    throw new Error(
      "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value of type struct { APIVersion string; Kind string }",
    );
  }
  const { kind, apiVersion } = review as { kind?: unknown; apiVersion?: unknown };
  if (version === "v1beta1") return review;
  const wanted = "admission.k8s.io/v1, Kind=AdmissionReview";
  const [group, ofGroup] = typeof apiVersion === "string" ? splitVersion(apiVersion) : ["", ""];
  const given = `${group}/${ofGroup}, Kind=${typeof kind === "string" ? kind : ""}`;
  if (given !== wanted) throw invalidResponse(`expected webhook response of ${wanted}, got ${given}`);
  return review;
}

const splitVersion = (apiVersion: string): [string, string] => {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
};

function checkTypes(response: unknown): asserts response is JsonObject {
  if (!isObject(response)) throw new Error("json: cannot unmarshal into Go struct field AdmissionReview.response");
  const of = (field: string, fits: boolean) => {
    const value = response[field];
    if (value === undefined || value === null || fits) return;
    throw new Error(`json: cannot unmarshal ${goType(value)} into Go struct field AdmissionResponse.response.${field}`);
  };
  const isText = (value: unknown) => typeof value === "string";
  const { uid, allowed, patch, patchType, warnings, auditAnnotations, status } = response;
  of("uid", isText(uid));
  of("allowed", typeof allowed === "boolean");
  of("patch", isText(patch));
  of("patchType", isText(patchType));
  of("warnings", Array.isArray(warnings) && warnings.every(isText));
  of("auditAnnotations", isObject(auditAnnotations) && Object.values(auditAnnotations).every(isText));
  of("status", isObject(status) && isStatus(status));
}

const goType = (value: unknown): string => (Array.isArray(value) ? "array" : typeof value);

const isStatus = ({ code, message, reason, status, details }: JsonObject): boolean =>
  (code === undefined || Number.isSafeInteger(code)) &&
  [message, reason, status].every((each) => each === undefined || typeof each === "string") &&
  (details === undefined || details === null || isObject(details));

function checkPatchType(hasPatch: boolean, hasType: boolean, patchType: unknown): void {
  if (hasPatch && !hasType) {
    throw invalidResponse("webhook returned response.patch but not response.patchType");
  }
  if (!hasPatch && hasType) {
    throw invalidResponse("webhook returned response.patchType but not response.patch");
  }
  if (hasType && patchType === "") {
    throw invalidResponse(`webhook returned invalid response.patchType of ""`);
  }
}

function decodePatch(base64: string): JsonPatchOperation[] {
  const refuse = (why: string) => new BadReview(`received undecodable patch in webhook response: ${why}`);
  let patch: unknown;
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    patch = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (patch === null) return [];
  if (!Array.isArray(patch) || !patch.every(isObject)) {
    throw refuse("json: cannot unmarshal into Go value of type jsonpatch.Patch");
  }
  return patch as JsonPatchOperation[];
}
