import type { KindInfo } from "../../api/kind.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import { compareVersions, type GroupInfo, groups, kindsOf } from "../../api/kinds.ts";
import { mediaTypes } from "../encoding/negotiate.ts";
import type { CustomResources } from "./custom-resources.ts";

/** What discovery tells besides the built-in kinds; made once for each content of a cluster's catalog. */
const made = new WeakMap<CustomResources, Map<string, unknown>>();

function once<T>(custom: CustomResources, name: string, make: () => T): T {
  const documents = made.get(custom) ?? new Map<string, unknown>();
  made.set(custom, documents);
  if (!documents.has(name)) documents.set(name, make());
  return documents.get(name) as T;
}

/** The cluster's own kinds in one version of a group, ordered by resource. */
function customKindsOf({ byName }: CustomResources, group: string, version: string): KindInfo[] {
  const found: KindInfo[] = [];
  for (const { kinds, isEstablished, isTerminating } of byName.values()) {
    const info = kinds.get(version)?.info;
    if (!info || info.group !== group || !isEstablished) continue;
    found.push(isTerminating ? { ...info, verbs: info.verbs.filter((verb) => !CREATING.has(verb)) } : info);
  }
  return found.sort((x, y) => (x.resource < y.resource ? -1 : 1));
}

/** What a definition that is being deleted does not allow any more. */
const CREATING = new Set(["create", "update", "patch"]);

const allKindsOf = (custom: CustomResources, group: string, version: string): readonly KindInfo[] => [
  ...kindsOf(group, version),
  ...customKindsOf(custom, group, version),
];

/** The built-in groups in their order, then those of custom kinds by name: kube-aggregator gives these the least priority. */
const groupsOf = (custom: CustomResources): readonly GroupInfo[] =>
  once(custom, "groups", () => {
    const versions = new Map<string, Set<string>>();
    for (const { kinds, isEstablished } of custom.byName.values()) {
      if (!isEstablished) continue;
      for (const { info } of kinds.values()) {
        const known = versions.get(info.group) ?? new Set<string>();
        versions.set(info.group, known.add(info.version));
      }
    }
    const builtIn = groups.map(({ name, versions: own }) => {
      const more = [...(versions.get(name) ?? [])].filter((version) => !own.includes(version));
      versions.delete(name);
      return more.length === 0 ? { name, versions: own } : { name, versions: [...own, ...more].sort(compareVersions) };
    });
    const others = [...versions].sort(([x], [y]) => (x < y ? -1 : 1));
    return [...builtIn, ...others.map(([name, own]) => ({ name, versions: [...own].sort(compareVersions) }))];
  });

const AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** Whether the client prefers the aggregated documents (KEP-3352) to the list of groups. */
export const wantsAggregated = (accept: string | null): boolean =>
  accept !== null &&
  mediaTypes(accept).some(
    ({ type, parameters }) =>
      type === "application/json" && parameters.get("as") === "APIGroupDiscoveryList" && parameters.get("v") === "v2",
  );

/** `GET /api` of old clients. */
export const apiVersions = (serverAddress: string) => ({
  kind: "APIVersions",
  versions: ["v1"],
  serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
});

const groupOf = (name: string, versions: readonly string[]) => {
  const served = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: served, preferredVersion: served[0] };
};

/** `GET /apis` of old clients. */
export const apiGroupList = (custom: CustomResources) =>
  once(custom, "list", () => ({
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: groupsOf(custom)
      .filter(({ name }) => name !== "")
      .map(({ name, versions }) => groupOf(name, versions)),
  }));

/** `GET /apis/<group>`, or undefined for an unknown one. */
export function apiGroup(name: string, custom: CustomResources) {
  const group = groupsOf(custom).find((candidate) => candidate.name === name && name !== "");
  return group && { kind: "APIGroup", apiVersion: "v1", ...groupOf(group.name, group.versions) };
}

/** `GET /api/v1` and `GET /apis/<group>/<version>`, or undefined for an unknown one. */
export function apiResourceList(group: string, version: string, custom: CustomResources) {
  const kinds = allKindsOf(custom, group, version);
  if (kinds.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    ...(group && { apiVersion: "v1" }),
    groupVersion: apiVersionOf({ group, version }),
    resources: kinds.flatMap((kind) => [
      {
        name: kind.resource,
        singularName: kind.singular,
        namespaced: kind.namespaced,
        kind: kind.kind,
        verbs: kind.verbs,
        ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
        ...(kind.categories.length > 0 && { categories: kind.categories }),
      },
      ...kind.subresources.map((subresource) => ({
        name: `${kind.resource}/${subresource.name}`,
        singularName: "",
        namespaced: kind.namespaced,
        ...(apiVersionOf(subresource) !== apiVersionOf(kind) && {
          group: subresource.group,
          version: subresource.version,
        }),
        kind: subresource.kind,
        verbs: subresource.verbs,
      })),
    ]),
  };
}

const aggregatedVersion = (group: string, version: string, custom: CustomResources) => ({
  version,
  resources: allKindsOf(custom, group, version).map((kind) => ({
    resource: kind.resource,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
    ...(kind.categories.length > 0 && { categories: kind.categories }),
    ...(kind.subresources.length > 0 && {
      subresources: kind.subresources.map((subresource) => ({
        subresource: subresource.name,
        responseKind: { group: subresource.group, version: subresource.version, kind: subresource.kind },
        verbs: subresource.verbs,
      })),
    }),
  })),
  freshness: "Current",
});

const aggregated = (custom: CustomResources, wanted: (group: string) => boolean) => ({
  kind: "APIGroupDiscoveryList",
  apiVersion: "apidiscovery.k8s.io/v2",
  metadata: {},
  items: groupsOf(custom)
    .filter(({ name }) => wanted(name))
    .map(({ name, versions }) => ({
      metadata: { name: name || undefined, creationTimestamp: null },
      versions: versions.map((version) => aggregatedVersion(name, version, custom)),
    })),
});

export const aggregatedCore = (custom: CustomResources) =>
  once(custom, "core", () => aggregated(custom, (group) => group === ""));
export const aggregatedGroups = (custom: CustomResources) =>
  once(custom, "aggregated", () => aggregated(custom, (group) => group !== ""));
export { AGGREGATED_TYPE };
