import { ApiError, internalError } from "../api/status.ts";
import { ANONYMOUS, authenticate, forbiddenPath } from "./access/authenticate.ts";
import { Credentials } from "./access/credentials.ts";
import { respondError } from "./encoding/respond.ts";
import type { WorkerEnv } from "./env.ts";
import type { Asked } from "./routes/asked.ts";
import { fixedRoutes, JOIN_PATH, PUBLIC_PATHS } from "./routes/fixed.ts";
import { pastOf, refuseInPast } from "./routes/past.ts";
import { parseResourcePath, splitCluster, splitTime } from "./routes/path.ts";
import { refuseAnonymous, serveResource, unknownPath } from "./routes/resources.ts";
import { isStream, serveStream } from "./routes/streams.ts";

/** The whole of the worker: who asks, what for, and the one place where what went wrong becomes an answer. */
export const app = {
  async fetch(request: Request, env: WorkerEnv): Promise<Response> {
    try {
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
      return await serveResource(asked, resource);
    } catch (error) {
      return respondFailure(error);
    }
  },
};

fixedRoutes.onError(respondFailure);

function respondFailure(error: unknown): Response {
  if (error instanceof ApiError) return respondError(error);
  console.error(error);
  return respondError(internalError("the control plane met an unexpected condition; see its log"));
}

async function identify(request: Request, env: WorkerEnv): Promise<Asked> {
  const { pathname, search, searchParams: query } = new URL(request.url);
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
  return { env, cluster, user, credentials, past, path, query: search === "" ? undefined : query, request };
}

let credentialsOfIsolate: { signingKey: string; credentials: Credentials } | undefined;

/** One per isolate, so that verified tokens stay known from request to request. */
function credentialsFor({ SIGNING_KEY }: WorkerEnv): Credentials {
  if (credentialsOfIsolate?.signingKey !== SIGNING_KEY)
    credentialsOfIsolate = { signingKey: SIGNING_KEY, credentials: new Credentials(SIGNING_KEY) };
  return credentialsOfIsolate.credentials;
}
