import { identityOf, type ManagedEntry, type Managers } from "./entries.ts";
import { difference, includes, setOfPath } from "./field-set.ts";

/**
 * The `scale` subresource has one field that is another's: `spec.replicas` of the object, at whatever path each version has it.
 * Who owns it there is moved over and back (managedfields.ScaleHandler).
 */
const SCALE = "autoscaling/v1";
const REPLICAS = ["f:spec", "f:replicas"];
const REPLICAS_FIELDS = setOfPath(REPLICAS);

/** The path of an object's replicas in a version (path elements): empty where the version has no scale, undefined where it is not served. */
export type ReplicasPath = (apiVersion: string) => readonly string[] | undefined;

/** One manager's way of writing, whatever the version. */
const wayOf = (entry: ManagedEntry): string => identityOf({ ...entry, apiVersion: "" });

/** The entries of a Scale: of those who own the object's replicas. */
export function scaleManagers(managers: Managers, pathIn: ReplicasPath): Managers {
  const out = new Map<string, ManagedEntry>();
  for (const entry of managers.values()) {
    if (!includes(entry.fields, pathIn(entry.apiVersion) ?? [])) continue;
    const moved = { ...entry, apiVersion: SCALE, fields: REPLICAS_FIELDS };
    out.set(identityOf(moved), moved);
  }
  return out;
}

/**
 * The object's entries after its Scale was written: who owns replicas there no longer owns them here, and who has come to own them
 * there owns them here, in the version of the request.
 */
export function managersAfterScale(
  managers: Managers,
  scale: Managers,
  apiVersion: string,
  pathIn: ReplicasPath,
): Managers {
  const owners = new Map<string, ManagedEntry>();
  for (const entry of scale.values()) if (includes(entry.fields, REPLICAS)) owners.set(wayOf(entry), entry);
  const out = new Map<string, ManagedEntry>();
  for (const [identity, entry] of managers) {
    const path = pathIn(entry.apiVersion);
    if (path === undefined) continue;
    if (!includes(entry.fields, path) || owners.delete(wayOf(entry))) {
      out.set(identity, entry);
      continue;
    }
    const fields = difference(entry.fields, setOfPath(path));
    if (fields) out.set(identity, { ...entry, fields });
  }
  const fields = setOfPath(pathIn(apiVersion) ?? []);
  for (const entry of owners.values()) {
    const moved = { ...entry, apiVersion, fields };
    out.set(identityOf(moved), moved);
  }
  return out;
}
