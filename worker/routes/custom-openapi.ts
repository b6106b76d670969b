import type { CustomKind } from "../../api/custom/custom-kind.ts";
import type { CustomVersion } from "../../api/schema/openapi.ts";
import type { WorkerEnv } from "../env.ts";
import { type CustomResource, customResourcesOf, wholeDefinition } from "./custom-resources.ts";

/** What a cluster's own definitions add to the documents of OpenAPI. */
export interface CustomApi {
  /** The same object as long as nothing of it changes: documents are kept by it. */
  readonly owner: object;
  readonly versions: readonly CustomVersion[];
  /** With their schemas: those of one document (`apis/example.com/v1`), or all. */
  kinds(document?: string): Promise<readonly CustomKind[]>;
}

export const NO_CUSTOM: CustomApi = { owner: {}, versions: [], kinds: async () => [] };

export async function customApiOf(env: WorkerEnv, cluster: string): Promise<CustomApi> {
  const owner = await customResourcesOf(env, cluster);
  const published = [...owner.byName.values()].filter(({ isEstablished }) => isEstablished);
  if (published.length === 0) return NO_CUSTOM;
  return {
    owner,
    versions: versionsOf(published),
    async kinds(document) {
      const found: CustomKind[] = [];
      // One after the other: each may be a megabyte.
      for (const resource of published) {
        const wanted = [...resource.kinds.values()].filter(
          ({ apiVersion }) => !document || document === `apis/${apiVersion}`,
        );
        if (wanted.length === 0) continue;
        const whole = await wholeDefinition(env, cluster, resource);
        for (const { info } of wanted) {
          const kind = whole?.get(info.version);
          if (kind) found.push(kind);
        }
      }
      return found;
    },
  };
}

/** A version's content is what its definitions are. */
function versionsOf(published: readonly CustomResource[]): CustomVersion[] {
  const versions = new Map<string, CustomVersion>();
  for (const { kinds, definition } of published) {
    const { name, uid, generation } = definition.metadata;
    for (const { apiVersion, info } of kinds.values()) {
      const before = versions.get(apiVersion)?.revision ?? "";
      const revision = `${before} ${name} ${uid} ${generation}`;
      versions.set(apiVersion, { group: info.group, version: info.version, revision });
    }
  }
  return [...versions.values()];
}
