import type { ParamKind, ParamRef } from "../../api/admission/policies.ts";
import type { KindInfo } from "../../api/kind.ts";
import { allKinds } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/object.ts";
import { ApiError } from "../../api/status.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Admission } from "./plugin.ts";
import type { Surroundings } from "./surroundings.ts";

/** The binding cannot be used; what that means says the policy's failurePolicy. */
export class BadBinding extends Error {}

/** Parameters of one binding: each is evaluated by itself. */
const PARAMS_MAX = 1000;
const WITHOUT: readonly undefined[] = [undefined];

/** What a binding's policy is evaluated with, once each; undefined: once without. None: the request is none of the binding's. @throws BadBinding */
export function paramsOf(
  { answers, catalog }: Admission,
  namespace: string,
  paramKind: ParamKind | undefined,
  paramRef: ParamRef | undefined,
  { read }: Surroundings,
): readonly (Readonly<KubeObject> | undefined)[] {
  if (!paramKind || !paramRef) return WITHOUT;
  const { apiVersion = "", kind = "" } = paramKind;
  const info = kindOf(apiVersion, kind, catalog);
  if (!info) throw new BadBinding(`paramKind kind \`${apiVersion}, Kind=${kind}\` not known`);
  if (paramRef.namespace && !info.namespaced) {
    throw new BadBinding("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  const at = info.namespaced ? paramRef.namespace || namespace : "";
  if (info.namespaced && at === "") {
    throw new BadBinding("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
  }
  const { group, version, resource } = info;
  const { name = "", selector } = paramRef;
  const target = { group, version, resource, namespace: at, name };
  const found = answers.to<KubeObject[] | string>({
    key: `parameters ${apiVersion} ${kind} ${at} ${name} ${JSON.stringify(selector ?? null)}`,
    ask: null,
    // A refusal is the binding's, not the request's.
    answer: async () => ({ value: await read({ target, selector }).catch(refusalText) }),
  });
  if (typeof found === "string") throw new BadBinding(found);
  if (found.length > PARAMS_MAX) throw new BadBinding(`more than ${PARAMS_MAX} params found for policy binding`);
  if (found.length === 0 && paramRef.parameterNotFoundAction === "Deny") {
    throw new BadBinding("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return found;
}

function refusalText(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  throw error;
}

function kindOf(apiVersion: string, kind: string, catalog: Catalog): KindInfo | undefined {
  const slash = apiVersion.indexOf("/");
  const [group, version] = slash < 0 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
  const isIt = (each: KindInfo) => each.group === group && each.version === version && each.kind === kind;
  return allKinds().find(isIt) ?? catalog.kinds().find(isIt);
}
