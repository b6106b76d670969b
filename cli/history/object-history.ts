import type { JsonObject } from "../../api/json-value.ts";
import type { KubeObject } from "../../api/object.ts";
import { type ApiClient, callApi } from "../api-client.ts";
import { reached, refusalOf } from "../cluster-client.ts";
import { Failure } from "../failure.ts";
import { type ApiResource, findResource, objectPath } from "./find-resource.ts";

/** The server keeps to it as well. */
export const VERSIONS_MAX = 100;
const AGGREGATED_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** One version of an object. */
export interface ObjectVersion {
  revision: number;
  /** RFC 3339. */
  time: string;
  /** The user who wrote it; empty where that is not known. */
  author: string;
  type: "ADDED" | "MODIFIED" | "DELETED";
  /** As it was then; of a deletion, the last that it was. */
  object: KubeObject & JsonObject;
}

/** An object as the user names it. */
export interface NamedObject {
  resource: ApiResource;
  /** Empty where the resource has none. */
  namespace: string;
  name: string;
  /** `deployments.apps/web`: as messages name it. */
  title: string;
}

/** Reads `KIND/NAME`; what the kind is, the cluster's discovery says. */
export async function findObject(client: ApiClient, text: string, namespace: string): Promise<NamedObject> {
  const [kind, name, ...more] = text.split("/");
  if (!kind || !name || more.length > 0)
    throw new Failure(`${JSON.stringify(text)} names no object: say KIND/NAME, for example deployment/web`, 2);
  const lists = [];
  for (const path of ["/api", "/apis"]) lists.push(await get(client, path, AGGREGATED_DISCOVERY));
  const resource = findResource(lists, kind);
  if (!resource)
    throw new Failure(`the cluster has no resource ${JSON.stringify(kind)}: see \`kubectl api-resources\``, 2);
  const groupResource = resource.group === "" ? resource.resource : `${resource.resource}.${resource.group}`;
  return { resource, namespace: resource.namespaced ? namespace : "", name, title: `${groupResource}/${name}` };
}

/** The command that shows an object's history, for messages. */
export const historyCommand = ({ title, namespace }: NamedObject): string =>
  `\`cox history ${title}${namespace === "" || namespace === "default" ? "" : ` -n ${namespace}`}\``;

/** The newest versions of an object that history keeps, the newest first: at least one. */
export async function versionsOf(client: ApiClient, object: NamedObject, limit: number): Promise<ObjectVersion[]> {
  const path = objectPath(object.resource, object.namespace, object.name);
  const { items } = await get(client, `/coxswain/v1/history${path}?limit=${Math.min(limit, VERSIONS_MAX)}`);
  if (items.length === 0) throw new Failure(`history knows nothing of ${object.title}`);
  return items;
}

async function get(client: ApiClient, path: string, accept?: string): Promise<any> {
  const answer = await reached(client, callApi(client, "GET", path, undefined, { ...(accept && { accept }) }));
  if (answer.code !== 200) throw new Failure(refusalOf(answer));
  return answer.body;
}
