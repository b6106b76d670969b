import type { Context as HonoContext } from "hono";
import { Hono } from "hono";
import type { User } from "../api/object.ts";
import { openapiV3, openapiV3Index } from "../api/schema/openapi.ts";
import { ApiError, internalError } from "../api/status.ts";
import { ANONYMOUS, authenticate, forbiddenPath } from "./access/authenticate.ts";
import { Credentials } from "./access/credentials.ts";
import { respondError } from "./encoding/respond.ts";
import type { WorkerEnv } from "./env.ts";
import * as discovery from "./routes/discovery.ts";
import { serveJoin, serveNodeLink } from "./routes/nodes.ts";
import { serveOpenApiV2 } from "./routes/openapi-v2.ts";
import { parseResourcePath, splitCluster } from "./routes/path.ts";
import { serveResource, unknownPath } from "./routes/resources.ts";
import { isStream, serveStream } from "./routes/streams.ts";
import { VERSION } from "./version.ts";

/** What a request has become before its route sees it: stripped of the cluster's prefix, its user known. */
interface Variables {
  cluster: string;
  path: string;
  user: User;
  credentials: Credentials;
}

type Context = HonoContext<Env>;
type Env = { Bindings: WorkerEnv; Variables: Variables };

/** Paths that anybody may read, as upstream's ClusterRole system:public-info-viewer has it. */
const PUBLIC_PATHS = new Set(["/healthz", "/livez", "/readyz", "/version"]);
const JOIN_PATH = "/node-join";

let credentialsOfIsolate: { signingKey: string; credentials: Credentials } | undefined;

/** One per isolate, so that verified tokens stay known from request to request. */
function credentialsFor({ SIGNING_KEY }: WorkerEnv): Credentials {
  if (credentialsOfIsolate?.signingKey !== SIGNING_KEY)
    credentialsOfIsolate = { signingKey: SIGNING_KEY, credentials: new Credentials(SIGNING_KEY) };
  return credentialsOfIsolate.credentials;
}

export const app = new Hono<Env>({ getPath: (request) => splitCluster(new URL(request.url).pathname)?.path ?? "/" });

app.use(async (context, next) => {
  const split = splitCluster(new URL(context.req.url).pathname);
  if (!split) throw unknownPath();
  const credentials = credentialsFor(context.env);
  context.set("cluster", split.cluster);
  context.set("path", split.path);
  context.set("credentials", credentials);
  const { method } = context.req;
  if (split.path === JOIN_PATH)
    context.set("user", ANONYMOUS); // Its bearer is a bootstrap token, checked by the route.
  else context.set("user", await authenticate(context.req.raw.headers, split.cluster, credentials, Date.now()));
  const isResource = parseResourcePath(split.path) !== undefined;
  if (context.var.user === ANONYMOUS && !isResource && !PUBLIC_PATHS.has(split.path) && split.path !== JOIN_PATH)
    throw forbiddenPath(ANONYMOUS, method, split.path);
  await next();
});

for (const path of ["/healthz", "/livez", "/readyz"]) app.get(path, (context) => context.text("ok"));
app.get("/version", (context) => context.json(VERSION));

app.get("/api", (context) => {
  if (discovery.wantsAggregated(context.req.header("accept") ?? null))
    return context.json(discovery.aggregatedCore(), 200, { "content-type": discovery.AGGREGATED_TYPE });
  return context.json(discovery.apiVersions(new URL(context.req.url).host));
});
app.get("/apis", (context) => {
  if (discovery.wantsAggregated(context.req.header("accept") ?? null))
    return context.json(discovery.aggregatedGroups(), 200, { "content-type": discovery.AGGREGATED_TYPE });
  return context.json(discovery.apiGroupList());
});
app.get("/api/:version", (context) => context.json(found(discovery.apiResourceList("", context.req.param("version")))));
app.get("/apis/:group", (context) => context.json(found(discovery.apiGroup(context.req.param("group")))));
app.get("/apis/:group/:version", (context) => {
  const { group, version } = context.req.param();
  return context.json(found(discovery.apiResourceList(group, version)));
});

app.get("/openapi/v2", (context) => serveOpenApiV2(context.req.raw.headers));
app.get("/openapi/v3", (context) => context.json(openapiV3Index()));
app.get("/openapi/v3/*", (context) =>
  context.body(found(openapiV3(context.var.path.slice("/openapi/v3/".length))), 200, {
    "content-type": "application/json",
  }),
);

app.post(JOIN_PATH, (context) => serveJoin(context.env, context.var.cluster, context.var.credentials, context.req.raw));
app.get("/node-link", serveLink);
app.get("/node-link/*", serveLink);

app.all("/api/*", serveAny);
app.all("/apis/*", serveAny);

app.notFound(() => {
  throw unknownPath();
});

app.onError((error) => {
  if (error instanceof ApiError) return respondError(error);
  console.error(error);
  return respondError(internalError("the control plane met an unexpected condition; see its log"));
});

function serveLink(context: Context): Promise<Response> {
  return serveNodeLink(context.env, context.var.cluster, context.var.user, context.var.path, context.req.raw);
}

async function serveAny(context: Context): Promise<Response> {
  const { cluster, path, user } = context.var;
  const request = context.req.raw;
  const asked = { env: context.env, cluster, user, path, query: new URL(request.url).searchParams, request };
  const target = parseResourcePath(path)?.target;
  return target && isStream(target) ? await serveStream(asked, target) : await serveResource(asked);
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw unknownPath();
  return value;
}
