import { isObject } from "../../api/json-value.ts";
import type { KubeObject, User } from "../../api/object.ts";
import { labelSelectorMatcher } from "../../api/selector.ts";
import { ApiError, type StatusDetails, type StatusReason } from "../../api/status.ts";
import type { HomeAnswer, HomeRequest, Target } from "../protocol.ts";
import type { HomeScope } from "../verbs/scope.ts";
import type { WebhookTransport } from "../webhooks/webhook-transport.ts";
import { authorize } from "./authorize.ts";
import { mutatingPolicies } from "./mutating-policies.ts";
import { mutatingWebhooks } from "./mutating-webhooks.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import type { AccessCheck, ObjectsAsk, Surroundings } from "./surroundings.ts";
import { validatingPolicies } from "./validating-policies.ts";
import { validatingWebhooks } from "./validating-webhooks.ts";

export interface DynamicAdmissionOptions {
  readonly transport: WebhookTransport;
  /** Of the home that it is in; asked when it is there. */
  scope(): HomeScope;
  /** Carries out a read in this home. */
  handle(request: HomeRequest): Promise<HomeAnswer>;
  /** Carries out a read in whichever other home the target is. */
  readElsewhere(target: Target, labelSelector: string): Promise<HomeAnswer>;
  uuid(): string;
}

/** As whom what policies refer to is read: they are the cluster's own. */
const READER: User = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };

/** What webhooks, policies and plugins that look at other homes' objects need of a home. */
export const surroundingsOf = (options: DynamicAdmissionOptions): Surroundings => ({
  transport: options.transport,
  read: (ask) => read(options, ask),
  refusal: (check) => refusal(options.scope(), check),
  now: () => options.scope().now(),
  uuid: options.uuid,
});

/** What the cluster's own objects add to admission, after all that is built in, in upstream's order. */
export function dynamicAdmission(surroundings: Surroundings): AdmissionPlugin[] {
  return [
    mutatingPolicies(surroundings),
    mutatingWebhooks(surroundings),
    validatingPolicies(surroundings),
    validatingWebhooks(surroundings),
  ];
}

async function read(
  { scope, handle, readElsewhere }: DynamicAdmissionOptions,
  { target: named, selector }: ObjectsAsk,
): Promise<KubeObject[]> {
  const target: Target = { ...named, subresource: "" };
  const labelSelector = named.name ? "" : labelSelectorMatcher(selector).toString();
  const isHere = target.namespace === scope().namespace;
  const answer = isHere ? await handle(readRequest(target, labelSelector)) : await readElsewhere(target, labelSelector);
  const value: unknown = JSON.parse(
    typeof answer.body === "string" ? answer.body : await new Response(answer.body).text(),
  );
  if (answer.code === 404) return [];
  if (answer.code !== 200) throw refusalOf(answer.code, value);
  return named.name ? [value as KubeObject] : itemsOf(value as KubeObject);
}

export const readRequest = (target: Target, labelSelector: string): HomeRequest => ({
  verb: target.name ? "get" : "list",
  user: READER,
  target,
  options: { ...(labelSelector && { labelSelector }) },
});

/** Items of built-in lists leave out what the list says for all of them. */
const itemsOf = ({ kind, apiVersion, items }: KubeObject): KubeObject[] =>
  (items as KubeObject[]).map((item) => ({ ...item, kind: kind.replace(/List$/, ""), apiVersion }));

function refusalOf(code: number, status: unknown): ApiError {
  const { reason = "", message = "", details } = isObject(status) ? status : {};
  return new ApiError(reason as StatusReason, String(message), details as StatusDetails | undefined, code);
}

/** As the authorizer of requests judges. */
function refusal(scope: HomeScope, { user, verb, target, labelSelector, fieldSelector }: AccessCheck) {
  try {
    const options = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
    authorize(scope, { user, verb: verb as HomeRequest["verb"], target, options });
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}
