import { Hono } from "hono";
import { respondKept } from "../encoding/kept-document.ts";
import { respondDocument } from "../encoding/respond.ts";
import { VERSION } from "../version.ts";
import type { Asked } from "./asked.ts";
import { customApiOf } from "./custom-openapi.ts";
import { customResourcesOf } from "./custom-resources.ts";
import * as discovery from "./discovery.ts";
import { serveJoin, serveNodeLink } from "./nodes.ts";
import { serveOpenApiV2, serveOpenApiV3, serveOpenApiV3Index } from "./openapi.ts";
import { unknownPath } from "./resources.ts";
import { HISTORY_PATH, serveFork, serveHistory, serveRestore, serveSnapshot } from "./snapshots.ts";

/** Paths that anybody may read, as upstream's ClusterRole system:public-info-viewer has it. */
export const PUBLIC_PATHS = new Set(["/healthz", "/livez", "/readyz", "/version"]);
export const JOIN_PATH = "/node-join";

const JSON_TYPE = { "content-type": "application/json" };

/** Every path that names no resource: health, version, discovery, OpenAPI, and what nodes dial. */
export const fixedRoutes = new Hono<{ Bindings: Asked }>({
  // As upstream's router, to which a slash at the end says nothing.
  getPath: (_request, options) => (options?.env as Asked | undefined)?.path.replace(/(?<=.)\/$/, "") ?? "/",
});

for (const path of ["/healthz", "/livez", "/readyz"]) fixedRoutes.get(path, (context) => context.text("ok"));
fixedRoutes.get("/version", (context) => context.body(JSON.stringify(VERSION, undefined, 2), 200, JSON_TYPE));

fixedRoutes.get("/api", async (context) => {
  if (discovery.wantsAggregated(context.req.header("accept") ?? null)) {
    const core = discovery.aggregatedCore(await customOf(context.env));
    return await respondKept(context.env.request, core, discovery.AGGREGATED_TYPE);
  }
  return respondDocument(context.env.request, discovery.apiVersions(new URL(context.req.url).host));
});
fixedRoutes.get("/apis", async (context) => {
  const custom = await customOf(context.env);
  if (!discovery.wantsAggregated(context.req.header("accept") ?? null))
    return respondDocument(context.env.request, discovery.apiGroupList(custom));
  return await respondKept(context.env.request, discovery.aggregatedGroups(custom), discovery.AGGREGATED_TYPE);
});
fixedRoutes.get("/api/:version", async (context) =>
  respondDocument(
    context.env.request,
    found(discovery.apiResourceList("", context.req.param("version"), await customOf(context.env))),
  ),
);
fixedRoutes.get("/apis/:group", async (context) =>
  respondDocument(
    context.env.request,
    found(discovery.apiGroup(context.req.param("group"), await customOf(context.env))),
  ),
);
fixedRoutes.get("/apis/:group/:version", async (context) => {
  const { group, version } = context.req.param();
  return respondDocument(
    context.env.request,
    found(discovery.apiResourceList(group, version, await customOf(context.env))),
  );
});

fixedRoutes.get("/openapi/v2", async ({ env: asked }) =>
  serveOpenApiV2(asked.request, await customApiOf(asked.env, asked.cluster)),
);
fixedRoutes.get("/openapi/v3", async ({ env: asked }) =>
  serveOpenApiV3Index(asked.request, await customApiOf(asked.env, asked.cluster)),
);
fixedRoutes.get("/openapi/v3/*", async ({ env: asked }) => {
  const document = asked.path.slice("/openapi/v3/".length);
  return serveOpenApiV3(asked.request, document, await customApiOf(asked.env, asked.cluster));
});

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

/** The cluster's own kinds. */
const customOf = ({ env, cluster }: Asked) => customResourcesOf(env, cluster);

function found<T>(value: T | undefined): T {
  if (value === undefined) throw unknownPath();
  return value;
}
