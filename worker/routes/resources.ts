import type { KindInfo } from "../../api/kind.ts";
import { findKind } from "../../api/kinds.ts";
import type { Gvk } from "../../api/schema/decode.ts";
import { ApiError, forbidden, methodNotAllowed } from "../../api/status.ts";
import type { HomePastRpc, HomeRequest, HomeRpc, Target, Verb } from "../../durable-objects/protocol.ts";
import { patchTypeOf, readCustomObject, readObject, readPatch } from "../encoding/body.ts";
import { respond } from "../encoding/respond.ts";
import { respondWatch } from "../encoding/respond-watch.ts";
import { wantedBy } from "../encoding/wanted.ts";
import type { WorkerEnv } from "../env.ts";
import { askHome, askToWatch } from "./ask-home.ts";
import type { Asked } from "./asked.ts";
import { findCustomResource, wholeCustomKind } from "./custom-resources.ts";
import { isTrue, readOptions } from "./options.ts";
import type { ResourcePath } from "./path.ts";

/** What client-go says of a path that nothing serves. */
export const unknownPath = (): ApiError =>
  new ApiError("NotFound", "the server could not find the requested resource", {});

/** The home that answers for a target: its namespace's, the cluster's, or for all namespaces at once the Timeline. */
export function homeOf(env: WorkerEnv, cluster: string, kind: Pick<KindInfo, "namespaced">, target: Target): HomeRpc {
  if (!kind.namespaced) return env.CLUSTER_HOME.getByName(cluster);
  if (target.namespace === "") return env.TIMELINE.getByName(cluster);
  return env.NAMESPACE_HOME.getByName(`${cluster}/${target.namespace}`);
}

/** The home that holds what a target names. */
export function pastHomeOf(
  env: WorkerEnv,
  cluster: string,
  { namespaced }: Pick<KindInfo, "namespaced">,
  { namespace }: Pick<Target, "namespace">,
): HomePastRpc {
  if (!namespaced) return env.CLUSTER_HOME.getByName(cluster);
  return env.NAMESPACE_HOME.getByName(`${cluster}/${namespace}`);
}

const NAME_BYTES_MAX = 253;
/** Whatever is no DNS label can name no namespace: it is refused before an object is addressed by it. */
export const NAMESPACE_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Serves every verb on every kind. */
export async function serveResource(asked: Asked, path: ResourcePath): Promise<Response> {
  const { target } = path;
  const kind = findKind(target.group, target.version, target.resource);
  if (!kind && target.group.includes(".")) return await serveCustomResource(asked, path);
  const isServed =
    kind &&
    (kind.namespaced || target.namespace === "") &&
    target.name.length <= NAME_BYTES_MAX &&
    (target.subresource === "" || kind.subresources.some(({ name }) => name === target.subresource));
  if (!isServed) throw unknownPath();

  const { request, query, past } = asked;
  const isWatch = isWatched(path, query);
  const verb = verbOf(request.method, target, kind);
  if (kind.namespaced && target.namespace !== "" && !NAMESPACE_NAME.test(target.namespace))
    throw unknownNamespace(verb, target);
  if (kind.namespaced && target.namespace === "" && verb !== "list") throw methodNotAllowed();

  const options = query ? readOptions(query, verb) : {};
  if (past) options.at = past.revision;
  if (!isRead(verb)) options.userAgent = request.headers.get("user-agent") ?? "";
  const wanted = wantedBy(request, query, { auditId: asked.auditId, target, isWatch, pastTime: past?.time });
  const home = homeOf(asked.env, asked.cluster, kind, target);

  if (isWatch && (verb === "list" || verb === "get")) {
    if (target.name !== "") options.fieldSelector = and(options.fieldSelector, `metadata.name=${target.name}`);
    const watchRequest = { user: asked.user, target: { ...target, name: "" }, options };
    return await respondWatch(await askToWatch(asked, home, watchRequest), wanted);
  }
  const homeRequest: HomeRequest = { verb, user: asked.user, target, options };
  if (verb === "patch") {
    homeRequest.patchType = patchTypeOf(request.headers);
    homeRequest.body = await readPatch(request, homeRequest.patchType);
  } else if (verb !== "get" && verb !== "list") {
    homeRequest.body = await readObject(request, bodyKind(verb, target, kind));
  }
  return await respond(await askHome(asked, home, homeRequest), wanted);
}

/** A group that is not built in may be one of the cluster's own: a home in the path knows, the ClusterHome does otherwise. */
async function serveCustomResource(asked: Asked, path: ResourcePath): Promise<Response> {
  const { target } = path;
  const { request, query, past, env, cluster } = asked;
  if (target.name.length > NAME_BYTES_MAX) throw unknownPath();
  const isWatch = isWatched(path, query);
  const verb = VERBS[request.method]?.[target.name === "" ? 0 : 1];
  if (!verb || (request.method === "POST" && target.name !== "")) throw methodNotAllowed();
  if (target.namespace !== "" && !NAMESPACE_NAME.test(target.namespace)) throw unknownNamespace(verb, target);
  let namespaced = true;
  if (target.namespace === "") {
    const custom = await findCustomResource(env, cluster, target);
    if (!custom) throw unknownPath();
    ({ namespaced } = custom);
    // Upstream hands these on to who serves nothing.
    if (namespaced && verb !== "list") throw unknownPath();
  }
  const options = query ? readOptions(query, verb) : {};
  if (past) options.at = past.revision;
  if (!isRead(verb)) options.userAgent = request.headers.get("user-agent") ?? "";
  // What a version's columns are is asked where they are wanted; that it is deprecated the home says.
  const isTable = request.headers.get("accept")?.includes("as=Table") ?? false;
  const rules = (isTable && !target.subresource && (await wholeCustomKind(env, cluster, target))?.rules) || {};
  const custom = { rules, deprecationWarning: undefined };
  const wanted = wantedBy(request, query, { auditId: asked.auditId, target, isWatch, pastTime: past?.time, custom });
  const home = homeOf(env, cluster, { namespaced }, target);

  if (isWatch && (verb === "list" || verb === "get")) {
    if (target.name !== "") options.fieldSelector = and(options.fieldSelector, `metadata.name=${target.name}`);
    const watchRequest = { user: asked.user, target: { ...target, name: "" }, options };
    return await respondWatch(await askToWatch(asked, home, watchRequest), wanted);
  }
  const homeRequest: HomeRequest = { verb, user: asked.user, target, options };
  if (verb === "patch") {
    homeRequest.patchType = patchTypeOf(request.headers);
    homeRequest.body = await readPatch(request, homeRequest.patchType);
  } else if (verb === "delete" || verb === "deletecollection") {
    homeRequest.body = await readObject(request, DELETE_OPTIONS);
  } else if (!isRead(verb)) homeRequest.body = await readCustomObject(request);
  return await respond(await askHome(asked, home, homeRequest), wanted);
}

function verbOf(method: string, target: Target, kind: KindInfo): Verb {
  const verb = VERBS[method]?.[target.name === "" ? 0 : 1];
  const subresource = kind.subresources.find(({ name }) => name === target.subresource);
  const verbs = subresource ? subresource.verbs : kind.verbs;
  const isPostToName = method === "POST" && target.name !== "" && !subresource;
  if (!verb || !verbs.includes(verb) || isPostToName) throw methodNotAllowed();
  return verb;
}

/** By HTTP method: on a collection, on one object. */
const VERBS: Record<string, [Verb | undefined, Verb | undefined]> = {
  GET: ["list", "get"],
  POST: ["create", "create"],
  PUT: [undefined, "update"],
  PATCH: [undefined, "patch"],
  DELETE: ["deletecollection", "delete"],
};

const DELETE_OPTIONS: Gvk = { group: "", version: "v1", kind: "DeleteOptions" };

/** What the body of a write has to be. */
function bodyKind(verb: Verb, target: Target, kind: KindInfo): Gvk {
  if (verb === "delete" || verb === "deletecollection") return DELETE_OPTIONS;
  return kind.subresources.find(({ name }) => name === target.subresource) ?? kind;
}

const isRead = (verb: Verb): boolean => verb === "get" || verb === "list";

const and = (selector: string | undefined, more: string): string => (selector ? `${selector},${more}` : more);

const unknownNamespace = (verb: Verb, target: Target): ApiError =>
  verb === "create"
    ? new ApiError("NotFound", `namespaces ${JSON.stringify(target.namespace)} not found`, {
        name: target.namespace,
        kind: "namespaces",
      })
    : new ApiError("NotFound", `${target.resource} ${JSON.stringify(target.name)} not found`, {
        name: target.name,
        kind: target.resource,
      });

/** The query's `watch` is one of lists: with a name in the path upstream does not look at it. */
const isWatched = ({ target, watch }: ResourcePath, query: URLSearchParams | undefined): boolean =>
  watch || (target.name === "" && isTrue(query?.get("watch") ?? null));

/** What authorization, limits and the audit log call what is asked for. */
export function requestVerb(
  { request, query }: Pick<Asked, "request" | "query">,
  path: ResourcePath | undefined,
): string {
  const method = request.method.toLowerCase();
  if (!path) return method;
  const { target } = path;
  const verb = VERBS[request.method]?.[target.name === "" ? 0 : 1];
  const isRead = verb === "get" || verb === "list";
  return isRead && isWatched(path, query) ? "watch" : (verb ?? method);
}

/** Nobody without a credential reaches a home: the answer is given here, in the words of the authorizer. */
export function refuseAnonymous(asked: Asked, path: ResourcePath): ApiError {
  const { user } = asked;
  const { target } = path;
  const verb = requestVerb(asked, path);
  const resource = target.subresource ? `${target.resource}/${target.subresource}` : target.resource;
  const where = target.namespace ? `in the namespace "${target.namespace}"` : "at the cluster scope";
  return forbidden(
    target,
    target.name,
    `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${target.group}" ${where}`,
  );
}
