import { joinAnswer, joinRequest } from "../../api/node-link.ts";
import { ApiError, badRequest } from "../../api/status.ts";
import { bearerToken, forbiddenPath, unauthorized } from "../access/authenticate.ts";
import { readText } from "../encoding/body.ts";
import type { Asked } from "./asked.ts";

/** As upstream's bootstrap tokens: an id that may be shown, a secret that may not. */
const BOOTSTRAP_TOKEN = /^[a-z0-9]{6}\.[a-z0-9]{16}$/;
const NODE_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** `POST /node-join`: exchanges a bootstrap token for the node's own credential. */
export async function serveJoin({ env, cluster, credentials, request }: Asked): Promise<Response> {
  const token = bearerToken(request.headers);
  if (token === undefined || !BOOTSTRAP_TOKEN.test(token)) throw unauthorized();
  const asked = joinRequest.safeParse(parseOrUndefined(await readText(request)));
  if (!asked.success) throw badRequest('the body must be {"nodeName": "…"}');
  const { nodeName } = asked.data;
  if (!NODE_NAME.test(nodeName))
    throw badRequest(`nodeName: Invalid value: ${JSON.stringify(nodeName)}: must be an RFC 1123 subdomain`);
  if (!(await env.CLUSTER_HOME.getByName(cluster).join(token, nodeName))) throw unauthorized();
  const answer = joinAnswer.parse({ token: await credentials.issueForNode(cluster, nodeName), cluster });
  return Response.json(answer, { status: 201 });
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const NODE_USER = "system:node:";

/** `GET /node-link` and `/node-link/streams/<id>`: a node's WebSockets, which belong to its own NodeLink only. */
export async function serveNodeLink({ env, cluster, user, path, request }: Asked): Promise<Response> {
  if (!user.name.startsWith(NODE_USER) || !user.groups.includes("system:nodes"))
    throw forbiddenPath(user, request.method, path);
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    throw new ApiError("BadRequest", "Upgrade request required: dial this path as a WebSocket");
  const node = user.name.slice(NODE_USER.length);
  const link = env.NODE_LINK.getByName(`${cluster}/${node}`);
  return await link.fetch(`https://node-link${path.slice("/node-link".length) || "/"}`, {
    headers: { upgrade: "websocket" },
  });
}
