import { ApiError, internalError } from "../api/status.ts";
import { ANONYMOUS, authenticate, forbiddenPath } from "./access/authenticate.ts";
import { Credentials } from "./access/credentials.ts";
import { respondError } from "./encoding/respond.ts";
import type { WorkerEnv } from "./env.ts";
import type { Asked } from "./routes/asked.ts";
import { fixedRoutes, JOIN_PATH, PUBLIC_PATHS } from "./routes/fixed.ts";
import { isTrue } from "./routes/options.ts";
import { pastOf, refuseInPast } from "./routes/past.ts";
import { parseResourcePath, splitCluster, splitTime } from "./routes/path.ts";
import { timeoutOf, within } from "./routes/request-timeout.ts";
import { refuseAnonymous, serveResource, unknownPath } from "./routes/resources.ts";
import { isStream, serveStream } from "./routes/streams.ts";

/** The whole of the worker: who asks, what for, and the one place where what went wrong becomes an answer. */
export const app = {
  async fetch(request: Request, env: WorkerEnv): Promise<Response> {
    try {
      return withCommonHeaders(await serve(request, env), request);
    } catch (error) {
      return withCommonHeaders(respondFailure(error, request), request);
    }
  },
};

async function serve(request: Request, env: WorkerEnv): Promise<Response> {
  const asked = await identify(request, env);
  const resource = parseResourcePath(asked.path);
  if (asked.past) refuseInPast(request.method, asked.path, resource?.target);
  if (!resource) {
    const isOpen = PUBLIC_PATHS.has(asked.path) || asked.path === JOIN_PATH;
    if (asked.user === ANONYMOUS && !isOpen) throw forbiddenPath(ANONYMOUS, request.method, asked.path);
    return await fixedRoutes.fetch(request, asked);
  }
  if (asked.user === ANONYMOUS) throw refuseAnonymous(asked, resource);
  if (isStream(resource.target)) return await serveStream(asked, resource.target);
  if (resource.watch || isTrue(asked.query?.get("watch") ?? null)) return await serveResource(asked, resource);
  return await within(timeoutOf(asked.query), serveResource(asked, resource));
}

fixedRoutes.onError((error, context) => respondFailure(error, context.req.raw));

function respondFailure(error: unknown, request: Request): Response {
  if (error instanceof ApiError) return respondError(error, request);
  console.error(error);
  return respondError(internalError("the control plane met an unexpected condition; see its log"), request);
}

const AUDIT_ID = "audit-id";
const SWITCHING_PROTOCOLS = 101;

/** What every answer carries: the name under which it may be found in logs, and that nobody keeps what only some may read. */
function withCommonHeaders(response: Response, request: Request): Response {
  if (response.status === SWITCHING_PROTOCOLS) return response;
  const id = request.headers.get(AUDIT_ID) || crypto.randomUUID();
  try {
    setCommonHeaders(response.headers, id);
    return response;
  } catch {
    // What another object answered has headers that cannot be changed.
    const own = new Response(response.body, response);
    setCommonHeaders(own.headers, id);
    return own;
  }
}

function setCommonHeaders(headers: Headers, id: string): void {
  headers.set(AUDIT_ID, id);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-cache, private");
}

async function identify(request: Request, env: WorkerEnv): Promise<Asked> {
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
  return { env, cluster, user, credentials, past, path, query: search === "" ? undefined : url.searchParams, request };
}

let credentialsOfIsolate: { signingKey: string; credentials: Credentials } | undefined;

/** One per isolate, so that verified tokens stay known from request to request. */
function credentialsFor({ SIGNING_KEY }: WorkerEnv): Credentials {
  if (credentialsOfIsolate?.signingKey !== SIGNING_KEY)
    credentialsOfIsolate = { signingKey: SIGNING_KEY, credentials: new Credentials(SIGNING_KEY) };
  return credentialsOfIsolate.credentials;
}
