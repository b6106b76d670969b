import type { SimulatedObjects } from "./simulated-objects.ts";

/** A node that is gone may be bound to by who has not heard of it yet, for so long. */
const HEARSAY_MILLISECONDS = 10_000;

type Row = { revision: number; resource: string; name: string; json: string; deleted: number };

/** Watches everything that is ever committed from outside, row by row, and tells what may never be. */
export class Audit {
  readonly #objects: SimulatedObjects;
  readonly #read = new Map<string, number>();
  /** By `home resource/name`; the home "" is the cluster's. */
  readonly objects = new Map<string, any>();
  readonly complaints: string[] = [];
  readonly #nodeGoneAt = new Map<string, number>();
  rows = 0;

  constructor(objects: SimulatedObjects) {
    this.#objects = objects;
  }

  /** Reads what was committed since. */
  look(): void {
    for (const className of ["CLUSTER_HOME", "NAMESPACE_HOME"]) {
      for (const [name, database] of this.#objects.databases(className)) {
        if ([...database.exec("SELECT 1 FROM sqlite_master WHERE name = 'history'")].length === 0) continue;
        const home = name.split("/")[1] ?? "";
        const known = this.#read.get(home) ?? 0;
        for (const row of database.exec<Row>(
          "SELECT revision, resource, name, json, deleted FROM history WHERE revision > ? ORDER BY revision",
          known,
        )) {
          this.#read.set(home, row.revision);
          this.rows++;
          this.#see(home, row);
        }
      }
    }
  }

  list(home: string, resource: string): any[] {
    return [...this.objects].flatMap(([key, object]) => (key.startsWith(`${home} ${resource}/`) ? [object] : []));
  }

  /** Of a resource, in all homes. */
  all(resource: string): any[] {
    return [...this.objects].flatMap(([key, object]) => (key.includes(` ${resource}/`) ? [object] : []));
  }

  #see(home: string, { revision, resource, name, json, deleted }: Row): void {
    const key = `${home} ${resource}/${name}`;
    const next = JSON.parse(json);
    const previous = this.objects.get(key);
    const complain = (why: string) => this.complaints.push(`${key} at ${revision}: ${why}`);
    if (next.metadata.resourceVersion !== String(revision)) complain("has another revision in its text");
    if (deleted) {
      if (!previous) complain("was removed, and was not there");
      if (resource === "nodes") this.#nodeGoneAt.set(name, this.#objects.now);
      this.objects.delete(key);
      return;
    }
    this.objects.set(key, next);
    if (previous && previous.metadata.uid !== next.metadata.uid) complain("became another object");
    if (previous && (previous.metadata.generation ?? 0) > (next.metadata.generation ?? 0)) complain("went back");
    if (resource === "pods") this.#seePod(home, next, previous, complain);
    if (resource === "replicasets.apps") this.#seeReplicaSet(home, next, previous, complain);
    if (resource === "services" && next.spec.clusterIP !== previous?.spec.clusterIP)
      this.#seeService(key, next, complain);
  }

  #seePod(home: string, pod: any, previous: any, complain: (why: string) => void): void {
    const { nodeName } = pod.spec;
    const wasBound = previous?.spec.nodeName;
    if (wasBound && wasBound !== nodeName) complain(`was bound twice: ${wasBound}, ${nodeName}`);
    if (nodeName && !wasBound && !this.objects.has(` nodes/${nodeName}`)) {
      const goneAt = this.#nodeGoneAt.get(nodeName) ?? 0;
      if (this.#objects.now - goneAt > HEARSAY_MILLISECONDS) complain(`was bound to ${nodeName}, which is not there`);
    }
    const set = previous ? undefined : this.objects.get(`${home} replicasets.apps/${ownerOf(pod)}`);
    if (!set) return;
    const pods = this.list(home, "pods").filter((each) => isActive(each) && ownerOf(each) === set.metadata.name);
    if (pods.length > set.spec.replicas) complain(`is pod ${pods.length} of ${set.metadata.name}`);
  }

  /** A Deployment may have no more pods than its maxSurge allows: its ReplicaSets are never scaled up beyond that. */
  #seeReplicaSet(home: string, set: any, previous: any, complain: (why: string) => void): void {
    if (set.spec.replicas <= (previous?.spec.replicas ?? 0)) return;
    const deployment = this.objects.get(`${home} deployments.apps/${ownerOf(set)}`);
    if (!deployment) return;
    const wanted = this.list(home, "replicasets.apps")
      .filter((each) => ownerOf(each) === deployment.metadata.name)
      .reduce((sum, { spec }) => sum + spec.replicas, 0);
    const max = deployment.spec.replicas + deployment.spec.strategy.rollingUpdate.maxSurge;
    if (wanted > max) complain(`makes ${wanted} pods of ${deployment.metadata.name}, which may have ${max}`);
  }

  #seeService(key: string, { spec }: any, complain: (why: string) => void): void {
    for (const [other, service] of this.objects) {
      if (other === key || !other.includes(" services/")) continue;
      if (service.spec.clusterIP === spec.clusterIP) complain(`has the address of ${other}`);
      const ports = new Set((service.spec.ports ?? []).map(({ nodePort }: any) => nodePort));
      for (const { nodePort } of spec.ports ?? [])
        if (nodePort && ports.has(nodePort)) complain(`has the node port of ${other}`);
    }
  }
}

const ownerOf = ({ metadata }: any): string | undefined =>
  metadata.ownerReferences?.find(({ controller }: any) => controller)?.name;

export const isActive = ({ metadata, status }: any): boolean =>
  !metadata.deletionTimestamp && status?.phase !== "Succeeded" && status?.phase !== "Failed";
