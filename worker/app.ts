import { ApiError, internalError } from "../api/status.ts";
import { ANONYMOUS, authenticate, forbiddenPath } from "./access/authenticate.ts";
import { Credentials } from "./access/credentials.ts";
import { auditOf } from "./audit/audit.ts";
import type { Keeper } from "./audit/audit-log.ts";
import type { AuditedRequest, RequestFacts } from "./audit/audited-request.ts";
import { whenRead } from "./audit/when-read.ts";
import { AUDIT_ID, commonHeaders } from "./encoding/common-headers.ts";
import { respondError } from "./encoding/respond.ts";
import type { WorkerEnv } from "./env.ts";
import type { Asked } from "./routes/asked.ts";
import { fixedRoutes, JOIN_PATH, PUBLIC_PATHS } from "./routes/fixed.ts";
import { isTrue } from "./routes/options.ts";
import { pastOf, refuseInPast } from "./routes/past.ts";
import { parseResourcePath, type ResourcePath, splitCluster, splitTime } from "./routes/path.ts";
import { serveProxy } from "./routes/proxy.ts";
import { parseProxyPath } from "./routes/proxy-path.ts";
import { timeoutOf, within } from "./routes/request-timeout.ts";
import { refuseAnonymous, requestVerb, serveResource, unknownPath } from "./routes/resources.ts";
import { isStream, serveStream } from "./routes/streams.ts";

/** What becomes known of a request on its way. */
interface Course {
  readonly auditId: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  asked?: Asked;
  /** What is asked for goes on after the answer has begun. */
  isLong?: boolean;
  audited?: AuditedRequest | undefined;
}

/** The whole of the worker: who asks, what for, and the one place where what went wrong becomes an answer. */
export const app = {
  async fetch(request: Request, env: WorkerEnv, keeper?: Keeper): Promise<Response> {
    const course: Course = {
      auditId: request.headers.get(AUDIT_ID) || crypto.randomUUID(),
      receivedAt: env.AUDIT_POLICY ? Date.now() : 0,
    };
    let response: Response;
    try {
      response = await serve(request, env, course);
    } catch (error) {
      response = withCommonHeaders(respondFailure(error, request, course), course);
    }
    return env.AUDIT_POLICY ? noteEnd(response, env, course, keeper) : response;
  },
};

async function serve(request: Request, env: WorkerEnv, course: Course): Promise<Response> {
  // Before anything is done that a broken policy would keep from being written down.
  const audit = auditOf(env);
  let asked: Asked;
  try {
    asked = await identify(request, env, course.auditId);
  } catch (error) {
    course.audited = audit?.begin(factsOf(request, course));
    throw error;
  }
  course.asked = asked;
  const proxied = parseProxyPath(asked.path);
  const resource = proxied ?? parseResourcePath(asked.path);
  if (audit) {
    course.isLong =
      resource && (proxied !== undefined || isStream(resource.target) || requestVerb(asked, resource) === "watch");
    course.audited = audit.begin(factsOf(request, course, resource));
    asked.audited = course.audited;
  }
  if (asked.past) refuseInPast(request.method, asked.path, resource?.target);
  if (!resource) {
    const isOpen = PUBLIC_PATHS.has(asked.path) || asked.path === JOIN_PATH;
    if (asked.user === ANONYMOUS && !isOpen) throw forbiddenPath(ANONYMOUS, request.method, asked.path);
    return withCommonHeaders(await fixedRoutes.fetch(request, asked), course);
  }
  if (asked.user === ANONYMOUS) throw refuseAnonymous(asked, resource);
  if (proxied) return withCommonHeaders(await serveProxy(asked, proxied), course);
  if (isStream(resource.target)) return withCommonHeaders(await serveStream(asked, resource.target), course);
  // These answers come with their headers: to set them afterwards costs more.
  if (resource.watch || isTrue(asked.query?.get("watch") ?? null)) return await serveResource(asked, resource);
  const timeout = timeoutOf(asked.query);
  const served = serveResource(asked, resource);
  return await (timeout === undefined ? served : within(timeout, served));
}

/** Of a request whose user is not known there is no more than its path. */
function factsOf(request: Request, { auditId, receivedAt, asked }: Course, resource?: ResourcePath): RequestFacts {
  return {
    auditId,
    receivedAt,
    request,
    verb: requestVerb(asked ?? { request, query: undefined }, resource),
    path: asked?.path ?? new URL(request.url).pathname,
    user: asked?.user,
    target: resource?.target,
  };
}

/** The last that is said of a request: once its answer has been read, where that goes on for long. */
function noteEnd(
  response: Response,
  env: WorkerEnv,
  { audited, isLong }: Course,
  keeper: Keeper | undefined,
): Response {
  const audit = audited && auditOf(env);
  if (!audit) return response;
  const flush = () => keeper && audit.flush(keeper);
  if (isLong) audited.started(response.status);
  if (!isLong || !response.body) {
    audited.completed(response.status);
    flush();
    return response;
  }
  flush();
  return whenRead(response, () => {
    audited.completed(response.status);
    flush();
  });
}

fixedRoutes.onError((error, context) => respondFailure(error, context.req.raw, context.env));

function respondFailure(error: unknown, request: Request, course?: Pick<Course, "audited">): Response {
  const isAnswer = error instanceof ApiError;
  if (!isAnswer) {
    console.error(error);
    course?.audited?.panicked();
  }
  const answer = isAnswer ? error : internalError("the control plane met an unexpected condition; see its log");
  course?.audited?.refused(answer);
  return respondError(answer, request);
}

const SWITCHING_PROTOCOLS = 101;

/** Sets what every answer carries, unless it says otherwise. */
function withCommonHeaders(response: Response, course: Course): Response {
  if (response.status === SWITCHING_PROTOCOLS) return response;
  try {
    setCommonHeaders(response.headers, course);
    return response;
  } catch {
    // What another object answered has headers that cannot be changed.
    const own = new Response(response.body, response);
    setCommonHeaders(own.headers, course);
    return own;
  }
}

function setCommonHeaders(headers: Headers, { auditId, asked }: Course): void {
  for (const [name, value] of Object.entries(commonHeaders(auditId, asked?.flow)))
    if (name !== "cache-control" || !headers.has(name)) headers.set(name, value);
}

async function identify(request: Request, env: WorkerEnv, auditId: string): Promise<Asked> {
  const url = new URL(request.url);
  const { pathname, search } = url;
  const split = splitCluster(pathname);
  if (!split) throw unknownPath();
  const { cluster } = split;
  const { at, path } = splitTime(split.path);
  const now = Date.now();
  const credentials = credentialsFor(env);
  const user =
    path === JOIN_PATH // Its bearer is a bootstrap token, which the route checks.
      ? ANONYMOUS
      : await authenticate(request.headers, cluster, credentials, now);
  const past = at === undefined ? undefined : pastOf(at, now);
  const query = search === "" ? undefined : url.searchParams;
  return { env, cluster, user, credentials, past, path, query, request, auditId };
}

let credentialsOfIsolate: { signingKey: string; credentials: Credentials } | undefined;

/** One per isolate, so that verified tokens stay known from request to request. */
function credentialsFor({ SIGNING_KEY }: WorkerEnv): Credentials {
  if (credentialsOfIsolate?.signingKey !== SIGNING_KEY)
    credentialsOfIsolate = { signingKey: SIGNING_KEY, credentials: new Credentials(SIGNING_KEY) };
  return credentialsOfIsolate.credentials;
}
