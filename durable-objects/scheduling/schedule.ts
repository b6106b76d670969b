import { fitError } from "./fit-error.ts";
import { type Candidate, FITS, type PodDecision, SCORE_MAX, type Unfit, type Verdict } from "./plugin.ts";
import { PLUGINS } from "./plugins.ts";
import type { PendingPod } from "./pod-facts.ts";
import type { NodeState, Snapshot } from "./snapshot.ts";

export interface Placement {
  pod: PendingPod;
  node: string;
}

export interface Unschedulable {
  pod: PendingPod;
  message: string;
}

export interface ScheduleResult {
  placements: Placement[];
  unschedulable: Unschedulable[];
  /** Where the next search among the nodes starts, so that it is not always the first ones that are looked at. */
  next: number;
}

/** Fewer nodes than this are all looked at; of more, a share that shrinks with their number (upstream's numFeasibleNodesToFind). */
const FEASIBLE_MIN = 100;
const SHARE_MIN = 0.05;

function feasibleWanted(nodes: number): number {
  if (nodes <= FEASIBLE_MIN) return nodes;
  const share = Math.max(SHARE_MIN, (50 - nodes / 125) / 100);
  return Math.max(FEASIBLE_MIN, Math.floor(nodes * share));
}

/** Upstream's PrioritySort: higher priority first, then who waits longest. */
export const byPriority = (a: PendingPod, b: PendingPod): number =>
  b.priority - a.priority || a.created - b.created || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/**
 * Finds a node for each pod, in order of priority, and counts it there in the snapshot (a placement that is refused later
 * has to be removed by the caller). Pods of equal signature share one search: after the first, a pod costs a few
 * comparisons, whatever the number of nodes.
 */
export function schedule(snapshot: Snapshot, pods: readonly PendingPod[], start = 0): ScheduleResult {
  const result: ScheduleResult = { placements: [], unschedulable: [], next: start };
  const searches = new Map<string, Search>();
  for (const pod of pods.toSorted(byPriority)) {
    let search = searches.get(pod.signature);
    if (!search) {
      search = new Search(snapshot, pod, result.next);
      searches.set(pod.signature, search);
    }
    const found = search.take();
    if (typeof found === "string") {
      result.unschedulable.push({ pod, message: found });
    } else {
      snapshot.place(pod, found.name);
      result.placements.push({ pod, node: found.name });
    }
    result.next = search.next;
  }
  return result;
}

interface Ranked {
  candidate: Candidate;
  score: number;
  /** The part of `score` that pods on the node do not change. */
  fixed: number;
  version: number;
  podCount: number;
  order: number;
}

/** The nodes that fit pods of one signature, best first. */
class Search {
  next: number;
  readonly #snapshot: Snapshot;
  readonly #pod: PendingPod;
  readonly #filters: ((candidate: Candidate) => Verdict)[] = [];
  readonly #scores: { weight: number; score(candidate: Candidate): number }[] = [];
  readonly #fixedScores: { weight: number; score(candidate: Candidate): number; fixed: "highest" | "lowest" }[] = [];
  #only: Set<string> | undefined;
  #onlyBy: string[] = [];
  #never: string | undefined;
  readonly #heap: Ranked[] = [];
  /** Nodes only fill up while pods are placed: who found nothing will find nothing. */
  #failure: string | undefined;

  constructor(snapshot: Snapshot, pod: PendingPod, start: number) {
    this.#snapshot = snapshot;
    this.#pod = pod;
    this.next = start;
    for (const { name, weight = 1, forPod } of PLUGINS) {
      const decision = forPod(pod);
      if (decision) this.#add(name, weight, decision);
    }
  }

  #add(name: string, weight: number, { filter, score, fixed, only, never }: PodDecision): void {
    if (filter) this.#filters.push(filter);
    if (score && fixed) this.#fixedScores.push({ weight, score, fixed });
    else if (score) this.#scores.push({ weight, score });
    if (only) {
      const before = this.#only;
      this.#only = before ? new Set([...only].filter((node) => before.has(node))) : only;
      this.#onlyBy.push(name);
    }
    this.#never ??= never;
  }

  /** The best node, or why there is none. */
  take(): Candidate | string {
    if (this.#failure !== undefined) return this.#failure;
    for (;;) {
      const best = pop(this.#heap);
      if (!best) {
        this.#failure = this.#collect();
        if (this.#failure !== undefined) return this.#failure;
        continue;
      }
      if (best.version === best.candidate.version) {
        // Its score is known to be stale as soon as the pod is counted there; it is ranked anew when it is on top again.
        push(this.#heap, best);
        return best.candidate;
      }
      if (this.#verdict(best.candidate) === FITS) push(this.#heap, this.#rank(best.candidate, best.fixed, best.order));
    }
  }

  /** Looks for nodes that fit; answers why if there is none. */
  #collect(): string | undefined {
    const nodes = this.#only ? this.#named(this.#only) : this.#snapshot.nodes;
    const nodesTotal = this.#snapshot.nodes.length;
    const preemptionPolicy = this.#pod.spec.preemptionPolicy;
    const never = this.#never;
    if (never) return fitError({ nodesTotal, verdicts: [], never, preemptionPolicy });

    const wanted = feasibleWanted(nodes.length);
    const found: Candidate[] = [];
    const verdicts: Unfit[] = [];
    const first = nodes.length > 0 ? this.next % nodes.length : 0;
    let looked = 0;
    for (; looked < nodes.length && found.length < wanted; looked++) {
      const candidate = nodes[(first + looked) % nodes.length] as Candidate;
      const verdict = this.#verdict(candidate);
      if (verdict) verdicts.push(verdict);
      else found.push(candidate);
    }
    if (found.length === 0) {
      const absent = this.#only && {
        count: nodesTotal - nodes.length,
        reason: `node(s) didn't satisfy plugin(s) [${this.#onlyBy.join(" ")}]`,
      };
      return fitError({ nodesTotal, verdicts, preemptionPolicy, ...(absent && { absent }) });
    }
    if (!this.#only) this.next = first + looked;
    const fixed = this.#scoreFixed(found);
    found.forEach((candidate, order) => {
      push(this.#heap, this.#rank(candidate, fixed[order]!, order));
    });
    return undefined;
  }

  #named(names: Set<string>): NodeState[] {
    return [...names]
      .map((name) => this.#snapshot.node(name))
      .filter((state) => state !== undefined && state.node !== undefined) as NodeState[];
  }

  #verdict(candidate: Candidate): Verdict {
    for (const filter of this.#filters) {
      const verdict = filter(candidate);
      if (verdict !== FITS) return verdict;
    }
    return FITS;
  }

  #scoreFixed(found: Candidate[]): number[] {
    const totals = new Array<number>(found.length).fill(0);
    for (const { weight, score, fixed } of this.#fixedScores) {
      const raw = found.map((candidate) => score(candidate));
      let highest = 0;
      for (const value of raw) highest = Math.max(highest, value);
      raw.forEach((value, i) => {
        const share = highest === 0 ? 0 : Math.floor((value * SCORE_MAX) / highest);
        totals[i]! += weight * (fixed === "lowest" ? SCORE_MAX - share : share);
      });
    }
    return totals;
  }

  #rank(candidate: Candidate, fixed: number, order: number): Ranked {
    let score = fixed;
    for (const one of this.#scores) score += one.weight * one.score(candidate);
    return { candidate, score, fixed, order, version: candidate.version, podCount: candidate.pods.size };
  }
}

/** Higher score first; of equals the one with fewer pods, so that they take turns. */
const isBetter = (a: Ranked, b: Ranked): boolean =>
  a.score !== b.score ? a.score > b.score : a.podCount !== b.podCount ? a.podCount < b.podCount : a.order < b.order;

function push(heap: Ranked[], ranked: Ranked): void {
  let at = heap.length;
  heap.push(ranked);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBetter(ranked, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = ranked;
}

function pop(heap: Ranked[]): Ranked | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (!top || !last || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBetter(heap[child + 1]!, heap[child]!)) child++;
    if (!isBetter(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return top;
}
