import { expect } from "vitest";
import { Audit, isActive } from "./simulated-audit.ts";
import { ask, isReady, SimulatedNode } from "./simulated-cluster.ts";
import { seeded } from "./simulated-homes.ts";
import { type Classes, SimulatedObjects } from "./simulated-objects.ts";

const OPERATIONS = 18;
/** Of losing something after each single step. */
const CRASH_PROBABILITY = 0.005;
/** Most of what an operation causes happens in so many steps. */
const OPERATION_STEPS = 60;
const NODES = 3;
const NAMESPACES = ["a", "b"];
const NAMES = ["web", "db"];
const PAUSE_MILLISECONDS_MAX = 3_000;
/** Longer than a silent node is believed, and a pod stays on a node that is not ready. */
const LONG_MILLISECONDS = 400_000;
/** Longer than a silent node is believed, shorter than pods stay on it. */
const LOST_MILLISECONDS = 120_000;
const SETTLING_MILLISECONDS_MAX = 1_200_000;
const SETTLING_STEP_MILLISECONDS = 5_000;
const QUIET_MILLISECONDS = 60_000;
/** A simulation that does more hangs. */
const STEPS_MAX = 200_000;

interface Wanted {
  replicas: number;
  image: string;
}

/** What the user was told is so. */
interface Wishes {
  deployments: Map<string, Wanted>;
  services: Set<string>;
}

const deployment = (name: string, { replicas, image }: Wanted, random: () => number) => {
  const maxSurge = Math.floor(random() * 3);
  const rollingUpdate = { maxSurge, maxUnavailable: maxSurge === 0 ? 1 : Math.floor(random() * 2) };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      strategy: { type: "RollingUpdate", rollingUpdate },
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "c", image, resources: { requests: { cpu: "100m" } } }] },
      },
    },
  };
};
const service = (name: string, type: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { type, selector: { app: name }, ports: [{ port: 80 }] },
});

/** A user, nodes, and the cluster that they meet in; all that seems random is the seed's. */
export class Simulation {
  readonly #random: () => number;
  readonly #objects: SimulatedObjects;
  readonly #audit: Audit;
  readonly #nodes: SimulatedNode[];
  readonly #wishes = new Map<string, Wishes>();
  #steps = 0;
  #image = 1;
  #isRough = true;
  #failure: unknown;

  constructor(classes: Classes, seed: number) {
    this.#random = seeded(seed);
    this.#objects = new SimulatedObjects(classes, { NODE_LINK: (name) => this.#linkOf(name) }, this.#random);
    Object.assign(this.#objects.env, { SERVICE_CIDR: "10.96.0.0/24", KUBERNETES_ENDPOINT: "192.168.0.1:6443" });
    this.#audit = new Audit(this.#objects);
    this.#nodes = Array.from({ length: NODES }, (_, i) => new SimulatedNode(this.#objects, `n${i + 1}`, this.#random));
  }

  /** Wishes, losses, and then what should have come of it. */
  run(): Promise<void> {
    return this.#objects.run(async () => {
      this.#start(...this.#nodes.map((node) => node.connect()));
      await this.#pass(2_000);
      for (let i = 0; i < OPERATIONS; i++) {
        const operation = this.#operate();
        this.#start(operation);
        // In the middle of what it causes; the last one so that nobody comes after who would wake what sleeps.
        const isLast = i === OPERATIONS - 1;
        if (isLast || this.#random() < 0.3) {
          for (let steps = this.#random() * OPERATION_STEPS; steps > 0; steps--)
            await this.#step(this.#objects.now + PAUSE_MILLISECONDS_MAX);
          this.#crash(isLast);
        }
        if (isLast) this.#isRough = false;
        await this.#pass(this.#random() * PAUSE_MILLISECONDS_MAX);
        // One user: the next wish follows the answer to the last.
        await this.#until(operation);
      }
      this.#start(...this.#nodes.map((node) => node.connect()));
      await this.#settle();
      this.#check();
      const { rows } = this.#audit;
      await this.#pass(QUIET_MILLISECONDS);
      expect(this.#audit.rows, "a settled cluster costs no writes").toBe(rows);
      this.#checkStored();
    });
  }

  /** A node is lost for longer than it is believed, and comes back before its pods are driven off. */
  runLostNode(): Promise<void> {
    return this.#objects.run(async () => {
      this.#isRough = false;
      this.#start(...this.#nodes.map((node) => node.connect()));
      await this.#do(this.#createNamespace("a"));
      const wanted = { replicas: 6, image: "web:1" };
      const object = deployment("web", wanted, this.#random);
      await this.#do(this.#ask("a", "create", "apps/v1/deployments", { object }));
      await this.#do(this.#ask("a", "create", "services", { object: service("web", "ClusterIP") }));
      this.#wishes.set("a", { deployments: new Map([["web", wanted]]), services: new Set(["web"]) });
      await this.#settle();
      const lost = this.#nodes[0]!;
      const there = () => this.#audit.list("a", "pods").filter(({ spec }) => spec.nodeName === lost.name);
      expect(there().length).toBeGreaterThan(0);

      await this.#do(lost.disconnect());
      await this.#pass(LOST_MILLISECONDS);
      expect(there().filter(isReady)).toEqual([]);
      expect(there().filter(isActive).length, "nobody is evicted yet").toBeGreaterThan(0);
      expect(this.#serving("a", "web").length).toBe(wanted.replicas - there().length);
      expect(this.#serviceComplaint("a", "web")).toBeDefined();

      await this.#do(lost.connect());
      await this.#settle();
      expect(there().length).toBeGreaterThan(0);
      this.#check();
    });
  }

  async #do(work: Promise<unknown>): Promise<void> {
    this.#start(work);
    await this.#until(work);
  }

  #linkOf(name: string): any {
    const node = this.#nodes.find((each) => name.endsWith(`/${each.name}`));
    if (!node) throw new Error(`nobody knows ${name}`);
    return { deliver: (delivery: any) => node.deliver(delivery), isConnected: async () => node.isConnected };
  }

  #start(...work: Promise<unknown>[]): void {
    for (const each of work)
      each.catch((error) => {
        this.#failure ??= error;
      });
  }

  async #step(until: number): Promise<boolean> {
    const stepped = await this.#objects.step(until);
    this.#audit.look();
    if (this.#isRough && this.#random() < CRASH_PROBABILITY) this.#crash();
    if (this.#failure) throw this.#failure;
    expect(this.#audit.complaints).toEqual([]);
    if (++this.#steps > STEPS_MAX) throw new Error("the simulation never rests");
    return stepped;
  }

  async #pass(milliseconds: number): Promise<void> {
    const until = this.#objects.now + milliseconds;
    while (await this.#step(until));
  }

  async #until(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    void work.then(() => {
      isDone = true;
    });
    while (!isDone) await this.#step(this.#objects.now + LONG_MILLISECONDS);
  }

  /** One object is lost, or all of them: workerd was killed. */
  #crash(ofAll = this.#random() < 0.4): void {
    const { living } = this.#objects;
    if (ofAll) for (const key of living) this.#objects.lose(key);
    else if (living.length > 0) this.#objects.lose(this.#pick(living));
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)]!;
  }

  async #ask(namespace: string, verb: any, path: string, more?: object): Promise<{ code: number; body: any }> {
    return await ask(this.#objects, namespace, verb, path, more);
  }

  async #operate(): Promise<void> {
    const namespace = this.#pick(NAMESPACES);
    const name = this.#pick(NAMES);
    const wishes = this.#wishes.get(namespace);
    const choice = this.#random();
    if (choice < 0.16) return await this.#disturbNode();
    if (!wishes) return await this.#createNamespace(namespace);
    if (choice < 0.24) {
      await this.#ask("", "delete", `namespaces/${namespace}`);
      this.#wishes.delete(namespace);
      return;
    }
    if (choice < 0.4) return await this.#operateService(namespace, wishes, name);
    if (choice < 0.46) return await this.#deletePod(namespace);
    await this.#operateDeployment(namespace, wishes, name);
  }

  async #createNamespace(name: string): Promise<void> {
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    // One that is still going has to go first.
    for (let tries = 0; tries < 2_000; tries++) {
      await this.#ask("", "create", "namespaces", { object });
      const there = await this.#ask("", "get", `namespaces/${name}`);
      if (there.code === 200 && !there.body.metadata.deletionTimestamp) {
        this.#wishes.set(name, { deployments: new Map(), services: new Set() });
        return;
      }
      await new Promise<void>((resolve) => this.#objects.later(1_000, resolve));
      if (tries % 60 === 59) for (const node of this.#nodes) await node.connect();
    }
    throw new Error(`namespace ${name} never went`);
  }

  async #operateService(namespace: string, { services }: Wishes, name: string): Promise<void> {
    if (services.has(name)) {
      const { code } = await this.#ask(namespace, "delete", `services/${name}`);
      expect([200, 404]).toContain(code);
      services.delete(name);
      return;
    }
    const object = service(name, this.#pick(["ClusterIP", "NodePort"]));
    const { code, body } = await this.#ask(namespace, "create", "services", { object });
    // Created by an asking whose answer was lost.
    expect([201, 409], JSON.stringify(body)).toContain(code);
    services.add(name);
  }

  async #deletePod(namespace: string): Promise<void> {
    const pods = this.#audit.list(namespace, "pods");
    if (pods.length === 0) return;
    const { code } = await this.#ask(namespace, "delete", `pods/${this.#pick(pods).metadata.name}`);
    expect([200, 404]).toContain(code);
  }

  async #operateDeployment(namespace: string, { deployments }: Wishes, name: string): Promise<void> {
    const path = "apps/v1/deployments";
    const known = deployments.get(name);
    const choice = this.#random();
    if (!known) {
      const wanted = { replicas: 1 + Math.floor(this.#random() * 7), image: `web:${this.#image}` };
      const object = deployment(name, wanted, this.#random);
      const { code, body } = await this.#ask(namespace, "create", path, { object });
      expect([201, 409], JSON.stringify(body)).toContain(code);
      deployments.set(name, wanted);
      return;
    }
    if (choice < 0.2) {
      const { code } = await this.#ask(namespace, "delete", `${path}/${name}`);
      expect([200, 404]).toContain(code);
      deployments.delete(name);
      return;
    }
    const wanted = { ...known };
    if (choice < 0.6) wanted.replicas = Math.floor(this.#random() * 9);
    else wanted.image = `web:${++this.#image}`;
    const { replicas, image } = wanted;
    const spec = { replicas, template: { spec: { containers: [{ name: "c", image }] } } };
    const { code } = await this.#ask(namespace, "patch", `${path}/${name}`, {
      object: { spec },
      patchType: "strategic",
    });
    expect(code).toBe(200);
    deployments.set(name, wanted);
  }

  async #disturbNode(): Promise<void> {
    const node = this.#pick(this.#nodes);
    const choice = this.#random();
    if (!node.isConnected) return await node.connect();
    await node.disconnect();
    if (choice < 0.25) {
      await this.#ask("", "delete", `nodes/${node.name}`);
      return;
    }
    const silence = choice < 0.6 ? this.#random() * 40_000 : LONG_MILLISECONDS * this.#random();
    await new Promise<void>((resolve) => this.#objects.later(silence, resolve));
    if (choice < 0.8) await node.connect();
  }

  async #settle(): Promise<void> {
    const end = this.#objects.now + SETTLING_MILLISECONDS_MAX;
    let rows = -1;
    // As it should be, and nothing going on any more.
    while (this.#complaint() !== undefined || rows !== this.#audit.rows) {
      if (this.#objects.now > end) throw new Error(`not settled: ${this.#complaint() ?? "never quiet"}`);
      rows = this.#audit.rows;
      await this.#pass(SETTLING_STEP_MILLISECONDS);
    }
  }

  /** What is not as the user was told that it is. */
  #complaint(): string | undefined {
    for (const namespace of NAMESPACES) {
      const wishes = this.#wishes.get(namespace);
      const object = this.#audit.objects.get(` namespaces/${namespace}`);
      if (!wishes) {
        if (object) return `namespace ${namespace} is still there`;
        const left = [...this.#audit.objects.keys()].find((key) => key.startsWith(`${namespace} `));
        if (left) return `${left} has outlived its namespace`;
        continue;
      }
      if (object?.status.phase !== "Active") return `namespace ${namespace} is ${object?.status.phase}`;
      for (const [name, wanted] of wishes.deployments) {
        const why = this.#deploymentComplaint(namespace, name, wanted);
        if (why) return `deployment ${namespace}/${name}: ${why}`;
      }
      const names = (resource: string) => this.#audit.list(namespace, resource).map(({ metadata }) => metadata.name);
      if (String(names("deployments.apps").sort()) !== String([...wishes.deployments.keys()].sort()))
        return `deployments of ${namespace}: ${names("deployments.apps")}`;
      if (String(names("services").sort()) !== String([...wishes.services].sort()))
        return `services of ${namespace}: ${names("services")}`;
      const replicas = [...wishes.deployments.values()].reduce((sum, wanted) => sum + wanted.replicas, 0);
      const pods = this.#audit.list(namespace, "pods");
      if (pods.length !== replicas) return `${pods.length} pods in ${namespace}, not ${replicas}`;
      for (const name of wishes.services) {
        const why = this.#serviceComplaint(namespace, name);
        if (why) return `service ${namespace}/${name}: ${why}`;
      }
    }
    const held = this.#audit.all("ipaddresses.networking.k8s.io").map(({ metadata }) => metadata.name);
    const used = this.#audit.all("services").map(({ spec }) => spec.clusterIP);
    if (String(held.sort()) !== String(used.sort())) return `addresses ${held} are held, ${used} used`;
    return undefined;
  }

  #deploymentComplaint(namespace: string, name: string, { replicas, image }: Wanted): string | undefined {
    const object = this.#audit.objects.get(`${namespace} deployments.apps/${name}`);
    if (!object) return "is lost";
    const { spec, status } = object;
    if (spec.replicas !== replicas || spec.template.spec.containers[0].image !== image)
      return "is not what was asked for";
    for (const field of ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"])
      if ((status[field] ?? 0) !== replicas) return `has ${status[field]} ${field}, not ${replicas}`;
    const pods = this.#audit.list(namespace, "pods").filter(({ metadata }) => metadata.labels?.app === name);
    for (const pod of pods) {
      if (!isActive(pod) || !isReady(pod)) return `${pod.metadata.name} does not run`;
      if (pod.spec.containers[0].image !== image) return `${pod.metadata.name} runs ${pod.spec.containers[0].image}`;
    }
    return undefined;
  }

  #serviceComplaint(namespace: string, name: string): string | undefined {
    const ready = this.#audit
      .list(namespace, "pods")
      .filter(({ metadata }) => metadata.labels?.app === name)
      .map(({ status }) => status.podIP);
    const serving = this.#serving(namespace, name);
    if (String(ready.sort()) !== String(serving.sort())) return `sends to ${serving}, not to ${ready}`;
    return undefined;
  }

  #serving(namespace: string, name: string): string[] {
    return this.#audit
      .list(namespace, "endpointslices.discovery.k8s.io")
      .filter(({ metadata }) => metadata.labels["kubernetes.io/service-name"] === name)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .flatMap(({ addresses, conditions }) => (conditions.ready ? addresses : []));
  }

  #check(): void {
    expect(this.#complaint()).toBeUndefined();
    expect(this.#audit.complaints).toEqual([]);
  }

  /** What was seen row by row is what is stored: no revision came after a greater one. */
  #checkStored(): void {
    for (const className of ["CLUSTER_HOME", "NAMESPACE_HOME"]) {
      for (const [name, database] of this.#objects.databases(className)) {
        if ([...database.exec("SELECT 1 FROM sqlite_master WHERE name = 'objects'")].length === 0) continue;
        const home = name.split("/")[1] ?? "";
        const rows = database.exec<{ resource: string; name: string; revision: number }>("SELECT * FROM objects");
        const stored = [...rows].map((row) => `${home} ${row.resource}/${row.name} ${row.revision}`);
        const seen = [...this.#audit.objects]
          .filter(([key]) => key.startsWith(`${home} `))
          .map(([key, { metadata }]) => `${key} ${metadata.resourceVersion}`);
        expect(stored.sort()).toEqual(seen.sort());
      }
    }
  }
}
