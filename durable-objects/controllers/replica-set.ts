import { sameJson } from "../../api/equality.ts";
import { Pod, type PodObject } from "../../api/kinds/pod.ts";
import { ReplicaSet, type ReplicaSetObject } from "../../api/kinds/replica-set.ts";
import { labelSelectorMatcher } from "../../api/selector.ts";
import { claim } from "./claim.ts";
import { type Condition, findCondition, withCondition, withoutCondition } from "./conditions.ts";
import { type Context, controllerOf, defineController, type Plan, type View, type Write } from "./controller.ts";
import { deletionOrder } from "./pod-deletion-order.ts";
import { podFromTemplate } from "./pod-from-template.ts";
import { availableIn, isActive, isReady, isTerminal, isTerminating } from "./pod-state.ts";

/** Pods created or deleted in one pass: a huge change of scale becomes many short transactions. */
const BURST_MAX = 50;
/** A name drawn by lot is drawn again where it is taken, as often as this. */
const NAME_DRAWS_MAX = 8;

/** Keeps the number of live pods equal to spec.replicas. */
export const replicaSet = defineController<ReplicaSetObject>({
  name: "replicaset-controller",
  for: ReplicaSet,
  owns: [Pod],
  watches: [
    {
      kind: Pod,
      // One that nobody controls may be adopted; those that somebody does come by `owns`.
      concerns(pod: Readonly<PodObject>, _previous, view) {
        if (controllerOf(pod) || !isActive(pod)) return [];
        return view
          .list(ReplicaSet)
          .filter(({ spec }) => labelSelectorMatcher(spec.selector).matches(pod.metadata.labels))
          .map(({ metadata }) => metadata.name);
      },
    },
  ],

  reconcile(set, view, context) {
    const selector = labelSelectorMatcher(set.spec.selector);
    const { claimed, writes } = claim(view, Pod, set, ReplicaSet, selector, isActive);
    const isLeaving = Boolean(set.metadata.deletionTimestamp);
    const desired = set.spec.replicas ?? 1;
    const missing = isLeaving || context.terminating ? 0 : Math.max(0, desired - claimed.length);
    const surplus = isLeaving ? 0 : Math.max(0, claimed.length - desired);

    for (const pod of newPods(set, Math.min(missing, BURST_MAX), view, context))
      writes.push(
        { op: "create", kind: Pod, object: pod },
        said(set, "SuccessfulCreate", `Created pod: ${pod.metadata.name}`),
      );
    const leaving =
      surplus === 0
        ? []
        : deletionOrder(claimed, relatedPods(set, view), context.now).slice(0, Math.min(surplus, BURST_MAX));
    for (const pod of leaving)
      writes.push(
        { op: "delete", kind: Pod, name: pod.metadata.name, ...(pod.metadata.uid && { uid: pod.metadata.uid }) },
        said(set, "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`),
      );

    const kept = leaving.length === 0 ? claimed : claimed.filter((pod) => !leaving.includes(pod));
    const counts = countReplicas(set, kept, terminatingPods(set, view) + leaving.filter(isPlaced).length, context.now);
    const created = Math.min(missing, BURST_MAX);
    const status = {
      ...counts.status,
      replicas: kept.length + created,
      // New pods have the template's labels.
      fullyLabeledReplicas: counts.status.fullyLabeledReplicas + created,
    };
    const conditions = withoutCondition(set.status?.conditions as Condition[] | undefined, "ReplicaFailure");
    pushStatus(writes, set, status, conditions);
    if (missing > BURST_MAX || surplus > BURST_MAX) return { writes, again: { inSeconds: 0 } };
    return { writes, ...(counts.nextCheck && { again: { inSeconds: counts.nextCheck / 1_000 } }) };
  },

  refused({ write, message }, set, view, context): Plan {
    if (context.terminating) return { writes: [] };
    const isCreate = write.op === "create";
    const writes: Write[] = [];
    if (isCreate) writes.push(said(set, "FailedCreate", `Error creating: ${message}`, "Warning"));
    else if (write.op === "delete") writes.push(said(set, "FailedDelete", `Error deleting: ${message}`, "Warning"));
    const pods = view.list(Pod, { ownedBy: set }).filter(isActive);
    const conditions = set.status?.conditions as Condition[] | undefined;
    const failure: Condition = {
      type: "ReplicaFailure",
      status: "True",
      lastTransitionTime: context.timestamp,
      reason: isCreate ? "FailedCreate" : "FailedDelete",
      message,
    };
    const { status } = countReplicas(set, pods, terminatingPods(set, view), context.now);
    pushStatus(
      writes,
      set,
      status,
      // As upstream, the first failure stays told until it is over.
      findCondition(conditions, "ReplicaFailure") ? [...conditions!] : withCondition(conditions, failure),
    );
    return { writes };
  },
});

const said = (
  about: Readonly<ReplicaSetObject>,
  reason: string,
  message: string,
  type: "Normal" | "Warning" = "Normal",
): Write => ({
  op: "event",
  about,
  type,
  reason,
  message,
});

const isPlaced = (pod: Readonly<PodObject>): boolean => Boolean(pod.spec.nodeName);

function newPods(set: Readonly<ReplicaSetObject>, count: number, view: View, context: Context): PodObject[] {
  const pods: PodObject[] = [];
  const taken = new Set<string>();
  for (let draws = 0; pods.length < count && draws < count + NAME_DRAWS_MAX; draws++) {
    const pod = podFromTemplate(set.spec.template ?? {}, set, ReplicaSet, context.suffix());
    const { name } = pod.metadata;
    if (taken.has(name) || view.get(Pod, name)) continue;
    taken.add(name);
    pods.push(pod);
  }
  return pods;
}

/** The pods of all replica sets of the same Deployment (of this one alone where there is none). */
function relatedPods(set: Readonly<ReplicaSetObject>, view: View): Readonly<PodObject>[] {
  const owner = controllerOf(set);
  if (!owner) return [...view.list(Pod, { ownedBy: set })];
  return view
    .list(ReplicaSet, { ownedBy: { metadata: { uid: owner.uid } } })
    .flatMap((related) => [...view.list(Pod, { ownedBy: related })]);
}

const terminatingPods = (set: Readonly<ReplicaSetObject>, view: View): number =>
  view.list(Pod, { ownedBy: set }).filter((pod) => isTerminating(pod) && !isTerminal(pod)).length;

function countReplicas(
  set: Readonly<ReplicaSetObject>,
  pods: readonly Readonly<PodObject>[],
  terminating: number,
  now: number,
) {
  const wanted = Object.entries((set.spec.template?.metadata?.labels ?? {}) as Record<string, string>);
  let fullyLabeledReplicas = 0;
  let readyReplicas = 0;
  let availableReplicas = 0;
  /** Milliseconds until the next ready pod becomes available. */
  let nextCheck = 0;
  for (const pod of pods) {
    if (wanted.every(([key, value]) => pod.metadata.labels?.[key] === value)) fullyLabeledReplicas++;
    if (isReady(pod)) readyReplicas++;
    const wait = availableIn(pod, set.spec.minReadySeconds ?? 0, now);
    if (wait === 0) availableReplicas++;
    else if (wait !== undefined && (nextCheck === 0 || wait < nextCheck)) nextCheck = wait;
  }
  const status = {
    replicas: pods.length,
    fullyLabeledReplicas,
    readyReplicas,
    availableReplicas,
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation ?? 0,
  };
  return { status, nextCheck };
}

type Counts = ReturnType<typeof countReplicas>["status"];

/** Zero counts other than `replicas` are left out, as Go's omitempty does; `terminatingReplicas` is a pointer there. */
function pushStatus(writes: Write[], set: Readonly<ReplicaSetObject>, counts: Counts, conditions: Condition[]): void {
  const { replicas, terminatingReplicas, ...others } = counts;
  const status = {
    replicas,
    ...Object.fromEntries(Object.entries(others).filter(([, count]) => count !== 0)),
    terminatingReplicas,
    ...(conditions.length > 0 && { conditions }),
  };
  if (sameJson(set.status, status)) return;
  writes.push({ op: "updateStatus", kind: ReplicaSet, object: { ...set, status } });
}
