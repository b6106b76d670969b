import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import { groups, kindsOf } from "../../api/kinds.ts";
import { mediaTypes } from "../encoding/negotiate.ts";

// Discovery says nothing of a cluster's state yet (custom resources come with their issue), so each document is made once.

const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

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
export const apiGroupList = once(() => ({
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: groups.filter(({ name }) => name !== "").map(({ name, versions }) => groupOf(name, versions)),
}));

/** `GET /apis/<group>`, or undefined for an unknown one. */
export function apiGroup(name: string) {
  const group = groups.find((candidate) => candidate.name === name && name !== "");
  return group && { kind: "APIGroup", apiVersion: "v1", ...groupOf(group.name, group.versions) };
}

/** `GET /api/v1` and `GET /apis/<group>/<version>`, or undefined for an unknown one. */
export function apiResourceList(group: string, version: string) {
  const kinds = kindsOf(group, version);
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

const aggregatedVersion = (group: string, version: string) => ({
  version,
  resources: kindsOf(group, version).map((kind) => ({
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

const aggregated = (wanted: (group: string) => boolean) => ({
  kind: "APIGroupDiscoveryList",
  apiVersion: "apidiscovery.k8s.io/v2",
  metadata: {},
  items: groups
    .filter(({ name }) => wanted(name))
    .map(({ name, versions }) => ({
      metadata: { name: name || undefined, creationTimestamp: null },
      versions: versions.map((version) => aggregatedVersion(name, version)),
    })),
});

export const aggregatedCore = once(() => aggregated((group) => group === ""));
export const aggregatedGroups = once(() => aggregated((group) => group !== ""));
export { AGGREGATED_TYPE };
