import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, callApi } from "../../cli/api-client.ts";
import { seeded } from "./simulated-homes.ts";

const PAUSE_MILLISECONDS = 30;
/** The next instance of a home is woken by its alarm, two seconds after it began to reserve. */
const SETTLING_MILLISECONDS_MAX = 20_000;
const SETTLING_STEP_MILLISECONDS = 250;

/** What became of a Service as its one client knows. */
type Fate = "there" | "gone" | "unknown";

/**
 * One client that creates and deletes Services: each write is one of two homes, the Service in its namespace and the address that the
 * ClusterHome lends it. `complaints` tells where only one half happened.
 */
export class ServiceLoad {
  readonly fates = new Map<string, Fate>();
  /** Services whose creation was not answered, whatever became of them later. */
  readonly #unanswered = new Set<string>();
  readonly #client: ApiClient;
  readonly #namespaces: readonly string[];
  readonly #random: () => number;
  #isRunning = false;
  #isSettled = false;
  #running: Promise<void> = Promise.resolve();

  constructor(client: ApiClient, namespaces: readonly string[], seed: number) {
    this.#client = client;
    this.#namespaces = namespaces;
    this.#random = seeded(seed);
  }

  start(): void {
    this.#isRunning = true;
    this.#running = this.#run();
  }

  async pause(): Promise<void> {
    this.#isRunning = false;
    await this.#running;
  }

  /** Waits until the addresses of Services that a crash kept from being stored have been given back. Until then `complaints` bears with them. */
  async settle(): Promise<void> {
    this.#isSettled = true;
    for (let i = 0; i < SETTLING_MILLISECONDS_MAX / SETTLING_STEP_MILLISECONDS; i++) {
      if ((await this.complaints()).length === 0) return;
      await sleep(SETTLING_STEP_MILLISECONDS);
    }
  }

  async complaints(): Promise<string[]> {
    const complaints: string[] = [];
    const services = await this.#items("/api/v1/services");
    const addresses = await this.#items("/apis/networking.k8s.io/v1/ipaddresses");
    const holders = new Map(
      addresses.map(({ metadata, spec }) => [metadata.name, `${spec.parentRef.namespace}/${spec.parentRef.name}`]),
    );
    const there = new Set<string>();
    for (const { metadata, spec } of services) {
      const key = `${metadata.namespace}/${metadata.name}`;
      there.add(key);
      if (holders.get(spec.clusterIP) !== key)
        complaints.push(
          `service ${key} has ${spec.clusterIP}, which is lent to ${holders.get(spec.clusterIP) ?? "nobody"}`,
        );
      holders.delete(spec.clusterIP);
    }
    for (const [address, key] of holders)
      if (this.#isSettled || !this.#unanswered.has(key))
        complaints.push(`${address} is lent to ${key}, which does not have it`);
    for (const [key, fate] of this.fates)
      if (fate !== "unknown" && there.has(key) !== (fate === "there"))
        complaints.push(`service ${key} should be ${fate}`);
    return complaints;
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const namespace = this.#namespaces[Math.floor(this.#random() * this.#namespaces.length)]!;
      const existing = [...this.fates].filter(([, fate]) => fate !== "gone").map(([key]) => key);
      const victim = existing[Math.floor(this.#random() * existing.length)];
      if (victim !== undefined && this.#random() < 0.4) await this.#delete(victim);
      else await this.#create(namespace, `service-${this.fates.size}`);
      await sleep(PAUSE_MILLISECONDS);
    }
  }

  async #create(namespace: string, name: string): Promise<void> {
    const key = `${namespace}/${name}`;
    this.fates.set(key, "unknown");
    const object = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ port: 80 }] },
    };
    const code = await this.#ask("POST", `/api/v1/namespaces/${namespace}/services`, object);
    if (code === 201) this.fates.set(key, "there");
    else this.#unanswered.add(key);
  }

  async #delete(key: string): Promise<void> {
    const [namespace, name] = key.split("/");
    this.fates.set(key, "unknown");
    const code = await this.#ask("DELETE", `/api/v1/namespaces/${namespace}/services/${name}`);
    if (code === 200 || code === 404) this.fates.set(key, "gone");
  }

  /** Undefined where nobody answers. */
  async #ask(method: string, path: string, body?: object): Promise<number | undefined> {
    try {
      return (await callApi(this.#client, method, path, body)).code;
    } catch {
      return undefined;
    }
  }

  async #items(path: string): Promise<any[]> {
    const { code, body } = await callApi(this.#client, "GET", path);
    if (code !== 200) throw new Error(`${path}: ${code} ${JSON.stringify(body)}`);
    return body.items;
  }
}
