import { sameJson } from "../../api/equality.ts";
import { Node, type NodeObject } from "../../api/kinds/node.ts";
import { type Condition, findCondition } from "./conditions.ts";
import { type Context, type Controller, defineController, type Write } from "./controller.ts";
import { timeOf } from "./pod-state.ts";

/** What the home knows of a node's link. */
export interface Presence {
  connected: boolean;
  /** Milliseconds since 1970 of the last sign of life (of one that is connected: when that began). */
  at: number;
}

/** How long a silent node is still believed (kube-controller-manager's --node-monitor-grace-period). */
export const GRACE_SECONDS = 50;
/** The same for a node that has never been heard of (--node-startup-grace-period). */
export const STARTUP_GRACE_SECONDS = 60;

const NOT_READY = "node.kubernetes.io/not-ready";
const UNREACHABLE = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";
/** Conditions that a node must tell of; a silent one's are unknown. */
const TOLD = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];
/** Conditions that keep pods away while they are True. */
const PRESSURES: Record<string, string> = {
  MemoryPressure: "node.kubernetes.io/memory-pressure",
  DiskPressure: "node.kubernetes.io/disk-pressure",
  PIDPressure: "node.kubernetes.io/pid-pressure",
  NetworkUnavailable: "node.kubernetes.io/network-unavailable",
};
/** The taints that are this controller's; all others are the user's. */
const OWN_NO_SCHEDULE = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURES)]);
const OWN_NO_EXECUTE = new Set([NOT_READY, UNREACHABLE]);

type NodeRef = Readonly<NodeObject>;
type Taint = NonNullable<NonNullable<NodeObject["spec"]>["taints"]>[number];
type NodeCondition = Condition & { lastHeartbeatTime?: string };

/**
 * Declares nodes Unknown that have not been heard of for the grace period, and turns conditions into the taints that keep
 * pods away or drive them off. `presenceOf`: what the home knows of a node's link.
 */
export const nodeLifecycle = (presenceOf: (node: string) => Presence | undefined): Controller<NodeObject> =>
  defineController<NodeObject>({
    name: "node-controller",
    for: Node,
    reconcile(node, _view, context) {
      const silence = silentFrom(node, presenceOf(node.metadata.name));
      const isSilent = silence !== undefined && silence <= context.now;
      const known = (node.status?.conditions ?? []) as NodeCondition[];
      const conditions = isSilent ? unknownConditions(node, known, context) : known;
      const writes: Write[] = [];
      // Taints first: the status then refers to the node as it is stored.
      const taints = wantedTaints(node, conditions, context);
      if (!sameJson(node.spec?.taints, taints))
        writes.push({ op: "update", kind: Node, object: { ...node, spec: { ...node.spec, taints } } });
      if (!sameJson(known, conditions)) {
        const status = { ...node.status, conditions } as NodeObject["status"];
        // The revision is left out: the taints' write has just moved it.
        const { resourceVersion: _, ...metadata } = node.metadata;
        writes.push({ op: "updateStatus", kind: Node, object: { ...node, metadata, status } as NodeObject });
        const wasReady = findCondition(known, "Ready")?.status === "True";
        const { name } = node.metadata;
        if (wasReady)
          writes.push({
            op: "event",
            about: node,
            type: "Normal",
            reason: "NodeNotReady",
            message: `Node ${name} status is now: NodeNotReady`,
          });
      }
      if (silence === undefined || isSilent) return { writes };
      return { writes, again: { inSeconds: (silence - context.now) / 1_000 } };
    },
  });

/** From when on (milliseconds since 1970) the node is not believed any more; undefined while it is connected. */
function silentFrom({ metadata }: NodeRef, presence: Presence | undefined): number | undefined {
  if (presence?.connected) return undefined;
  if (presence) return presence.at + GRACE_SECONDS * 1_000;
  return (timeOf(metadata.creationTimestamp) ?? 0) + STARTUP_GRACE_SECONDS * 1_000;
}

function unknownConditions(
  { metadata }: NodeRef,
  known: readonly NodeCondition[],
  { timestamp }: Context,
): NodeCondition[] {
  const conditions = known.map((condition): NodeCondition => {
    if (!TOLD.includes(condition.type) || condition.status === "Unknown") return condition;
    return {
      ...condition,
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastTransitionTime: timestamp,
    };
  });
  for (const type of TOLD)
    if (!findCondition(conditions, type))
      conditions.push({
        type,
        status: "Unknown",
        reason: "NodeStatusNeverUpdated",
        message: "Kubelet never posted node status.",
        lastHeartbeatTime: metadata.creationTimestamp ?? timestamp,
        lastTransitionTime: timestamp,
      });
  return conditions;
}

function wantedTaints({ spec }: NodeRef, conditions: readonly NodeCondition[], { timestamp }: Context): Taint[] {
  const known = spec?.taints ?? [];
  const ready = findCondition(conditions, "Ready")?.status;
  const wanted: Pick<Taint, "key" | "effect">[] = [];
  const unreadiness =
    ready === "True" ? undefined : ready === "False" ? NOT_READY : ready === "Unknown" ? UNREACHABLE : undefined;
  // A node that has said nothing yet was given its not-ready taint by admission; it stays.
  if (ready === undefined) wanted.push(...known.filter(({ key }) => key === NOT_READY));
  if (unreadiness) wanted.push({ key: unreadiness, effect: "NoSchedule" });
  for (const [type, key] of Object.entries(PRESSURES))
    if (findCondition(conditions, type)?.status === "True") wanted.push({ key, effect: "NoSchedule" });
  if (spec?.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: "NoSchedule" });
  if (unreadiness) wanted.push({ key: unreadiness, effect: "NoExecute" });
  const isOwn = ({ key, effect }: Taint): boolean =>
    (effect === "NoSchedule" && OWN_NO_SCHEDULE.has(key)) || (effect === "NoExecute" && OWN_NO_EXECUTE.has(key));
  const same = (a: Pick<Taint, "key" | "effect">, b: Pick<Taint, "key" | "effect">) =>
    a.key === b.key && a.effect === b.effect;
  return [
    ...known.filter((taint) => !isOwn(taint) || wanted.some((other) => same(taint, other))),
    ...wanted
      .filter((taint) => !known.some((other) => same(taint, other)))
      .map(({ key, effect }) => ({ key, effect, timeAdded: timestamp })),
  ];
}
