import { expect, test } from "vitest";
import { Deployment, type DeploymentObject } from "../../api/kinds/deployment.ts";
import { EndpointSlice } from "../../api/kinds/endpoint-slice.ts";
import { Event } from "../../api/kinds/event.ts";
import { Pod, type PodObject } from "../../api/kinds/pod.ts";
import { ReplicaSet } from "../../api/kinds/replica-set.ts";
import { Service } from "../../api/kinds/service.ts";
import { deployment } from "../../durable-objects/controllers/deployment.ts";
import { draftOf } from "../../durable-objects/controllers/deployment-replica-sets.ts";
import { fenceposts, isScalingEvent } from "../../durable-objects/controllers/deployment-scaling.ts";
import { endpointSlice } from "../../durable-objects/controllers/endpoint-slice.ts";
import { garbageCollector } from "../../durable-objects/controllers/garbage-collector.ts";
import { isActive, isReady, isTerminal } from "../../durable-objects/controllers/pod-state.ts";
import { replicaSet } from "../../durable-objects/controllers/replica-set.ts";
import { type TestHome, testHome } from "../support/loop-home.ts";
import { service } from "../support/workload-objects.ts";

const SEEDS = 100;
const STEPS = 30;
/** Steps without disturbance after which all must be as declared. */
const SETTLING_STEPS_MAX = 200;

/** mulberry32: small, seeded, good enough to choose steps. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const web = (replicas: number, maxSurge: number | string, maxUnavailable: number | string): DeploymentObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas,
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 2,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "web:1" }] },
    },
  },
});

const ready = (pod: PodObject, is: boolean, now: number): void => {
  const podIP = `10.0.0.${pod.metadata.name}`;
  pod.status = {
    ...pod.status,
    phase: "Running",
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: [{ type: "Ready", status: is ? "True" : "False", lastTransitionTime: new Date(now).toISOString() }],
  } as NonNullable<PodObject["status"]>;
};

class Simulation {
  readonly home: TestHome = testHome();
  readonly random: () => number;
  #loop: ReturnType<TestHome["loop"]>;
  #image = 1;

  constructor(seed: number) {
    this.random = randomFrom(seed);
    this.#loop = this.#newLoop();
    this.home.create(service("web", { ports: [{ port: 80, targetPort: 8080 }] }), Service);
    const surge = Math.floor(this.random() * 3);
    this.home.create(
      web(1 + Math.floor(this.random() * 8), surge, surge === 0 ? 1 : Math.floor(this.random() * 3)),
      Deployment,
    );
  }

  #newLoop() {
    const controllers = [deployment, replicaSet, endpointSlice, garbageCollector];
    return this.home.loop(controllers, [Deployment, ReplicaSet, Pod, Service, EndpointSlice, Event], this.random);
  }

  get deployment(): DeploymentObject {
    return this.home.get(Deployment, "web")!;
  }

  /** Addresses that the Service sends to. */
  get serving(): string[] {
    return this.home
      .list(EndpointSlice)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .flatMap(({ addresses, conditions }) => (conditions?.ready ? addresses : []))
      .sort();
  }

  pass(): void {
    if (!this.home.get(Deployment, "web")) {
      expect(this.#loop.run(this.home.now).failures).toEqual([]);
      return;
    }
    const isScaling = isScalingEvent(
      this.deployment,
      this.home.list(ReplicaSet).map((set) => draftOf(set)),
    );
    const before = this.home.list(Pod).filter((pod) => isActive(pod) && isReady(pod)).length;
    const report = this.#loop.run(this.home.now);
    expect(report.failures).toEqual([]);
    const pods = this.home.list(Pod).filter(isActive);
    const after = pods.filter(isReady).length;
    const { maxUnavailable } = fenceposts(this.deployment);
    const least = this.deployment.spec.replicas! - maxUnavailable;
    // What the controllers take away never brings the number of ready pods below what is promised (a change of
    // spec.replicas in the middle of a rollout shrinks all sets in proportion, ready or not).
    if (after < before && !isScaling) expect(after).toBeGreaterThanOrEqual(least);
    // No more is asked for than the surge allows (one scaled down meanwhile goes as its pods do).
    const asked = this.home.list(ReplicaSet).reduce((sum, { spec }) => sum + spec.replicas!, 0);
    if (this.#loop.nextDueAt() !== 0) {
      expect(asked).toBeLessThanOrEqual(this.deployment.spec.replicas! + fenceposts(this.deployment).maxSurge);
      expect(pods.length).toBeLessThanOrEqual(asked);
      const addresses = pods.filter(isReady).map(({ status }) => status?.podIP ?? "");
      expect(this.serving).toEqual(addresses.sort());
    }
  }

  /** What nodes do: place, start, finish off. */
  kubelet(isCalm: boolean): void {
    for (const pod of this.home.list(Pod)) {
      if (this.random() < 0.5) continue;
      const { name } = pod.metadata;
      if (pod.metadata.deletionTimestamp) this.home.remove(Pod, name);
      else if (isTerminal(pod)) continue;
      else if (!pod.spec.nodeName) this.home.change(Pod, name, (p) => (p["spec"].nodeName = "n1"));
      else if (!isReady(pod)) this.home.change(Pod, name, (p) => ready(p as PodObject, true, this.home.now));
      else if (!isCalm && this.random() < 0.1)
        this.home.change(Pod, name, (p) => ready(p as PodObject, false, this.home.now));
    }
  }

  disturb(): void {
    const pods = this.home.list(Pod);
    const pod = pods[Math.floor(this.random() * pods.length)];
    const choice = this.random();
    if (choice < 0.15)
      this.home.change(
        Deployment,
        "web",
        (d) => (d["spec"].template.spec.containers[0].image = `web:${++this.#image}`),
      );
    else if (choice < 0.25)
      this.home.change(
        Deployment,
        "web",
        (d) => (d["spec"].template.spec.containers[0].image = `web:${Math.max(1, this.#image - 1)}`),
      );
    else if (choice < 0.35)
      this.home.change(Deployment, "web", (d) => (d["spec"].replicas = Math.floor(this.random() * 9)));
    else if (choice < 0.4) this.home.change(Deployment, "web", (d) => (d["spec"].paused = !d["spec"].paused));
    else if (choice < 0.5 && pod) this.home.remove(Pod, pod.metadata.name);
    else if (choice < 0.55 && pod)
      this.home.change(Pod, pod.metadata.name, (p) => (p["status"] = { ...p["status"], phase: "Failed" }));
    else if (choice < 0.65) this.#loop = this.#newLoop(); // Killed: all it had in memory is gone.
  }

  step(isCalm: boolean): void {
    this.home.now += Math.floor(this.random() * 3_000);
    if (!isCalm) this.disturb();
    if (this.random() < 0.7) this.kubelet(isCalm);
    // Late, on time, or twice.
    for (let passes = Math.floor(this.random() * 3); passes > 0; passes--) this.pass();
  }

  isSettled(): boolean {
    const { spec, status } = this.deployment;
    const pods = this.home.list(Pod).filter(isActive);
    const { image } = (spec.template.spec as PodObject["spec"]).containers[0]!;
    return (
      pods.length === spec.replicas &&
      pods.every((pod) => isReady(pod) && pod.spec.containers[0]!.image === image) &&
      (status?.updatedReplicas ?? 0) === spec.replicas &&
      (status?.availableReplicas ?? 0) === spec.replicas &&
      (status?.replicas ?? 0) === spec.replicas &&
      status?.observedGeneration === this.deployment.metadata.generation
    );
  }
}

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  "a Deployment comes to what is declared, seed %i",
  (seed) => {
    const simulation = new Simulation(seed);
    for (let step = 0; step < STEPS; step++) simulation.step(false);
    simulation.home.change(Deployment, "web", (d) => (d["spec"].paused = false));
    let steps = 0;
    while (!simulation.isSettled() && steps++ < SETTLING_STEPS_MAX) simulation.step(true);
    expect(simulation.isSettled()).toBe(true);
    for (let step = 0; step < 5; step++) simulation.pass();
    const { revision } = simulation.home.store;
    simulation.pass();
    expect(simulation.home.store.revision, "a settled cluster costs no writes").toBe(revision);
    expect(simulation.home.list(ReplicaSet).length).toBeLessThanOrEqual(3);

    simulation.home.delete(Deployment, "web");
    for (let step = 0; step < SETTLING_STEPS_MAX && simulation.home.list(Pod).length > 0; step++) simulation.step(true);
    simulation.pass();
    expect([...simulation.home.list(ReplicaSet), ...simulation.home.list(Pod)], "what it owned goes with it").toEqual(
      [],
    );
  },
);
