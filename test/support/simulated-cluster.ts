import { goneRequest, nodeStatusRequest, statusRequest } from "../../durable-objects/node-link/requests.ts";
import type {
  ClusterHomeNodeRpc,
  Delivery,
  HomeAnswer,
  HomeRequest,
  HomeRpc,
  TimelineRpc,
} from "../../durable-objects/protocol.ts";
import { ADMIN, targetOf } from "./home.ts";
import type { SimulatedObjects } from "./simulated-objects.ts";

export const CLUSTER = "sim";

/** A request that nobody answered is made again after so long. */
const RETRY_MILLISECONDS = 300;
const TRIES_MAX = 400;
const KUBELET_MILLISECONDS = 250;

export interface Told {
  code: number;
  body: any;
}

/** Asks the home of a namespace ("" is the cluster's) until somebody answers. */
export async function ask(
  objects: SimulatedObjects,
  namespace: string,
  verb: HomeRequest["verb"],
  path: string,
  { object, ...more }: Partial<HomeRequest> & { object?: unknown } = {},
): Promise<Told> {
  const request: HomeRequest = {
    verb,
    user: ADMIN,
    target: targetOf(path, namespace),
    options: {},
    ...(object !== undefined && { body: JSON.stringify(object) }),
    ...more,
  };
  return await send(objects, request);
}

async function send(objects: SimulatedObjects, request: HomeRequest): Promise<Told> {
  const { namespace } = request.target;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    try {
      const home =
        namespace === ""
          ? objects.stub<HomeRpc>("CLUSTER_HOME", CLUSTER)
          : objects.stub<HomeRpc>("NAMESPACE_HOME", `${CLUSTER}/${namespace}`);
      const { code, body } = (await home.handle(request)) as HomeAnswer;
      if (code < 500) return { code, body: JSON.parse(body as string) };
    } catch {
      // Lost on the way, there or back.
    }
    await new Promise<void>((resolve) => objects.later(RETRY_MILLISECONDS, resolve));
  }
  throw new Error(`nobody answers ${request.verb} ${namespace}/${request.target.resource}`);
}

/** A node: its link, and a kubelet that runs whatever it is told to. */
export class SimulatedNode {
  readonly name: string;
  readonly #objects: SimulatedObjects;
  readonly #random: () => number;
  /** By uid; what it was told last. */
  readonly #pods = new Map<string, any>();
  /** Addresses of what runs, by uid: they outlive the link. */
  readonly #running = new Map<string, string>();
  isConnected = false;
  #isTicking = false;
  #next = 1;

  constructor(objects: SimulatedObjects, name: string, random: () => number) {
    this.#objects = objects;
    this.name = name;
    this.#random = random;
  }

  get #user() {
    return { name: `system:node:${this.name}`, groups: ["system:nodes", "system:authenticated"] };
  }

  /** Dials in: registers where it is not known, and is told its pods from now on. */
  async connect(): Promise<void> {
    if (this.isConnected) return;
    this.isConnected = true;
    await this.#presence(true);
    const node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: this.name },
      status: { capacity: CAPACITY, allocatable: CAPACITY },
    };
    const target = { ...targetOf("nodes", ""), namespace: "" };
    await send(this.#objects, { verb: "create", user: this.#user, target, options: {}, body: JSON.stringify(node) });
    await this.#reportReady();
    await this.#persist(() =>
      this.#objects.stub<TimelineRpc>("TIMELINE", CLUSTER).subscribe({
        class: "NODE_LINK",
        name: `${CLUSTER}/${this.name}`,
        resources: [{ resource: "pods", nodeName: this.name }],
      }),
    );
    this.#tickLater();
  }

  async disconnect(): Promise<void> {
    if (!this.isConnected) return;
    this.isConnected = false;
    await this.#presence(false);
  }

  /** What its NodeLink is told. */
  async deliver({ reset, events }: Delivery): Promise<void> {
    if (!this.isConnected) {
      await this.#objects
        .stub<TimelineRpc>("TIMELINE", CLUSTER)
        .unsubscribe({ class: "NODE_LINK", name: `${CLUSTER}/${this.name}` });
      return;
    }
    if (reset) this.#pods.clear();
    for (const { type, json } of events) {
      const pod = JSON.parse(json);
      if (type === "DELETED") {
        this.#pods.delete(pod.metadata.uid);
        this.#running.delete(pod.metadata.uid);
      } else this.#pods.set(pod.metadata.uid, pod);
    }
    this.#tickLater();
  }

  async #presence(connected: boolean): Promise<void> {
    const at = this.#objects.now;
    await this.#persist(() =>
      this.#objects.stub<ClusterHomeNodeRpc>("CLUSTER_HOME", CLUSTER).nodePresence(this.name, connected, at),
    );
  }

  async #reportReady(): Promise<void> {
    const condition = { type: "Ready", status: "True", reason: "KubeletReady", lastTransitionTime: this.#timestamp };
    const status = { capacity: CAPACITY, allocatable: CAPACITY, conditions: [condition] };
    await send(this.#objects, nodeStatusRequest(this.#user, this.name, status));
  }

  get #timestamp(): string {
    return `${new Date(this.#objects.now).toISOString().slice(0, 19)}Z`;
  }

  #tickLater(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#objects.later(KUBELET_MILLISECONDS * (0.2 + this.#random()), () => void this.#tick());
  }

  /** Whatever is not as it should be is reported; what could not be is tried again. */
  async #tick(): Promise<void> {
    let isBusy = false;
    for (const pod of [...this.#pods.values()]) {
      if (!this.isConnected) break;
      const { uid, namespace, name, deletionTimestamp } = pod.metadata;
      if (this.#random() < 0.2) isBusy = true;
      else if (deletionTimestamp) {
        isBusy = true;
        await send(this.#objects, goneRequest(this.#user, { namespace, name, uid }));
      } else if (!isReady(pod)) {
        isBusy = true;
        const podIP = this.#running.get(uid) ?? `10.${this.name.slice(1)}.0.${this.#next++}`;
        this.#running.set(uid, podIP);
        const conditions = [
          { type: "PodScheduled", status: "True", lastTransitionTime: this.#timestamp },
          { type: "Ready", status: "True", lastTransitionTime: this.#timestamp },
        ];
        const status = { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions };
        await send(this.#objects, statusRequest(this.#user, { namespace, name, uid, status }));
      }
    }
    this.#isTicking = false;
    if (isBusy && this.isConnected) this.#tickLater();
  }

  async #persist(work: () => Promise<unknown>): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      try {
        await work();
        return;
      } catch {
        await new Promise<void>((resolve) => this.#objects.later(RETRY_MILLISECONDS, resolve));
      }
    }
    throw new Error(`nobody hears of ${this.name}`);
  }
}

const CAPACITY = { cpu: "8", memory: "16Gi", pods: "60" };

export const isReady = (pod: any): boolean =>
  pod.status?.conditions?.some((c: any) => c.type === "Ready" && c.status === "True") ?? false;
