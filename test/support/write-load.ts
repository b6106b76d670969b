import { setTimeout as sleep } from "node:timers/promises";
import { HttpClient } from "../../bench/support/http-client.ts";
import type { Server } from "../../bench/support/load.ts";
import type { Action, Operation, Outcome } from "./linearizability.ts";
import { keyOf, type RecordedChange, type RecordedItem, type RecordedList } from "./recorded-history.ts";
import { seeded } from "./simulated-homes.ts";

/** Of the objects that the load writes; there are others (`kube-root-ca.crt`). */
const PREFIX = "load-";
/** Long enough for a version that was half written to show. */
const TEXT_CHARS = 500;
const RECONNECT_MILLISECONDS = 20;
/** A request that takes longer hangs. */
const ANSWER_MILLISECONDS_MAX = 30_000;

export const isOfLoad = (key: string): boolean => key.includes(`/${PREFIX}`);

export const configMapsOf = (namespace?: string): string =>
  namespace === undefined ? "/api/v1/configmaps" : `/api/v1/namespaces/${namespace}/configmaps`;

/** The whole of a version follows from its value, so that one that is made of two is noticed. */
const dataOf = (value: string) => ({ value, text: `${value} `.repeat(Math.ceil(TEXT_CHARS / (value.length + 1))) });

/** What an object of the load is told apart by. */
export function itemOf({ metadata, data }: any): RecordedItem {
  const { namespace, name, resourceVersion } = metadata;
  const isWhole = typeof data?.value === "string" && data.text === dataOf(data.value).text;
  return {
    namespace,
    name,
    revision: Number(resourceVersion),
    value: isWhole ? data.value : `half written: ${JSON.stringify(data)}`,
  };
}

export const changeOf = ({ type, object }: any): RecordedChange => ({ type, ...itemOf(object) });

/** The objects of the load among a list's. */
export const itemsOf = (list: any): RecordedItem[] =>
  list.items.map(itemOf).filter((item: RecordedItem) => isOfLoad(keyOf(item)));

export interface WriteLoadOptions {
  clients: number;
  namespaces: readonly string[];
  /** Objects of each namespace that the clients write. */
  names: number;
  /** How many of their requests are lists, of all namespaces or of one. */
  lists?: number;
  seed: number;
}

const LISTS = 0.03;

/**
 * Clients that create, update, patch, delete and read ConfigMaps as fast as they are answered, and remember what they asked and were told.
 * A client whose connection is lost does not know what became of its last request, and goes on with another.
 */
export class WriteLoad {
  readonly operations: Operation[] = [];
  readonly lists: RecordedList[] = [];
  /** Answers that are no answer of a register (429, 500 …), by code. */
  readonly refused = new Map<number, number>();
  readonly #options: WriteLoadOptions;
  /** The last revision that any client has heard of a key. */
  readonly #heard = new Map<string, number>();
  readonly #clients: Client[];
  /** For what is asked of the load itself. */
  readonly #extra: Client;
  #time = 0;
  #values = 0;
  #isRunning = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(server: Server, options: WriteLoadOptions) {
    this.#options = options;
    this.#clients = Array.from(
      { length: options.clients },
      (_, index) => new Client(server, seeded(options.seed + index)),
    );
    this.#extra = new Client(server, seeded(options.seed - 1));
  }

  /** Each object of each namespace is created, by all clients together. */
  async fill(): Promise<void> {
    const { namespaces, names } = this.#options;
    const objects = namespaces.flatMap((namespace) =>
      Array.from({ length: names }, (_, index) => ({ namespace, name: `${PREFIX}${index}` })),
    );
    const left = objects.values();
    await Promise.all(
      this.#clients.map(async (client) => {
        for (const object of left) await this.#perform(client, object, { verb: "create", value: this.#newValue() });
      }),
    );
  }

  start(): void {
    this.#isRunning = true;
    this.#running = Promise.all(this.#clients.map((client) => this.#run(client)));
    this.#running.catch(() => {}); // Told by `pause`.
  }

  /** Resolves when every client has heard what it waits for, or has lost its connection. Rejects where an answer made no sense. */
  async pause(): Promise<void> {
    this.#isRunning = false;
    await this.#running;
  }

  async stop(): Promise<void> {
    await this.pause();
    for (const client of [...this.#clients, this.#extra]) client.close();
  }

  /** One write by itself, as one of the clients would make it. */
  async write(namespace: string, name: string, verb: "create" | "update"): Promise<Operation> {
    const operation = await this.#perform(
      this.#extra,
      { namespace, name: `${PREFIX}${name}` },
      { verb, value: this.#newValue() },
    );
    if (operation?.outcome?.result !== "ok")
      throw new Error(`${verb} ${namespace}/${name}: ${JSON.stringify(operation)}`);
    return operation;
  }

  /** A list by itself, of a namespace or of all, in pages of `limit`; it is remembered. */
  async list(namespace?: string, limit = 0): Promise<RecordedList> {
    const list = await this.#list(this.#extra, namespace, limit);
    if (!list) throw new Error(`no list of ${namespace ?? "all namespaces"}`);
    return list;
  }

  async #run(client: Client): Promise<void> {
    while (this.#isRunning) {
      const { namespaces, names, lists = LISTS } = this.#options;
      const namespace = client.pick(namespaces);
      const object = { namespace, name: `${PREFIX}${Math.floor(client.random() * names)}` };
      const choice = client.random();
      if (choice < lists / 2) await this.#list(client);
      else if (choice < lists) await this.#list(client, namespace);
      else await this.#perform(client, object, this.#action(client, keyOf(object)));
    }
  }

  #action(client: Client, key: string): Action {
    const choice = client.random();
    const value = this.#newValue();
    const from = this.#heard.get(key);
    if (choice < 0.2) return { verb: "get" };
    if (choice < 0.45) return { verb: "create", value };
    if (choice < 0.75 && from !== undefined) return { verb: "update", value, from };
    // Without a precondition half of them are patches.
    if (choice < 0.9) return { verb: "update", value };
    return { verb: "delete" };
  }

  #newValue(): string {
    return `v${++this.#values}`;
  }

  /** Undefined where the request was not sent, or refused without effect. */
  async #perform(
    client: Client,
    object: { namespace: string; name: string },
    action: Action,
  ): Promise<Operation | undefined> {
    if (!(await client.connect(() => this.#isRunning))) return undefined;
    const key = keyOf(object);
    const operation: Operation = { key, action, invoked: ++this.#time, responded: Number.POSITIVE_INFINITY };
    this.operations.push(operation);
    const answer = await client.send(...requestOf(object, action, client.random() < 0.5));
    if (!answer) return operation;
    const outcome = outcomeOf(action, answer);
    if (!outcome) {
      this.#refuse(answer.status);
      // Who is sent away before anything was tried has done nothing; of a server's error nobody knows.
      if (answer.status >= 500) return operation;
      this.operations.splice(this.operations.lastIndexOf(operation), 1);
      return undefined;
    }
    operation.responded = ++this.#time;
    operation.outcome = outcome;
    if (outcome.result === "ok" && outcome.revision !== undefined) this.#heard.set(key, outcome.revision);
    return operation;
  }

  /** A list is a read of every object, too: of those that are missing as well. Undefined where it was not answered. */
  async #list(client: Client, namespace?: string, limit = 0): Promise<RecordedList | undefined> {
    if (!(await client.connect(() => this.#isRunning))) return undefined;
    const invoked = ++this.#time;
    const items: RecordedItem[] = [];
    let revision: number | undefined;
    let next: string | undefined;
    do {
      const page = `?limit=${limit}${next === undefined ? "" : `&continue=${encodeURIComponent(next)}`}`;
      const answer = await client.send("GET", configMapsOf(namespace) + page);
      if (!answer) return undefined;
      if (answer.status !== 200) {
        this.#refuse(answer.status);
        return undefined;
      }
      const body = JSON.parse(answer.body);
      revision ??= Number(body.metadata.resourceVersion);
      if (Number(body.metadata.resourceVersion) !== revision)
        throw new Error(`a page of revision ${body.metadata.resourceVersion} after one of ${revision}`);
      items.push(...itemsOf(body));
      next = body.metadata.continue;
    } while (next);
    const responded = ++this.#time;
    const list = { ...(namespace !== undefined && { namespace }), revision, items, asked: { invoked, responded } };
    this.lists.push(list);
    this.#readEach(list);
    return list;
  }

  #readEach({
    namespace,
    items,
    asked: { invoked, responded },
  }: Required<Pick<RecordedList, "asked">> & RecordedList): void {
    const seen = new Map(items.map((item) => [keyOf(item), item]));
    for (const each of namespace === undefined ? this.#options.namespaces : [namespace]) {
      for (let index = 0; index < this.#options.names; index++) {
        const key = `${each}/${PREFIX}${index}`;
        const item = seen.get(key);
        this.operations.push({
          key,
          action: { verb: "get" },
          invoked,
          responded,
          outcome: item ? { result: "ok", value: item.value, revision: item.revision } : { result: "absent" },
        });
      }
    }
  }

  #refuse(status: number): void {
    this.refused.set(status, (this.refused.get(status) ?? 0) + 1);
  }
}

type Request = [method: string, path: string, body?: string, contentType?: string];

function requestOf(
  { namespace, name }: { namespace: string; name: string },
  action: Action,
  asPatch: boolean,
): Request {
  const collection = configMapsOf(namespace);
  const path = `${collection}/${name}`;
  if (action.verb === "get") return ["GET", path];
  if (action.verb === "delete") return ["DELETE", path];
  const data = dataOf(action.value);
  const from = action.verb === "update" ? action.from : undefined;
  if (action.verb === "update" && from === undefined && asPatch)
    return ["PATCH", path, JSON.stringify({ data }), "application/merge-patch+json"];
  const metadata = { name, ...(from !== undefined && { resourceVersion: String(from) }) };
  const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data });
  return action.verb === "create" ? ["POST", collection, body] : ["PUT", path, body];
}

function outcomeOf(action: Action, { status, body }: { status: number; body: string }): Outcome | undefined {
  if (status >= 500) return undefined;
  const { reason, ...object } = JSON.parse(body);
  if (status === 404 && action.verb !== "create") return { result: "absent" };
  if (reason === "AlreadyExists") return { result: "exists" };
  if (reason === "Conflict") return { result: "conflict" };
  if (status >= 300) return undefined;
  if (action.verb === "delete") return { result: "ok" };
  const { value, revision } = itemOf(object);
  return { result: "ok", value, revision };
}

/** One client: a connection that is made anew whenever it was lost. */
class Client {
  readonly random: () => number;
  readonly #server: Server;
  #connection: HttpClient | undefined;

  constructor(server: Server, random: () => number) {
    this.#server = server;
    this.random = random;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!;
  }

  /** Tries for as long as it is wanted. */
  async connect(isWanted: () => boolean): Promise<boolean> {
    for (;;) {
      if (this.#connection?.isOpen) return true;
      try {
        const { url, token, ca } = this.#server;
        this.#connection = await HttpClient.open(url, token, ca);
      } catch {
        if (!isWanted()) return false;
        await sleep(RECONNECT_MILLISECONDS);
      }
    }
  }

  /** Undefined where the connection is lost meanwhile. @throws where nobody answers, and the connection stays */
  async send(...request: Request): Promise<{ status: number; body: string } | undefined> {
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      this.#connection?.abort(new Error("late"));
    }, ANSWER_MILLISECONDS_MAX);
    try {
      return await this.#connection!.request(...request);
    } catch {
      this.close();
      if (isLate) throw new Error(`${request[0]} ${request[1]}: no answer in ${ANSWER_MILLISECONDS_MAX} ms`);
      return undefined;
    } finally {
      clearTimeout(late);
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}
