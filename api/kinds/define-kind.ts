import type { Kind, KindRef, KindRules } from "../kind.ts";
import type { KubeObject } from "../object.ts";

/** Declares what a schema cannot say of one built-in kind; `api/kinds.ts` lists all of them. */
export function defineKind<T = KubeObject>(
  apiVersion: string,
  kind: string,
  { resource, namespaced = true, ...rules }: { resource: string; namespaced?: boolean } & KindRules<T>,
): Kind<T> {
  const [group, version] = apiVersion.includes("/") ? (apiVersion.split("/") as [string, string]) : ["", apiVersion];
  return { group, version, kind, resource, namespaced, rules };
}

export const apiVersionOf = ({ group, version }: Pick<KindRef, "group" | "version">): string =>
  group ? `${group}/${version}` : version;
