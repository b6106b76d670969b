import { sameJson } from "../../api/equality.ts";
import type { DeploymentObject } from "../../api/kinds/deployment.ts";
import { Deployment } from "../../api/kinds/deployment.ts";
import type { ReplicaSetObject } from "../../api/kinds/replica-set.ts";
import { SUBDOMAIN_LENGTH_MAX } from "../../api/names.ts";
import { controllerReference } from "./pod-from-template.ts";
import { timeOf } from "./pod-state.ts";

export const POD_TEMPLATE_HASH = "pod-template-hash";
export const REVISION = "deployment.kubernetes.io/revision";
export const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";

/** Not copied from a Deployment to its replica sets. */
const OWN_ANNOTATIONS = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  "deprecated.deployment.rollback.to",
]);
/** Upstream's limit of the revision-history annotation, in characters; the oldest are dropped. */
const REVISION_HISTORY_LENGTH_MAX = 2_000;
const HASH_LETTERS = "bcdfghjklmnpqrstvwxz2456789";

type DeploymentRef = Readonly<DeploymentObject>;
type SetRef = Readonly<ReplicaSetObject>;

/** A replica set as the pass wants it to be. `draft` fields start as `set` has them; what differs at the end is written. */
export interface Draft {
  readonly set: SetRef;
  /** It does not exist yet. */
  readonly isCreated: boolean;
  replicas: number;
  annotations: Record<string, string>;
  minReadySeconds: number;
}

export const draftOf = (set: SetRef, isCreated = false): Draft => ({
  set,
  isCreated,
  replicas: set.spec.replicas ?? 1,
  annotations: { ...set.metadata.annotations },
  minReadySeconds: set.spec.minReadySeconds ?? 0,
});

/** The object to write; undefined where nothing has changed. */
export function changedSet({
  set,
  isCreated,
  replicas,
  annotations,
  minReadySeconds,
}: Draft): ReplicaSetObject | undefined {
  const isSame =
    (set.spec.replicas ?? 1) === replicas &&
    (set.spec.minReadySeconds ?? 0) === minReadySeconds &&
    sameJson(set.metadata.annotations, annotations);
  if (isSame && !isCreated) return undefined;
  return {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: {
      ...set.spec,
      replicas,
      ...((minReadySeconds !== 0 || set.spec.minReadySeconds !== undefined) && { minReadySeconds }),
    },
  };
}

/** By age, the oldest first; those of one second by name. */
export const byAge = (a: { set: SetRef }, b: { set: SetRef }): number =>
  (timeOf(a.set.metadata.creationTimestamp) ?? 0) - (timeOf(b.set.metadata.creationTimestamp) ?? 0) ||
  (a.set.metadata.name < b.set.metadata.name ? -1 : 1);

/** The revision annotation; 0 where there is none. */
export const revisionOf = ({ annotations }: Pick<Draft, "annotations">): number =>
  /^\d{1,15}$/.test(annotations[REVISION] ?? "") ? Number(annotations[REVISION]) : 0;

/** Whether two pod templates are the same but for the hash label. */
export function sameTemplate(a: unknown, b: unknown): boolean {
  return sameJson(withoutHash(a), withoutHash(b));
}

function withoutHash(template: unknown): unknown {
  const { metadata, ...rest } = template as { metadata?: { labels?: Record<string, string> } };
  const { [POD_TEMPLATE_HASH]: _, ...labels } = metadata?.labels ?? {};
  return { ...rest, metadata: { ...metadata, labels } };
}

/** Parts the replica sets into the one of the Deployment's present template (the oldest, as upstream) and all others. */
export function partition(
  deployment: DeploymentRef,
  sets: readonly SetRef[],
): { current: Draft | undefined; old: Draft[] } {
  const drafts = sets.map((set) => draftOf(set)).sort(byAge);
  const current = drafts.find(({ set }) => sameTemplate(set.spec.template, deployment.spec.template));
  return { current, old: drafts.filter((draft) => draft !== current) };
}

/** FNV-1a of the template as JSON with sorted keys, and of the collision count; in letters that make no words. */
export function podTemplateHash(template: unknown, collisionCount: number | undefined): string {
  const text = JSON.stringify(sortKeys(template)) + (collisionCount === undefined ? "" : `#${collisionCount}`);
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => HASH_LETTERS[digit.charCodeAt(0) % HASH_LETTERS.length]).join("");
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, sortKeys(field)]),
  );
}

/** The replica set of the Deployment's present template, not yet scaled. */
export function newReplicaSet(deployment: DeploymentRef): Draft {
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = podTemplateHash(template, deployment.status?.collisionCount);
  const labels = { ...(template.metadata?.labels as Record<string, string> | undefined), [POD_TEMPLATE_HASH]: hash };
  const name = `${deployment.metadata.name.slice(0, SUBDOMAIN_LENGTH_MAX - hash.length - 1)}-${hash}`;
  const set = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      ...(deployment.metadata.namespace && { namespace: deployment.metadata.namespace }),
      labels,
      ownerReferences: [controllerReference(deployment, Deployment)],
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  } satisfies ReplicaSetObject;
  return draftOf(set, true);
}

/** Brings the current set's annotations (the Deployment's own, the revision and its history) and minReadySeconds up to date. */
export function syncCurrent(current: Draft, deployment: DeploymentRef, revision: number): void {
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (!OWN_ANNOTATIONS.has(key)) current.annotations[key] = value;
  const previous = current.annotations[REVISION];
  // Older sets may have been deleted since: a revision never goes back.
  if (revisionOf(current) < revision) {
    current.annotations[REVISION] = String(revision);
    if (previous !== undefined) {
      const history = [...(current.annotations[REVISION_HISTORY]?.split(",") ?? []), previous];
      while (history.join(",").length > REVISION_HISTORY_LENGTH_MAX) history.shift();
      current.annotations[REVISION_HISTORY] = history.join(",");
    }
  }
  current.minReadySeconds = deployment.spec.minReadySeconds ?? 0;
}
