import { ageSince } from "../duration.ts";
import type { Column } from "../kind.ts";
import { AGE } from "../table.ts";
import type { PodObject } from "./pod-object.ts";

type ContainerStatus = NonNullable<NonNullable<PodObject["status"]>["containerStatuses"]>[number];
type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

interface Summary {
  ready: number;
  total: number;
  reason: string;
  restarts: number;
  /** When a container last ended, to be restarted: RFC 3339, or empty. */
  lastRestart: string;
}

/** What kubectl says of a pod in one line (printPod of pkg/printers/internalversion). */
export function summarize(pod: PodObject): Summary {
  const { spec, status = {} } = pod;
  const sidecars = new Set(
    (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  let reason: string = status.reason || status.phase || "";
  const gated = status.conditions?.some(
    ({ type, reason: why }) => type === "PodScheduled" && why === "SchedulingGated",
  );
  if (gated) reason = "SchedulingGated";

  let ready = 0;
  let all = new Restarts();
  const ofSidecars = new Restarts();
  let initializing = false;
  for (const [i, container] of (status.initContainerStatuses ?? []).entries()) {
    const sidecar = sidecars.has(container.name);
    all.add(container);
    if (sidecar) ofSidecars.add(container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecar && container.started) {
      if (container.ready) ready++;
      continue;
    }
    initializing = true;
    if (terminated) reason = `Init:${reasonOf(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") reason = `Init:${waiting.reason}`;
    else reason = `Init:${i}/${spec.initContainers?.length ?? 0}`;
    break;
  }

  const initialized = status.conditions?.find(({ type }) => type === "Initialized")?.status === "True";
  if (!initializing || initialized) {
    all = ofSidecars;
    let running = false;
    for (const container of [...(status.containerStatuses ?? [])].reverse()) {
      all.add(container);
      const { waiting, terminated, running: runs } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) reason = reasonOf(terminated);
      else if (container.ready && runs) {
        running = true;
        ready++;
      }
    }
    if (reason === "Completed" && running) {
      const isReady = status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
      reason = isReady ? "Running" : "NotReady";
    }
  }

  if (pod.metadata.deletionTimestamp) {
    if (status.reason === "NodeLost") reason = "Unknown";
    else if (status.phase !== "Succeeded" && status.phase !== "Failed") reason = "Terminating";
  }
  const total = (spec.containers?.length ?? 0) + sidecars.size;
  return { ready, total, reason, restarts: all.count, lastRestart: all.last };
}

class Restarts {
  count = 0;
  last = "";

  add({ restartCount, lastState }: ContainerStatus): void {
    this.count += restartCount ?? 0;
    const ended = lastState?.terminated?.finishedAt ?? "";
    if (ended > this.last) this.last = ended;
  }
}

const reasonOf = ({ reason, signal, exitCode }: Terminated): string =>
  reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);

export const podColumns: Column<PodObject>[] = [
  {
    name: "Ready",
    description: "Ready containers, of all.",
    value(pod) {
      const { ready, total } = summarize(pod);
      return `${ready}/${total}`;
    },
  },
  { name: "Status", description: "The pod's state in a word.", value: (pod) => summarize(pod).reason },
  {
    name: "Restarts",
    description: "How often containers were restarted, and when last.",
    value(pod, now) {
      const { restarts, lastRestart } = summarize(pod);
      return restarts > 0 && lastRestart ? `${restarts} (${ageSince(lastRestart, now)} ago)` : String(restarts);
    },
  },
  AGE,
  {
    name: "IP",
    priority: 1,
    description: "The pod's first address.",
    value: ({ status }) => status?.podIPs?.[0]?.ip || "<none>",
  },
  { name: "Node", priority: 1, description: "Where the pod runs.", value: ({ spec }) => spec.nodeName || "<none>" },
  {
    name: "Nominated Node",
    priority: 1,
    description: "Where the pod will run once others have made room.",
    value: ({ status }) => status?.nominatedNodeName || "<none>",
  },
  {
    name: "Readiness Gates",
    priority: 1,
    description: "Conditions that are true, of those that readiness asks for.",
    value({ spec, status }) {
      const gates = spec.readinessGates ?? [];
      if (gates.length === 0) return "<none>";
      const held = gates.filter(({ conditionType }) =>
        status?.conditions?.some(({ type, status: is }) => type === conditionType && is === "True"),
      );
      return `${held.length}/${gates.length}`;
    },
  },
];
