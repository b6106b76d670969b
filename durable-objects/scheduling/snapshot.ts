import type { PodFacts } from "./pod-facts.ts";
import { addResources, noResources, parseResources, type Resources } from "./resources.ts";
import type { Taint } from "./tolerations.ts";

/** A node and what its pods take of it. */
export interface NodeState {
  readonly name: string;
  /** Missing where pods are bound to a node that does not exist (yet, or any more). */
  node: NodeFacts | undefined;
  used: Resources;
  scored: { milliCpu: number; memory: number };
  /** How many pods take each port: `TCP/80` → ip → count. */
  ports: Map<string, Map<string, number>>;
  pods: Map<string, PodFacts>;
  /** Pods that have run to their end: they take nothing, but go when the node goes. */
  finished: Map<string, PodFacts>;
  /** Goes up with every change: what was decided before it has to be looked at again. */
  version: number;
}

/** What is kept of a Node. */
export interface NodeFacts {
  name: string;
  uid: string;
  labels: Record<string, string>;
  taints: Taint[];
  unschedulable: boolean;
  ready: boolean;
  allocatable: Resources;
  podsMax: number;
  /** Equal for two states of a node between which nothing changed that placing pods depends on. */
  fingerprint: string;
}

export function nodeFacts(node: any): NodeFacts {
  const { metadata, spec, status } = node;
  const labels = metadata.labels ?? {};
  const taints = spec?.taints ?? [];
  const unschedulable = Boolean(spec?.unschedulable);
  const allocatable = status?.allocatable;
  return {
    name: metadata.name,
    uid: metadata.uid,
    labels,
    taints,
    unschedulable,
    ready: Boolean(status?.conditions?.some((c: any) => c.type === "Ready" && c.status === "True")),
    allocatable: parseResources(allocatable),
    podsMax: Number(allocatable?.pods ?? 0),
    fingerprint: JSON.stringify([labels, taints, unschedulable, allocatable]),
  };
}

/** Nodes, and the pods on them. Kept up to date event by event: nothing here costs more than the change it is told of. */
export class Snapshot {
  readonly #states = new Map<string, NodeState>();
  readonly #placed = new Map<string, { facts: PodFacts; state: NodeState }>();
  readonly #missing = new Set<NodeState>();
  #list: NodeState[] | undefined;

  /** The nodes that exist, in a steady order. */
  get nodes(): readonly NodeState[] {
    this.#list ??= [...this.#states.values()].filter((state) => state.node);
    return this.#list;
  }

  /** Nodes that do not exist (yet, or any more), though pods are bound to them. */
  get missing(): Iterable<NodeState> {
    return this.#missing;
  }

  node(name: string): NodeState | undefined {
    return this.#states.get(name);
  }

  /** The node that this pod is counted on. */
  placeOf(key: string): { facts: PodFacts; state: NodeState } | undefined {
    return this.#placed.get(key);
  }

  setNode(node: NodeFacts): void {
    const state = this.#stateOf(node.name);
    if (!state.node) this.#list = undefined;
    this.#missing.delete(state);
    state.node = node;
    state.version++;
  }

  removeNode(name: string): void {
    const state = this.#states.get(name);
    if (!state?.node) return;
    state.node = undefined;
    state.version++;
    this.#list = undefined;
    this.#missing.add(state);
    this.#dropIfEmpty(state);
  }

  /** Counts the pod on the node, and nowhere else. */
  place(facts: PodFacts, nodeName: string): void {
    this.remove(facts.key);
    const state = this.#stateOf(nodeName);
    this.#placed.set(facts.key, { facts, state });
    if (facts.finished) {
      state.finished.set(facts.key, facts);
    } else {
      state.pods.set(facts.key, facts);
      count(state, facts, 1);
    }
  }

  remove(key: string): boolean {
    const placed = this.#placed.get(key);
    if (!placed) return false;
    this.#placed.delete(key);
    if (placed.facts.finished) {
      placed.state.finished.delete(key);
    } else {
      placed.state.pods.delete(key);
      count(placed.state, placed.facts, -1);
    }
    this.#dropIfEmpty(placed.state);
    return true;
  }

  #stateOf(name: string): NodeState {
    let state = this.#states.get(name);
    if (!state) {
      state = {
        name,
        node: undefined,
        used: noResources(),
        scored: { milliCpu: 0, memory: 0 },
        ports: new Map(),
        pods: new Map(),
        finished: new Map(),
        version: 0,
      };
      this.#states.set(name, state);
      this.#missing.add(state);
    }
    return state;
  }

  #dropIfEmpty(state: NodeState): void {
    if (state.node || state.pods.size > 0 || state.finished.size > 0) return;
    this.#states.delete(state.name);
    this.#missing.delete(state);
  }
}

function count(state: NodeState, facts: PodFacts, sign: 1 | -1): void {
  addResources(state.used, facts.requests, sign);
  state.scored.milliCpu += sign * facts.scored.milliCpu;
  state.scored.memory += sign * facts.scored.memory;
  for (const { ip, protocol, port } of facts.hostPorts) {
    const key = `${protocol}/${port}`;
    const taken = state.ports.get(key) ?? new Map<string, number>();
    const left = (taken.get(ip) ?? 0) + sign;
    if (left > 0) taken.set(ip, left);
    else taken.delete(ip);
    if (taken.size > 0) state.ports.set(key, taken);
    else state.ports.delete(key);
  }
  state.version++;
}
