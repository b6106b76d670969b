/** The parts of apidiscovery.k8s.io/v2 APIGroupDiscoveryList that tell resources apart. */
export interface GroupDiscoveryList {
  items: {
    metadata: { name?: string };
    /** The preferred version first. */
    versions: {
      version: string;
      resources: {
        resource: string;
        singularResource?: string;
        responseKind?: { kind: string };
        scope: string;
        shortNames?: string[];
      }[];
    }[];
  }[];
}

/** A resource in one version. */
export interface ApiResource {
  group: string;
  version: string;
  resource: string;
  namespaced: boolean;
}

interface Candidate extends ApiResource {
  singular: string;
  shortNames: string[];
}

/**
 * The resource that a user means, by kubectl's rules: plural, singular or kind in any case, or a short name; followed, where need be, by
 * `.group` or `.version.group`. Of several, that of the first group, in its preferred version.
 *
 * @param lists of `/api` and of `/apis`, in this order
 */
export function findResource(lists: readonly GroupDiscoveryList[], text: string): ApiResource | undefined {
  const [word = "", ...qualifier] = text.toLowerCase().split(".");
  const among = candidates(lists).filter((candidate) => isOf(candidate, qualifier));
  const found =
    among.find(({ resource, singular }) => resource === word || singular === word) ??
    among.find(({ shortNames }) => shortNames.includes(word));
  return (
    found && { group: found.group, version: found.version, resource: found.resource, namespaced: found.namespaced }
  );
}

function isOf({ group, version }: ApiResource, qualifier: readonly string[]): boolean {
  if (qualifier.length === 0) return true;
  const [first, ...rest] = qualifier;
  return qualifier.join(".") === group || (first === version && rest.join(".") === group);
}

const candidates = (lists: readonly GroupDiscoveryList[]): Candidate[] =>
  lists
    .flatMap(({ items }) => items)
    .flatMap(({ metadata, versions }) =>
      versions.flatMap(({ version, resources }) =>
        resources.map(({ resource, singularResource, responseKind, scope, shortNames = [] }) => ({
          group: metadata.name ?? "",
          version,
          resource,
          singular: singularResource || responseKind?.kind.toLowerCase() || resource,
          shortNames,
          namespaced: scope === "Namespaced",
        })),
      ),
    );

/** The API path of one object. The namespace counts only where the resource has one. */
export function objectPath(
  { group, version, resource, namespaced }: ApiResource,
  namespace: string,
  name: string,
): string {
  return `${collectionPath({ group, version, resource, namespaced }, namespace)}/${encodeURIComponent(name)}`;
}

/** The API path at which its objects are created. */
export function collectionPath({ group, version, resource, namespaced }: ApiResource, namespace: string): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}${namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ""}/${resource}`;
}
