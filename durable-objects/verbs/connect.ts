import type { KubeObject } from "../../api/object.ts";
import { admitSubresource } from "../admission/admit-subresource.ts";
import { MUTATING_POLICIES } from "../admission/mutating-policies.ts";
import { MUTATING_WEBHOOKS } from "../admission/mutating-webhooks.ts";
import { VALIDATING_POLICIES } from "../admission/validating-policies.ts";
import { VALIDATING_WEBHOOKS } from "../admission/validating-webhooks.ts";
import type { HomeAnswer } from "../protocol.ts";
import { get } from "./get.ts";
import type { Call } from "./scope.ts";
import { subresourceOf } from "./served.ts";
import { commit } from "./write.ts";

const ASKED = [MUTATING_POLICIES, MUTATING_WEBHOOKS, VALIDATING_POLICIES, VALIDATING_WEBHOOKS];

/**
 * Says whether a connection to the object may be made (exec, attach, portforward, proxy), and answers with the object. The body is the
 * connection's options: a PodExecOptions, …
 */
export async function connect(call: Call): Promise<HomeAnswer> {
  const { scope } = call;
  // Nothing that is built in has anything against connections.
  if (ASKED.some((resource) => scope.catalog.objects(resource).length > 0)) await admitConnection(call);
  const answer = get(call);
  return call.warnings.length > 0 ? { ...answer, warnings: [...call.warnings] } : answer;
}

async function admitConnection(call: Call): Promise<void> {
  const { served, request } = call;
  const { subresource, name } = request.target;
  const { group, version, kind } = subresourceOf(served, request.target);
  const apiVersion = group ? `${group}/${version}` : version;
  const given = request.body ? (JSON.parse(request.body) as object) : {};
  const object = { ...given, kind, apiVersion } as KubeObject;
  await commit(
    call,
    (writing) =>
      void admitSubresource(writing, {
        operation: "connect",
        served,
        subresource,
        name,
        kind: { group, version, kind },
        object: structuredClone(object),
      }),
  );
}
