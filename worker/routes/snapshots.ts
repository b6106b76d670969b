import { sha256By } from "../../api/digest-stream.ts";
import { findKind } from "../../api/kinds.ts";
import type { User } from "../../api/object.ts";
import { SNAPSHOT_MEDIA_TYPE } from "../../api/snapshot-format.ts";
import { ApiError, badRequest } from "../../api/status.ts";
import { printMoment } from "../../api/time-travel.ts";
import type { HomeAnswer, Target } from "../../durable-objects/protocol.ts";
import { timeOfRevision } from "../../durable-objects/revision.ts";
import { forbiddenPath } from "../access/authenticate.ts";
import type { Credentials } from "../access/credentials.ts";
import { readText } from "../encoding/body.ts";
import { JSON_OBJECTS } from "../encoding/negotiate.ts";
import { respond } from "../encoding/respond.ts";
import { STREAM_HEADERS } from "../encoding/respond-watch.ts";
import type { Wanted } from "../encoding/transform.ts";
import type { WorkerEnv } from "../env.ts";
import { snapshotStream } from "../snapshot-stream.ts";
import type { Asked } from "./asked.ts";
import { findCustomResource } from "./custom-resources.ts";
import { notInPast, pastOf } from "./past.ts";
import { CLUSTER_NAME, parseResourcePath } from "./path.ts";
import { NAMESPACE_NAME, pastHomeOf, unknownPath } from "./resources.ts";

const MASTERS = "system:masters";

const isMaster = ({ groups }: User): boolean => groups.includes(MASTERS);

/** A snapshot holds everything, whoever it is of: it is the admins' alone. */
function assertMaster({ user, request, path }: Asked): void {
  if (!isMaster(user)) throw forbiddenPath(user, request.method, path);
}

/** `GET /coxswain/v1/snapshot[?at=TIME]` */
export async function serveSnapshot(asked: Asked): Promise<Response> {
  assertMaster(asked);
  const { env, cluster, user, query, past } = asked;
  const at = query?.get("at");
  const revision = (at ? pastOf(at, Date.now()) : past)?.revision;
  const opened = await openSnapshot(env, cluster, user, revision);
  if ("code" in opened) return await respond(opened, PLAIN);
  return new Response(opened, { headers: { "content-type": SNAPSHOT_MEDIA_TYPE, ...STREAM_HEADERS } });
}

/** `POST /coxswain/v1/restore`: the body is a snapshot. */
export async function serveRestore(asked: Asked): Promise<Response> {
  assertMaster(asked);
  const { env, cluster, request } = asked;
  if (!request.body) throw badRequest("the body must be a snapshot");
  return await restore(env, cluster, request.body);
}

/** `POST /coxswain/v1/fork`: makes this cluster from another; the body says from which, and holds an admin's credential of it. */
export async function serveFork(asked: Asked): Promise<Response> {
  assertMaster(asked);
  const { env, cluster, credentials, request } = asked;
  const { from, token, at } = forkRequest(await readText(request));
  const user = await masterOf(from, token, credentials);
  const revision = at === undefined ? undefined : pastOf(at, Date.now()).revision;
  const opened = await openSnapshot(env, from, user, revision);
  return "code" in opened ? await respond(opened, PLAIN) : await restore(env, cluster, opened);
}

/** `GET /coxswain/v1/history/<API path of one object>[?limit=N]` */
export async function serveHistory({ env, cluster, user, past, path, query }: Asked): Promise<Response> {
  if (past) throw notInPast("history is told of the cluster as it is");
  const { target } = parseResourcePath(path.slice(HISTORY_PATH.length - 1)) ?? {};
  const kind =
    target &&
    (findKind(target.group, target.version, target.resource) ?? (await findCustomResource(env, cluster, target)));
  const isServed =
    kind &&
    target.name !== "" &&
    target.subresource === "" &&
    (kind.namespaced ? NAMESPACE_NAME.test(target.namespace) : target.namespace === "");
  if (!isServed) throw unknownPath();
  const limit = limitOf(query?.get("limit") ?? "");
  const answer = await pastHomeOf(env, cluster, kind, target).history({ user, target, limit });
  return await respond(answer, PLAIN);
}

const ALL_NAMESPACES: Target = {
  group: "",
  version: "v1",
  resource: "namespaces",
  namespace: "",
  name: "",
  subresource: "",
};
const PLAIN: Wanted = {
  negotiated: JSON_OBJECTS,
  target: ALL_NAMESPACES,
};

export const HISTORY_PATH = "/coxswain/v1/history/";
const HISTORY_LIMIT = 20;
const HISTORY_LIMIT_MAX = 100;

function limitOf(text: string): number {
  if (text === "") return HISTORY_LIMIT;
  const limit = Number(text);
  if (!/^\d{1,9}$/.test(text) || limit < 1)
    throw badRequest(`limit: ${JSON.stringify(text)} is no number greater than 0`);
  return Math.min(limit, HISTORY_LIMIT_MAX);
}

async function restore(env: WorkerEnv, cluster: string, snapshot: ReadableStream<Uint8Array>): Promise<Response> {
  return await respond(await env.CLUSTER_HOME.getByName(cluster).restore(snapshot), PLAIN);
}

/** The snapshot, or why there is none now. @throws ApiError Expired where the cluster's history does not reach back to the revision */
async function openSnapshot(
  env: WorkerEnv,
  cluster: string,
  user: User,
  at: number | undefined,
): Promise<ReadableStream<Uint8Array> | HomeAnswer> {
  // A cluster that is being restored itself says so.
  const refusal = await env.CLUSTER_HOME.getByName(cluster).authorize(user, "list", ALL_NAMESPACES);
  if (refusal) return refusal;
  const cut = await env.TIMELINE.getByName(cluster).cut(at);
  if ("expired" in cut) throw expired();
  const { revision, homes } = cut;
  // No cluster is without namespaces but before it was made; what came of restoring that would be none either.
  if (homes.length === 1) throw badRequest(`the cluster was not there yet at ${printMoment(timeOfRevision(revision))}`);
  const objectsOf = async (home: string): Promise<ReadableStream<Uint8Array>> => {
    const target = { namespace: home };
    const objects = await pastHomeOf(env, cluster, { namespaced: home !== "" }, target).exportAt(revision);
    if (!objects) throw expired();
    return objects;
  };
  const header = { cluster, revision, time: printMoment(timeOfRevision(revision)), homes };
  return snapshotStream({ header, objectsOf, newHash: sha256By(crypto.DigestStream) });
}

const expired = (): ApiError => new ApiError("Expired", "The cluster's history does not reach back that far any more.");

interface ForkRequest {
  from: string;
  token: string;
  at?: string;
}

function forkRequest(text: string): ForkRequest {
  let value: Partial<Record<keyof ForkRequest, unknown>> | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    value = null;
  }
  const { from, token, at } = value ?? {};
  if (typeof from !== "string" || !CLUSTER_NAME.test(from) || typeof token !== "string")
    throw badRequest(
      'the body must be {"from": "<cluster>", "token": "<a credential of that cluster>", "at"?: "<time>"}',
    );
  if (at !== undefined && typeof at !== "string") throw badRequest("at: must be a time");
  return { from, token, ...(at !== undefined && { at }) };
}

async function masterOf(cluster: string, token: string, credentials: Credentials): Promise<User> {
  const now = Date.now();
  const credential = credentials.known(token, now) ?? (await credentials.verify(token, now));
  if (credential?.cluster !== cluster || !isMaster(credential.user))
    throw new ApiError("Forbidden", `the token does not open cluster ${JSON.stringify(cluster)} to an admin`, {});
  return credential.user;
}
