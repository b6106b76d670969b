import { type Attributes, isExempt } from "../../api/admission/attributes.ts";
import type { Activation } from "../../api/admission/evaluation.ts";
import { namespaceVariable, requestVariable } from "../../api/admission/evaluation.ts";
import { type CompiledCondition, compileConditions, matchConditions } from "../../api/admission/match-conditions.ts";
import type { Invocation } from "../../api/admission/rule-match.ts";
import { type Hook, hookInvocation } from "../../api/admission/webhooks.ts";
import type { Webhook } from "../../api/kinds/webhooks.ts";
import { forbidden } from "../../api/status.ts";
import { type Versions, versionsOf } from "./attributes.ts";
import { authorizerVariables } from "./authorizer-variables.ts";
import type { Admission } from "./plugin.ts";
import { namespaceLabelsOf, type Surroundings } from "./surroundings.ts";

/** How a webhook is to be asked about a request. */
export interface HookCall {
  readonly invocation: Invocation;
  readonly versions: Versions;
}

/** Undefined: the request is none of the webhook's. @throws ApiError Forbidden where its match conditions cannot be evaluated. */
export function hookCallOf(
  hook: Hook,
  admission: Admission,
  attributes: Attributes,
  surroundings: Surroundings,
): HookCall | undefined {
  const invocation = hookInvocation(hook, attributes, namespaceLabelsOf(admission, attributes, surroundings));
  if (!invocation) return undefined;
  const { webhook } = hook;
  const versions = versionsOf(admission, invocation.resource, invocation.kind);
  if (webhook.matchConditions?.length) {
    const activation = activationOf(attributes, invocation, versions, surroundings);
    const matched = matchConditions(conditionsOf(webhook), webhook.failurePolicy, activation);
    if (matched.error !== undefined) throw forbidden(attributes.resource, attributes.name, matched.error);
    if (!matched.matches) return undefined;
  }
  return { invocation, versions };
}

const compiled = new WeakMap<Webhook, readonly CompiledCondition[]>();

function conditionsOf(webhook: Webhook): readonly CompiledCondition[] {
  let conditions = compiled.get(webhook);
  if (!conditions) {
    conditions = compileConditions(webhook.matchConditions ?? [], { hasParams: false, hasAuthorizer: true });
    compiled.set(webhook, conditions);
  }
  return conditions;
}

/** What expressions may name. @param namespace of a policy: webhooks' conditions are told of none. */
export const activationOf = (
  attributes: Attributes,
  invocation: Invocation,
  versions: Versions,
  surroundings: Surroundings,
  namespace?: Parameters<typeof namespaceVariable>[0],
): Activation => ({
  object: versions.show(attributes.object) ?? null,
  oldObject: versions.show(attributes.oldObject) ?? null,
  request: requestVariable(attributes, invocation),
  namespaceObject: namespaceVariable(namespace),
  ...authorizerVariables(attributes, surroundings),
});

/** What stops a cluster must always be removable; and the control plane's own books are its own. */
export const isExemptWrite = ({ served: { info }, asksNobody }: Admission): boolean =>
  asksNobody || isExempt(info, info);
