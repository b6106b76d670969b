import type { TestCluster } from "../support/control-plane.ts";

/** One resource or subresource, as discovery names it. */
export interface Endpoint {
  /** `/apis/apps/v1` */
  root: string;
  group: string;
  version: string;
  resource: string;
  subresource: string | undefined;
  kind: string;
  namespaced: boolean;
}

interface DiscoveredResource {
  name: string;
  kind: string;
  namespaced: boolean;
  group?: string;
  version?: string;
}

/** Everything that the cluster serves, subresources included. */
export async function endpointsOf(cluster: TestCluster): Promise<Endpoint[]> {
  const get = async (path: string) => (await cluster.call("GET", path)).body;
  const { groups } = await get("/apis");
  const roots = ["/api/v1"].concat(
    groups.flatMap(({ versions }: any) => versions.map(({ groupVersion }: any) => `/apis/${groupVersion}`)),
  );
  const endpoints: Endpoint[] = [];
  for (const root of roots) {
    const { groupVersion, resources } = await get(root);
    const [version, group = ""] = groupVersion.split("/").reverse();
    for (const each of resources as DiscoveredResource[]) {
      const [resource, subresource] = each.name.split("/");
      const { kind, namespaced } = each;
      endpoints.push({
        root,
        group: each.group ?? group,
        version: each.version ?? version,
        resource: resource!,
        subresource,
        kind,
        namespaced,
      });
    }
  }
  return endpoints;
}
