import type { Attributes } from "../../api/admission/attributes.ts";
import type { Activation } from "../../api/admission/evaluation.ts";
import {
  type AccessAnswer,
  type AccessQuestion,
  authorizerValue,
  requestResourceValue,
} from "../../api/cel/library/authorizer.ts";
import type { User } from "../../api/object.ts";
import type { Surroundings } from "./surroundings.ts";

/** `authorizer` and `authorizer.requestResource`: what the request's user, or a service account, may do. */
export function authorizerVariables(
  { user, resource, subresource, namespace, name }: Attributes,
  { refusal }: Surroundings,
): Pick<Activation, "authorizer" | "authorizer.requestResource"> {
  const authorizer = authorizerValue((question) => answer(question, user, refusal));
  const of = { group: resource.group, resource: resource.resource, subresource, namespace, name };
  return { authorizer, "authorizer.requestResource": requestResourceValue(authorizer, of) };
}

function answer(question: AccessQuestion, requester: User, refusal: Surroundings["refusal"]): AccessAnswer {
  const { serviceAccount, verb, path, group, resource, subresource, namespace, name } = question;
  const { labelSelector, fieldSelector } = question;
  const user = serviceAccount ? userOf(serviceAccount) : requester;
  const target = { group, version: "", resource, subresource, namespace, name };
  const why = refusal({ user, verb, path, target, labelSelector, fieldSelector });
  return why === undefined ? { allowed: true, reason: "" } : { allowed: false, reason: why };
}

/** As service accounts are known to authorization (k8s.io/apiserver/pkg/authentication/serviceaccount). */
const userOf = ({ namespace, name }: { namespace: string; name: string }): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
});
