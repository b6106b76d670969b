import type { IContainer } from "kubernetes-models/v1/Container";
import type { IProbe } from "kubernetes-models/v1/Probe";
import type { ProbeVerdict } from "../pod-actions-view.ts";
import { type ProbeTarget, runProbe } from "./probe.ts";
import type { ProbeResult } from "./probe-result.ts";

export type ProbeType = "startup" | "readiness" | "liveness";

const DEFAULTS = { period: 10, failureThreshold: 3, successThreshold: 1 } as const;

export interface ProbedContainer {
  id: string;
  container: IContainer;
  /** Milliseconds since 1970. */
  startedAt: number;
  ip: string;
  /** It was ready when the agent last spoke of it: it stays so until a probe says otherwise. */
  wasReady: boolean;
  wasStarted: boolean;
}

export interface ProberOptions {
  runtime: ProbeTarget["runtime"];
  now(): number;
  /** A verdict of this container changed. */
  onChange(): void;
  /** One probe failed, or could not be made. */
  onUnhealthy(container: string, type: ProbeType, result: ProbeResult): void;
  /** Replaced in tests. */
  run?: (probe: IProbe, target: ProbeTarget) => Promise<ProbeResult>;
}

/** Probes the running containers of one pod. */
export class Prober {
  readonly #options: ProberOptions;
  readonly #probed = new Map<string, ContainerProbes>();

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Containers with probes only; these run now, and no others. */
  sync(containers: readonly ProbedContainer[]): void {
    const ids = new Set(containers.map(({ id }) => id));
    for (const [id, probes] of this.#probed) {
      if (ids.has(id)) continue;
      probes.stop();
      this.#probed.delete(id);
    }
    for (const probed of containers) {
      if (!this.#probed.has(probed.id)) this.#probed.set(probed.id, new ContainerProbes(probed, this.#options));
    }
  }

  verdicts(): ReadonlyMap<string, ProbeVerdict> {
    return new Map([...this.#probed].map(([id, { verdict }]) => [id, verdict]));
  }

  stop(): void {
    this.sync([]);
  }
}

export const hasProbes = (container: IContainer): boolean =>
  Boolean(container.startupProbe || container.readinessProbe || container.livenessProbe);

class ContainerProbes {
  verdict: ProbeVerdict;
  readonly #probed: ProbedContainer;
  readonly #options: ProberOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(probed: ProbedContainer, options: ProberOptions) {
    this.#probed = probed;
    this.#options = options;
    const { startupProbe, readinessProbe } = probed.container;
    const started = !startupProbe || probed.wasStarted;
    this.verdict = { started, ready: started && (!readinessProbe || probed.wasReady) };
    if (started) this.#begin();
    else this.#schedule("startup", startupProbe!, { successes: 0, failures: 0 });
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Readiness and liveness wait until the container has started. */
  #begin(): void {
    const { readinessProbe, livenessProbe } = this.#probed.container;
    if (readinessProbe) this.#schedule("readiness", readinessProbe, { successes: 0, failures: 0 });
    if (livenessProbe) this.#schedule("liveness", livenessProbe, { successes: 0, failures: 0 });
  }

  #schedule(type: ProbeType, probe: IProbe, counts: { successes: number; failures: number }, again = false): void {
    if (this.#stopped) return;
    const { now } = this.#options;
    const first = this.#probed.startedAt + (probe.initialDelaySeconds ?? 0) * 1000;
    const wait = again ? (probe.periodSeconds ?? DEFAULTS.period) * 1000 : Math.max(first - now(), 0);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#probe(type, probe, counts);
    }, wait);
    this.#timers.add(timer);
  }

  async #probe(type: ProbeType, probe: IProbe, counts: { successes: number; failures: number }): Promise<void> {
    const { runtime, onUnhealthy, run = runProbe } = this.#options;
    const { id, container, ip } = this.#probed;
    const result = await run(probe, { runtime, containerId: id, container, ip });
    if (this.#stopped) return;
    if (result.outcome !== "success") onUnhealthy(container.name, type, result);
    if (result.outcome === "success") {
      counts.successes++;
      counts.failures = 0;
    } else if (result.outcome === "failure") {
      counts.failures++;
      counts.successes = 0;
    }
    if (this.#decide(type, probe, counts)) this.#schedule(type, probe, counts, true);
  }

  /** False: this probe has said its last word about this container. */
  #decide(type: ProbeType, probe: IProbe, { successes, failures }: { successes: number; failures: number }): boolean {
    const passed = successes >= (probe.successThreshold ?? DEFAULTS.successThreshold);
    const failed = failures >= (probe.failureThreshold ?? DEFAULTS.failureThreshold);
    if (type === "readiness") {
      if (passed || failed) this.#set({ ...this.verdict, ready: passed });
      return true;
    }
    if (failed) {
      this.#set({ ...this.verdict, failed: type });
      return false;
    }
    if (type === "startup" && passed) {
      this.#set({ started: true, ready: !this.#probed.container.readinessProbe });
      this.#begin();
      return false;
    }
    return true;
  }

  #set(verdict: ProbeVerdict): void {
    const { started, ready, failed } = this.verdict;
    this.verdict = verdict;
    if (started !== verdict.started || ready !== verdict.ready || failed !== verdict.failed) this.#options.onChange();
  }
}
