import type { KindRef } from "../../api/kind.ts";
import type { KubeObject, OwnerReference } from "../../api/object.ts";
import { resourceName } from "../../api/status.ts";
import {
  type Context,
  controllerOf,
  type HomeView,
  type KindedObject,
} from "../../durable-objects/controllers/controller.ts";

/** Midnight, 1 June 2026. */
export const NOON = Date.UTC(2026, 5, 1, 12);

/** A controller's context at a time, with suffixes that count: `00001`, `00002`, … */
export function contextAt(now = NOON, changes: Partial<Context> = {}): Context {
  let drawn = 0;
  return {
    now,
    timestamp: `${new Date(now).toISOString().slice(0, 19)}Z`,
    namespace: "default",
    terminating: false,
    suffix: () => String(++drawn).padStart(5, "0"),
    ...changes,
  };
}

const LOWER_CASE_PLURALS: Record<string, string> = { Endpoints: "endpoints" };
const refOf = ({ apiVersion, kind }: { apiVersion: string; kind: string }): KindRef => {
  const [group, version] = apiVersion.includes("/") ? (apiVersion.split("/") as [string, string]) : ["", apiVersion];
  return { group, version, kind, resource: LOWER_CASE_PLURALS[kind] ?? `${kind.toLowerCase()}s`, namespaced: true };
};

/** A view of these objects and nothing else. `unknown`: kinds that the home cannot tell of. */
export function viewOf(objects: readonly KubeObject[], unknown: readonly string[] = ["Node"]): HomeView {
  const sorted = [...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const isOf = (object: KubeObject, kind: KindRef): boolean => resourceName(refOf(object)) === resourceName(kind);
  const list = (kind: KindRef): KubeObject[] => sorted.filter((object) => isOf(object, kind));
  return {
    get: (kind, name) => list(kind).find(({ metadata }) => metadata.name === name) as any,
    list: (kind, { ownedBy, labels } = {}) =>
      list(kind).filter(
        (object) =>
          (!ownedBy || controllerOf(object)?.uid === ownedBy.metadata.uid) &&
          Object.entries(labels ?? {}).every(([key, value]) => object.metadata.labels?.[key] === value),
      ) as any,
    names: (kind) => list(kind).map(({ metadata }) => metadata.name),
    kinds: () => [...new Map(sorted.map((object) => [resourceName(refOf(object)), refOf(object)])).values()],
    dependents: (uid) =>
      sorted
        .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
        .map((object): KindedObject => ({ kind: refOf(object), object })),
    owner(reference: OwnerReference) {
      if (unknown.includes(reference.kind)) return "unknown";
      const kind = refOf(reference);
      const object = list(kind).find(({ metadata }) => metadata.name === reference.name);
      return object && object.metadata.uid === reference.uid ? { kind, object } : "absent";
    },
  };
}
