import type { ServiceObject } from "../../api/kinds/service-object.ts";
import { invalid } from "../../api/status.ts";
import type { ServiceAddresses } from "../admission/service-allocation.ts";
import type { ClusterHomeNamespaceRpc, ServiceAsk, ServiceGrant, ServiceHolding } from "../protocol.ts";
import type { Store } from "../store/store.ts";
import type { Answer } from "../verbs/answers.ts";

const SERVICES = "services";
const RETRY_FIRST_MILLISECONDS = 200;
const RETRY_LAST_MILLISECONDS = 30_000;

export interface ServiceSettlingOptions {
  store: Store;
  namespace: string;
  cluster: ClusterHomeNamespaceRpc;
  uuid(): string;
  later(milliseconds: number, work: () => void): void;
  /** Has the home's alarm ring before long, whatever becomes of this instance. */
  guard(): void;
}

/**
 * The namespace's end of the addresses and node ports that the ClusterHome hands out. Reserved before a Service is written, given
 * back after it has changed or gone: by telling the ClusterHome what the namespace holds, so that it may be told twice, or late.
 */
export class ServiceSettling {
  readonly #store: Store;
  readonly #namespace: string;
  readonly #cluster: ClusterHomeNamespaceRpc;
  readonly #uuid: () => string;
  readonly #later: ServiceSettlingOptions["later"];
  readonly #guard: () => void;
  readonly #underWay = new Set<string>();
  /** Services as of here are what the ClusterHome knows. Durable: an instance that was lost may not have told all. */
  #settled: number;
  /** An earlier instance may have been granted what it did not get to write. */
  #isFresh = true;
  /** Whether history was looked through for what an earlier instance did not get to tell; later changes this one sees itself. */
  #hasLooked = false;
  /** Something is being reserved. Durable: what an instance that was lost had been granted is given back by the next. */
  #isReserving = false;
  #dirty = false;
  #settling = false;
  #failures = 0;

  constructor({ store, namespace, cluster, uuid, later, guard }: ServiceSettlingOptions) {
    this.#store = store;
    this.#namespace = namespace;
    this.#cluster = cluster;
    this.#uuid = uuid;
    this.#later = later;
    this.#guard = guard;
    store.database.exec(
      "CREATE TABLE IF NOT EXISTS services_settled (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL)",
    );
    this.#settled = 0;
    for (const { revision } of store.database.exec<{ revision: number }>("SELECT revision FROM services_settled")) {
      this.#settled = revision;
    }
    store.database.exec("CREATE TABLE IF NOT EXISTS services_reserving (id INTEGER PRIMARY KEY)");
    for (const _ of store.database.exec("SELECT 1 FROM services_reserving")) {
      this.#isReserving = true;
      this.#dirty = true;
    }
    store.onCommit((changes) => {
      // What is created holds what was reserved for it: there is nothing to give back.
      if (!changes.some(({ type, stored }) => stored.resource === SERVICES && type !== "ADDED")) return;
      this.#settleSoon();
    });
  }

  get isBehind(): boolean {
    return this.#dirty || this.#settling;
  }

  /** Takes up what an earlier instance did not get to tell. */
  wake(): void {
    if (!this.#hasLooked && this.#store.revision > this.#settled && !this.#dirty) {
      const changes = this.#store.changes(this.#settled, { limit: 1, resources: [SERVICES] });
      this.#dirty = changes === undefined || changes.length > 0;
    }
    this.#hasLooked = true;
    this.#settle();
  }

  async reserve(ask: ServiceAsk): Promise<Answer<ServiceAddresses>> {
    if (this.#isFresh) await this.#settleFirst();
    // Known before it is granted: a settling that crosses the answer must not give it to somebody else.
    const reservation = this.#uuid();
    this.#underWay.add(reservation);
    this.#noteReserving();
    let grant: ServiceGrant;
    try {
      grant = await this.#cluster.allocateService({ ...ask, reservation });
    } catch (error) {
      // Perhaps granted, and the answer lost.
      this.#underWay.delete(reservation);
      this.#settleSoon();
      throw error;
    }
    if ("errors" in grant) {
      this.#underWay.delete(reservation);
      // What is taken may have been granted to an asking of this home that nobody waits for any more.
      this.#settleSoon();
      throw invalid({ group: "", kind: "Service" }, ask.name, grant.errors);
    }
    const { clusterIP, nodePorts } = grant;
    const value: ServiceAddresses = { clusterIP, nodePorts };
    return {
      value,
      release: async () => {
        this.#underWay.delete(reservation);
        // Should it not be heard, a settling gives it back.
        await this.#cluster.releaseService(reservation).then(
          () => this.#noteReserving(),
          () => this.#settleSoon(),
        );
      },
      keep: () => {
        this.#underWay.delete(reservation);
        this.#noteReserving();
      },
    };
  }

  /** Before the ClusterHome is asked it stands on disk that it is. */
  #noteReserving(): void {
    const isReserving = this.#underWay.size > 0 || this.#dirty || this.#settling;
    if (isReserving === this.#isReserving) return;
    this.#isReserving = isReserving;
    this.#store.database.exec(
      isReserving ? "INSERT INTO services_reserving (id) VALUES (1)" : "DELETE FROM services_reserving",
    );
    if (isReserving) this.#guard();
  }

  /** Before the first reservation: what is left of an earlier instance's is given back, so that it can be had again. */
  async #settleFirst(): Promise<void> {
    try {
      await this.#cluster.settleServices(this.#namespace, this.#holdings(), [...this.#underWay]);
      this.#isFresh = false;
    } catch (error) {
      console.warn(`services of ${this.#namespace} could not be settled: ${String(error)}`);
    }
  }

  #settleSoon(): void {
    this.#dirty = true;
    this.#later(0, () => this.#settle());
  }

  #holdings(): ServiceHolding[] {
    return this.#store.read((tx) => tx.list(SERVICES)).map(({ object }) => holdingOf(object as ServiceObject));
  }

  #settle(): void {
    if (this.#settling || !this.#dirty) return;
    this.#settling = true;
    this.#dirty = false;
    const { revision } = this.#store;
    const holdings = this.#holdings();
    void Promise.resolve()
      .then(() => this.#cluster.settleServices(this.#namespace, holdings, [...this.#underWay]))
      .then(
        () => this.#done(revision),
        () => this.#failed(),
      );
  }

  #done(revision: number): void {
    this.#settling = false;
    this.#failures = 0;
    this.#settled = revision;
    this.#store.database.exec(
      "INSERT INTO services_settled (id, revision) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision",
      revision,
    );
    this.#noteReserving();
    this.#settle();
  }

  #failed(): void {
    this.#dirty = true;
    const delay = Math.min(RETRY_FIRST_MILLISECONDS * 2 ** Math.min(this.#failures++, 30), RETRY_LAST_MILLISECONDS);
    this.#later(delay, () => {
      this.#settling = false;
      this.#settle();
    });
  }
}

/** The addresses and ports that are a Service's. */
export function holdingOf({ metadata, spec }: Readonly<ServiceObject>): ServiceHolding {
  const ports = [...(spec.ports ?? []).map(({ nodePort }) => nodePort), spec.healthCheckNodePort];
  return {
    name: metadata.name,
    clusterIPs: (spec.clusterIPs ?? []).filter((ip) => ip !== "None"),
    nodePorts: [...new Set(ports.filter((port): port is number => Boolean(port)))],
  };
}
