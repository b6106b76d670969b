import { Hono } from "hono";
import { openapiV3, openapiV3Index } from "../../api/schema/openapi.ts";
import { VERSION } from "../version.ts";
import type { Asked } from "./asked.ts";
import * as discovery from "./discovery.ts";
import { serveJoin, serveNodeLink } from "./nodes.ts";
import { serveOpenApiV2 } from "./openapi-v2.ts";
import { unknownPath } from "./resources.ts";
import { HISTORY_PATH, serveFork, serveHistory, serveRestore, serveSnapshot } from "./snapshots.ts";

/** Paths that anybody may read, as upstream's ClusterRole system:public-info-viewer has it. */
export const PUBLIC_PATHS = new Set(["/healthz", "/livez", "/readyz", "/version"]);
export const JOIN_PATH = "/node-join";

/** Every path that names no resource: health, version, discovery, OpenAPI, and what nodes dial. */
export const fixedRoutes = new Hono<{ Bindings: Asked }>({
  getPath: (_request, options) => (options?.env as Asked | undefined)?.path ?? "/",
});

for (const path of ["/healthz", "/livez", "/readyz"]) fixedRoutes.get(path, (context) => context.text("ok"));
fixedRoutes.get("/version", (context) => context.json(VERSION));

fixedRoutes.get("/api", (context) => {
  if (discovery.wantsAggregated(context.req.header("accept") ?? null))
    return context.json(discovery.aggregatedCore(), 200, { "content-type": discovery.AGGREGATED_TYPE });
  return context.json(discovery.apiVersions(new URL(context.req.url).host));
});
fixedRoutes.get("/apis", (context) => {
  if (discovery.wantsAggregated(context.req.header("accept") ?? null))
    return context.json(discovery.aggregatedGroups(), 200, { "content-type": discovery.AGGREGATED_TYPE });
  return context.json(discovery.apiGroupList());
});
fixedRoutes.get("/api/:version", (context) =>
  context.json(found(discovery.apiResourceList("", context.req.param("version")))),
);
fixedRoutes.get("/apis/:group", (context) => context.json(found(discovery.apiGroup(context.req.param("group")))));
fixedRoutes.get("/apis/:group/:version", (context) => {
  const { group, version } = context.req.param();
  return context.json(found(discovery.apiResourceList(group, version)));
});

fixedRoutes.get("/openapi/v2", (context) => serveOpenApiV2(context.req.raw.headers));
fixedRoutes.get("/openapi/v3", (context) => context.json(openapiV3Index()));
fixedRoutes.get("/openapi/v3/*", (context) =>
  context.body(found(openapiV3(context.env.path.slice("/openapi/v3/".length))), 200, {
    "content-type": "application/json",
  }),
);

fixedRoutes.post(JOIN_PATH, (context) => serveJoin(context.env));
fixedRoutes.get("/node-link", (context) => serveNodeLink(context.env));
fixedRoutes.get("/node-link/*", (context) => serveNodeLink(context.env));

fixedRoutes.get("/coxswain/v1/snapshot", (context) => serveSnapshot(context.env));
fixedRoutes.post("/coxswain/v1/restore", (context) => serveRestore(context.env));
fixedRoutes.post("/coxswain/v1/fork", (context) => serveFork(context.env));
fixedRoutes.get(`${HISTORY_PATH}*`, (context) => serveHistory(context.env));

fixedRoutes.notFound(() => {
  throw unknownPath();
});

function found<T>(value: T | undefined): T {
  if (value === undefined) throw unknownPath();
  return value;
}
