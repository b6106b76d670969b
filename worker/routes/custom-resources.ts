import { compileCustomKind } from "../../api/custom/compile-custom-kind.ts";
import type { CustomKind } from "../../api/custom/custom-kind.ts";
import type { CustomResourceDefinitionObject } from "../../api/custom/definition.ts";
import type { CatalogContents, ClusterHomeCatalogRpc, Target } from "../../durable-objects/protocol.ts";
import type { WorkerEnv } from "../env.ts";

/** A definition as the worker knows it: its names, and what of it is served. */
export interface CustomResource {
  readonly namespaced: boolean;
  /** Of served versions, by their names alone: no schemas, no columns. */
  readonly kinds: ReadonlyMap<string, CustomKind>;
  readonly storageVersion: string;
  /** Nothing can be created any more. */
  readonly isTerminating: boolean;
  /** Discovery and OpenAPI tell of it. */
  readonly isEstablished: boolean;
  readonly definition: CustomResourceDefinitionObject;
}

/** A cluster's own kinds at one revision of its catalog. */
export interface CustomResources {
  readonly revision: number;
  /** By name: `<plural>.<group>`. */
  readonly byName: ReadonlyMap<string, CustomResource>;
}

/** Catalogs that an isolate remembers, and definitions: each may be a megabyte. */
const CLUSTERS_MAX = 64;
const DEFINITIONS_MAX = 16;

const remembered = new Map<string, CustomResources>();
const definitions = new Map<string, ReadonlyMap<string, CustomKind>>();

const clusterHome = (env: WorkerEnv, cluster: string): ClusterHomeCatalogRpc => env.CLUSTER_HOME.getByName(cluster);

/** The cluster's own kinds as they are now: one question, which is answered with nothing new where nothing is. */
export async function customResourcesOf(env: WorkerEnv, cluster: string): Promise<CustomResources> {
  const known = remembered.get(cluster);
  const { revision, contents } = await clusterHome(env, cluster).catalog(known?.revision ?? 0);
  if (contents === undefined && known) return known;
  const { definitions: heads } = JSON.parse(contents ?? '{"definitions":[]}') as CatalogContents;
  const byName = new Map(heads.map(({ definition }) => [definition.metadata.name, readHead(definition)]));
  return remember(remembered, cluster, { revision, byName }, CLUSTERS_MAX);
}

function readHead(definition: CustomResourceDefinitionObject): CustomResource {
  const all = compileCustomKind(definition);
  const isTrue = (type: string): boolean =>
    definition.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
  return {
    namespaced: definition.spec.scope === "Namespaced",
    kinds: new Map([...all].filter(([, { served }]) => served)),
    storageVersion: [...all.values()].find(({ storage }) => storage)?.info.version ?? "",
    isTerminating: isTrue("Terminating"),
    isEstablished: isTrue("Established"),
    definition,
  };
}

/** What serves a target; undefined where nothing does. */
export async function findCustomResource(
  env: WorkerEnv,
  cluster: string,
  { group, version, resource }: Pick<Target, "group" | "version" | "resource">,
): Promise<CustomResource | undefined> {
  const found = (await customResourcesOf(env, cluster)).byName.get(`${resource}.${group}`);
  return found?.kinds.has(version) ? found : undefined;
}

/** All of a kind, with its schema and columns; undefined where it has changed this very moment, or is not served. */
export async function wholeCustomKind(
  env: WorkerEnv,
  cluster: string,
  target: Pick<Target, "group" | "version" | "resource">,
): Promise<CustomKind | undefined> {
  const resource = await findCustomResource(env, cluster, target);
  return resource && (await wholeDefinition(env, cluster, resource))?.get(target.version);
}

/** All versions of a definition, with schemas and columns; undefined where it has changed this very moment. */
export async function wholeDefinition(
  env: WorkerEnv,
  cluster: string,
  { definition: { metadata } }: Pick<CustomResource, "definition">,
): Promise<ReadonlyMap<string, CustomKind> | undefined> {
  const { name, uid = "", generation = 0 } = metadata;
  const key = `${cluster}/${name}/${uid}/${generation}`;
  const known = definitions.get(key);
  if (known) return known;
  const text = await clusterHome(env, cluster).definition(name, uid, generation);
  if (text === null) return undefined;
  const kinds = compileCustomKind(JSON.parse(text) as CustomResourceDefinitionObject);
  return remember(definitions, key, kinds, DEFINITIONS_MAX);
}

/** The oldest is forgotten. */
function remember<T>(map: Map<string, T>, key: string, value: T, most: number): T {
  map.delete(key);
  map.set(key, value);
  if (map.size > most)
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  return value;
}
