import type {
  HomeAnswer,
  HomeRequest,
  HomeTimelineRpc,
  RequestOptions,
  Target,
  TimelineRpc,
  WatchAnswer,
  WatchRequest,
} from "../../durable-objects/protocol.ts";
import { ADMIN } from "./home.ts";
import { compare, markOf, type Scope } from "./simulated-truth.ts";
import { LOST, type SimulatedWorld } from "./simulated-world.ts";

/** What a client asked of one object. Times are of one counter of all clients; `at` are the world's. */
export interface ObjectRecord {
  verb: "get" | "create" | "update" | "patch" | "delete";
  home: string;
  resource: string;
  name: string;
  /** Nobody else writes it. */
  mark: string;
  /** The precondition. */
  from?: number;
  invoked: number;
  invokedAt: number;
  responded: number;
  respondedAt: number;
  /** 0: nothing is known. */
  code: number;
  /** Of what was seen or written. */
  revision?: number;
  seen?: string;
}

export interface Item {
  home: string;
  name: string;
  revision: number;
  mark: string;
}

export interface ListRecord {
  scope: Scope;
  what: string;
  invoked: number;
  responded: number;
  revision: number;
  /** It may not be older than this. */
  atLeast: number;
  /** It must be this one. */
  exactly?: number;
  items: Item[];
  /** Of the last page that was read; absent where the list was read to its end. */
  rest?: number | undefined;
}

export type WatchEvent = Item & { type: string; isInitialEnd?: boolean };

export interface WatchRecord {
  scope: Scope;
  what: string;
  /** 0: the state first. */
  from: number;
  /** Where the state comes first it is not older than this. */
  asked: number;
  /** The state at this revision, and nothing after it. */
  at?: number;
  /** A bookmark tells where the state ends. */
  sendsInitialEnd: boolean;
  invoked: number;
  events: WatchEvent[];
  isOpen: boolean;
  end: string;
}

export interface Answered {
  code: number;
  text: string;
}

/** A revision that a client was told, and by whom: a home, or, without one, the Timeline. */
interface Known {
  revision: number;
  home: string | undefined;
}

const COLLECTIONS: Record<string, string> = { configmaps: "ConfigMap", secrets: "Secret" };
export const RESOURCES = Object.keys(COLLECTIONS);
const NAMES = ["p", "q", "r", "s", "t"];
const TEAMS = ["red", "blue"];
const THINK_MILLISECONDS_MAX = 120;
/** Requests that one client makes at the same time, now and then. */
const BURST = 6;
const AGAIN = 5;
/** After a failure; it doubles from the first to the last. */
const RETRY_MILLISECONDS = 100;
const RETRY_LAST_MILLISECONDS = 3_000;
const CUT_MILLISECONDS_MAX = 8_000;
/** Whoever writes a snapshot down takes its time. */
const CUT_PAGE_MILLISECONDS_MAX = 300;
const SLOW_READ_MILLISECONDS_MAX = 4_000;
const KNOWN_MAX = 40;

export const targetOf = (resource: string, namespace: string, name = ""): Target => ({
  group: "",
  version: "v1",
  resource,
  namespace,
  name,
  subresource: "",
});

/** Everybody who uses the cluster, and what they asked and saw. */
export class SimulatedClients {
  readonly #world: SimulatedWorld;
  readonly #homes: readonly string[];
  readonly objects: ObjectRecord[] = [];
  readonly lists: ListRecord[] = [];
  readonly watches: WatchRecord[] = [];
  readonly complaints: string[] = [];
  /** Expiry is expected: history is short. */
  readonly expires: boolean;
  /** Clocks may be minutes apart: a home may take another's revision for an invention. */
  readonly clocksDiffer: boolean;
  readonly #known: Known[] = [];
  #time = 0;
  #marks = 0;
  /** Requests that have not been answered. */
  readonly waiting = new Set<string>();
  isActive = true;
  /** Watches are kept until they break. */
  isSettling = false;
  isOver = false;
  /** Writers pause. */
  isIdle = false;
  readonly #sessions: { cancel(): void }[] = [];
  readonly #done: Promise<void>[] = [];

  constructor(world: SimulatedWorld, homes: readonly string[], options: { expires: boolean; clocksDiffer: boolean }) {
    this.#world = world;
    this.#homes = homes;
    this.expires = options.expires;
    this.clocksDiffer = options.clocksDiffer;
  }

  start(client: Promise<void>): void {
    this.#done.push(client.catch((error) => void this.complaints.push(`a client failed: ${error?.stack ?? error}`)));
  }

  get #now(): number {
    return ++this.#time;
  }

  /** A request to whom the worker would send it. @throws where the connection was lost */
  async ask(request: Omit<HomeRequest, "user">): Promise<Answered> {
    const { target, verb } = request;
    const what = `${verb} ${target.namespace}/${target.resource}/${target.name} ${JSON.stringify(request.options)}`;
    const key = `${what} #${this.#now}`;
    this.waiting.add(key);
    try {
      const to = this.#world.stub<{ handle(request: HomeRequest): Promise<HomeAnswer> }>(objectOf(target));
      const { code, body } = await to.handle({ ...request, user: ADMIN });
      return { code, text: typeof body === "string" ? body : await readAll(body) };
    } finally {
      this.waiting.delete(key);
    }
  }

  /** Until there is an answer that is not a 5xx. */
  async #persist(request: Omit<HomeRequest, "user">): Promise<Answered | undefined> {
    for (let tries = 0; !this.isOver; tries++) {
      try {
        const answer = await this.ask(request);
        if (answer.code < 500 && answer.code !== 429) return answer;
      } catch {
        // Lost on the way, there or back.
      }
      await this.#backOff(tries);
    }
    return undefined;
  }

  #backOff(tries: number): Promise<void> {
    const max = Math.min(RETRY_MILLISECONDS * 2 ** Math.min(tries, 10), RETRY_LAST_MILLISECONDS);
    return this.#world.sleep(max / 2 + this.#world.upTo(max / 2));
  }

  async createNamespace(name: string): Promise<number> {
    const body = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    const answer = await this.#persist({ verb: "create", target: targetOf("namespaces", ""), options: {}, body });
    return answer?.code ?? 0;
  }

  /** Deletes a namespace and makes it again, over and over. */
  async churn(name: string): Promise<void> {
    const world = this.#world;
    while (this.isActive) {
      await world.sleep(1_000 + world.upTo(6_000));
      if (!this.isActive) return;
      await this.#persist({ verb: "delete", target: targetOf("namespaces", "", name), options: {} });
      await world.sleep(world.upTo(3_000));
      await this.createNamespace(name);
    }
  }

  async write(): Promise<void> {
    const world = this.#world;
    while (this.isActive) {
      await world.sleep(world.upTo(THINK_MILLISECONDS_MAX) + (world.chance(0.05) ? 1_000 : 0));
      if (this.isIdle || !this.isActive) continue;
      const home = world.pick(this.#homes);
      const atOnce = world.chance(0.08) ? BURST : 1;
      const made = await Promise.all(Array.from({ length: atOnce }, () => this.writeOnce(home)));
      // Whoever was cut off tries again: a home that was lost is busy as soon as it is back.
      for (let i = 0; i < AGAIN && made.some(({ code }) => code === 0 || code >= 500) && this.isActive; i++) {
        await world.sleep(world.upTo(60));
        await this.writeOnce(home);
      }
    }
  }

  async writeOnce(home: string): Promise<ObjectRecord> {
    const world = this.#world;
    const name = world.pick(NAMES);
    const resource = world.chance(0.7) ? "configmaps" : "secrets";
    const verb = world.pick(["create", "create", "update", "patch", "patch", "patch", "delete", "get"] as const);
    if (verb !== "update") return await this.#onObject(verb, home, resource, name);
    const seen = await this.#onObject("get", home, resource, name);
    if (seen.revision === undefined) return await this.#onObject("create", home, resource, name);
    await world.sleep(world.upTo(20));
    return await this.#onObject("update", home, resource, name, world.chance(0.8) ? seen.revision : undefined);
  }

  async #onObject(verb: ObjectRecord["verb"], home: string, resource: string, name: string, from?: number) {
    const mark = `m${++this.#marks}`;
    const world = this.#world;
    const metadata = {
      name: verb === "create" ? name : undefined,
      labels: { team: world.pick(TEAMS) },
      annotations: { mark },
      ...(from !== undefined && { resourceVersion: String(from) }),
    };
    const record: ObjectRecord = {
      verb,
      home,
      resource,
      name,
      mark,
      ...(from !== undefined && { from }),
      invoked: this.#now,
      invokedAt: world.now,
      responded: Number.POSITIVE_INFINITY,
      respondedAt: Number.POSITIVE_INFINITY,
      code: 0,
    };
    this.objects.push(record);
    const isWrite = verb === "create" || verb === "update" || verb === "patch";
    const body = { apiVersion: "v1", kind: COLLECTIONS[resource], metadata: { ...metadata, name } };
    try {
      const { code, text } = await this.ask({
        verb,
        target: targetOf(resource, home, verb === "create" ? "" : name),
        options: {},
        ...(isWrite && { body: JSON.stringify(verb === "patch" ? { metadata } : body) }),
        ...(verb === "patch" && { patchType: "merge" as const }),
      });
      record.code = code;
      record.responded = this.#now;
      record.respondedAt = world.now;
      if (code < 300 && verb !== "delete") {
        const object = JSON.parse(text);
        record.revision = Number(object.metadata.resourceVersion);
        record.seen = markOf(text);
        this.#learn(record.revision, home);
      }
    } catch {
      // Nobody knows whether it happened.
    }
    return record;
  }

  #learn(revision: number, home?: string): void {
    if (this.#known.length >= KNOWN_MAX) this.#known.splice(Math.floor(this.#world.upTo(KNOWN_MAX)), 1);
    this.#known.push({ revision, home });
  }

  /** A revision to ask from, whoever has handed it out; 0: none. */
  #recall(): number {
    return this.#known.length > 0 ? this.#world.pick(this.#known).revision : 0;
  }

  /** The highest revision that any client had been told of an acknowledged write, before a moment. */
  acknowledgedBefore(moment: number, scope: Scope): number {
    let highest = 0;
    for (const each of this.objects) {
      if (each.responded >= moment || each.revision === undefined || each.resource !== scope.resource) continue;
      if (scope.home === undefined || each.home === scope.home) highest = Math.max(highest, each.revision);
    }
    return highest;
  }

  async readLists(): Promise<void> {
    const world = this.#world;
    while (this.isActive) {
      await world.sleep(world.upTo(THINK_MILLISECONDS_MAX * 4));
      if (!this.isActive) return;
      await this.#listSome();
    }
  }

  #scope(): Scope {
    const world = this.#world;
    return {
      resource: world.pick(RESOURCES),
      ...(world.chance(0.25) && { home: world.pick(this.#homes) }),
      ...(world.chance(0.25) && { label: world.pick(TEAMS) }),
    };
  }

  async #listSome(): Promise<void> {
    const world = this.#world;
    const scope = this.#scope();
    const known = this.#recall();
    const kind = world.random();
    const options: RequestOptions =
      kind < 0.4 || known === 0
        ? {}
        : kind < 0.5
          ? { resourceVersion: "0" }
          : kind < 0.65
            ? { resourceVersion: String(known), resourceVersionMatch: "Exact" }
            : kind < 0.8
              ? { resourceVersion: String(known), resourceVersionMatch: "NotOlderThan" }
              : kind < 0.9
                ? { resourceVersion: String(known) }
                : { at: known };
    if (world.chance(0.35)) options.limit = 1 + Math.floor(world.upTo(5));
    await this.list(scope, options);
  }

  /** One list, all pages of it unless something fails. */
  async list(scope: Scope, given: RequestOptions): Promise<ListRecord | undefined> {
    const world = this.#world;
    const options = { ...given, ...(scope.label !== undefined && { labelSelector: `team=${scope.label}` }) };
    const isExact =
      options.at !== undefined ||
      options.resourceVersionMatch === "Exact" ||
      (options.limit !== undefined && Number(options.resourceVersion ?? 0) > 0 && !options.resourceVersionMatch);
    const asked = options.at ?? Number(options.resourceVersion ?? 0);
    const record: ListRecord = {
      scope,
      what: `list ${scope.home ?? "*"}/${scope.resource} ${JSON.stringify(options)}`,
      invoked: this.#now,
      responded: Number.POSITIVE_INFINITY,
      revision: 0,
      atLeast: asked,
      ...(isExact && { exactly: asked }),
      items: [],
    };
    let token: string | undefined;
    let last = { ...options };
    do {
      let answer: Answered;
      try {
        answer = await this.ask({ verb: "list", target: targetOf(scope.resource, scope.home ?? ""), options: last });
      } catch {
        return undefined;
      }
      if (answer.code !== 200) {
        this.#refused(record.what, answer, asked);
        return undefined;
      }
      let body: any;
      try {
        body = JSON.parse(answer.text);
      } catch {
        this.complaints.push(`${record.what}: no JSON: ${answer.text.slice(-200)}`);
        return undefined;
      }
      const revision = Number(body.metadata.resourceVersion);
      if (record.revision !== 0 && revision !== record.revision)
        this.complaints.push(`${record.what}: a page at ${revision} after one at ${record.revision}`);
      record.revision = revision;
      if (record.responded === Number.POSITIVE_INFINITY) record.responded = this.#now;
      record.items.push(...body.items.map(itemOf));
      if (options.limit && body.items.length > options.limit)
        this.complaints.push(`${record.what}: ${body.items.length} items in one page`);
      token = body.metadata.continue;
      record.rest = token ? (body.metadata.remainingItemCount ?? -1) : undefined;
      last = {
        ...(options.limit && { limit: options.limit }),
        ...(options.labelSelector && { labelSelector: options.labelSelector }),
        ...(options.at !== undefined && { at: options.at }),
        ...(token && { continue: token }),
      };
      if (token && world.chance(0.02)) break;
      if (token) await world.sleep(world.upTo(world.chance(0.1) ? 3_000 : 20));
    } while (token);
    this.lists.push(record);
    this.#learn(record.revision, scope.home);
    return record;
  }

  /** Reads the whole cluster at one revision, as a snapshot of it does. */
  async cut(): Promise<void> {
    const world = this.#world;
    while (this.isActive) {
      await world.sleep(world.upTo(CUT_MILLISECONDS_MAX));
      if (!this.isActive) return;
      const known = world.chance(0.4) ? this.#recall() || undefined : undefined;
      try {
        await this.#cutOnce(known);
      } catch (error) {
        // Lost on the way, or one of the homes has compacted meanwhile.
        const { message } = error as Error;
        if (message !== LOST && !this.expires) this.complaints.push(`cut ${known}: ${message}`);
      }
    }
  }

  async #cutOnce(at: number | undefined): Promise<void> {
    const invoked = this.#now;
    const timeline = this.#world.stub<TimelineRpc>(TIMELINE);
    const cut = await timeline.cut(at);
    if ("expired" in cut) {
      if (!this.expires) this.complaints.push(`cut ${at} has expired`);
      return;
    }
    const items = new Map<string, Item[]>(RESOURCES.map((resource) => [resource, []]));
    for (const home of cut.homes) {
      const stub = this.#world.stub<HomeTimelineRpc>(homeName(home));
      for (let from: string | undefined, isFirst = true; isFirst || from !== undefined; isFirst = false) {
        const page = await stub.snapshot(RESOURCES, from, cut.revision);
        for (const { resource, json } of page.objects) items.get(resource)!.push(itemOf(JSON.parse(json)));
        from = page.next;
        await this.#world.sleep(this.#world.upTo(CUT_PAGE_MILLISECONDS_MAX));
      }
    }
    for (const [resource, own] of items) {
      own.sort((a, b) => compare(a.home, b.home) || compare(a.name, b.name));
      this.lists.push({
        scope: { resource },
        what: `cut ${at ?? ""} ${resource}`,
        invoked,
        responded: this.#now,
        revision: cut.revision,
        atLeast: 0,
        ...(at !== undefined && { exactly: at }),
        items: own,
      });
    }
    this.#learn(cut.revision);
  }

  /** A refusal must have a reason. */
  #refused(what: string, { code, text }: Answered, revision: number): void {
    if (code === 410 && this.expires) return;
    if (code === 504 && this.clocksDiffer && revision > 0) return;
    // An object that does not answer is told of; after faults have ended there must be none.
    if (code === 503 && !this.isSettling) return;
    this.complaints.push(`${what}: ${code} ${text.slice(0, 300)}`);
  }

  /** Follows a resource as client-go does: from a list, and again from where a watch broke. */
  async reflect(scope: Scope, { isSlow = false, streams = false } = {}): Promise<void> {
    const world = this.#world;
    let tries = 0;
    while (!this.isOver) {
      let from = 0;
      if (!streams) {
        const listed = await this.list(scope, world.chance(0.3) ? { resourceVersion: "0" } : {});
        if (!listed || listed.rest !== undefined) {
          await this.#backOff(tries++);
          continue;
        }
        from = listed.revision;
      }
      for (let isGone = false; !isGone && !this.isOver; ) {
        const options: RequestOptions =
          from > 0
            ? { resourceVersion: String(from), allowWatchBookmarks: true }
            : {
                sendInitialEvents: true,
                resourceVersionMatch: "NotOlderThan",
                allowWatchBookmarks: true,
                ...(world.chance(0.5) && { resourceVersion: "0" }),
              };
        const patience = this.isSettling ? Number.POSITIVE_INFINITY : 500 + world.upTo(15_000);
        const record = await this.watch(scope, options, { isSlow, patience });
        const mayContinue = from > 0 || record.events.some(({ isInitialEnd }) => isInitialEnd);
        if (mayContinue) from = Math.max(from, record.events.findLast(({ type }) => type !== "ERROR")?.revision ?? 0);
        isGone = record.end === "refused" || record.end === "error";
        tries = record.events.length > 0 ? 0 : tries + 1;
        if (!this.isOver) await this.#backOff(tries);
      }
    }
  }

  /** Watches from wherever, for a while. */
  async probe(): Promise<void> {
    const world = this.#world;
    while (this.isActive) {
      await world.sleep(world.upTo(THINK_MILLISECONDS_MAX * 8));
      if (!this.isActive) return;
      const scope = this.#scope();
      const known = this.#recall();
      const kind = world.random();
      const options: RequestOptions =
        kind < 0.6 && known > 0
          ? { resourceVersion: String(known) }
          : kind < 0.7
            ? {}
            : kind < 0.8
              ? { resourceVersion: "0" }
              : {
                  sendInitialEvents: true,
                  resourceVersionMatch: "NotOlderThan",
                  ...(known > 0 && world.chance(0.5) && { resourceVersion: String(known) }),
                };
      if (options.sendInitialEvents || world.chance(0.3)) options.allowWatchBookmarks = true;
      await this.watch(scope, options, { isSlow: world.chance(0.3), patience: world.upTo(4_000) });
    }
  }

  /** One watch until it ends, or nobody is patient any more (milliseconds). */
  async watch(
    scope: Scope,
    given: RequestOptions,
    { isSlow, patience }: { isSlow: boolean; patience: number },
  ): Promise<WatchRecord> {
    const options = { ...given, ...(scope.label !== undefined && { labelSelector: `team=${scope.label}` }) };
    const asked = Number(options.resourceVersion ?? 0);
    const record: WatchRecord = {
      scope,
      what: `watch ${scope.home ?? "*"}/${scope.resource} ${JSON.stringify(options)}`,
      from: given.sendInitialEvents ? 0 : asked,
      asked: given.at ?? asked,
      ...(given.at !== undefined && { at: given.at }),
      sendsInitialEnd: given.sendInitialEvents === true,
      invoked: this.#now,
      events: [],
      isOpen: false,
      end: "",
    };
    const key = `${record.what} #${record.invoked}`;
    this.waiting.add(key);
    const target = targetOf(scope.resource, scope.home ?? "");
    try {
      const to = this.#world.stub<{ watch(request: WatchRequest): Promise<WatchAnswer> }>(objectOf(target));
      const answer = await to.watch({ user: ADMIN, target, options });
      this.waiting.delete(key);
      if (!("events" in answer)) {
        this.#refused(record.what, { code: answer.code, text: answer.body }, record.asked);
        record.end = "refused";
        return record;
      }
      record.isOpen = true;
      this.watches.push(record);
      await this.#read(record, answer.events, isSlow, patience);
    } catch {
      record.end ||= "lost";
    }
    this.waiting.delete(key);
    record.isOpen = false;
    return record;
  }

  async #read(record: WatchRecord, events: ReadableStream<Uint8Array>, isSlow: boolean, patience: number) {
    const world = this.#world;
    const reader = events.getReader();
    const session = {
      cancel: () => {
        record.end ||= "closed";
        void reader.cancel().catch(() => undefined);
      },
    };
    this.#sessions.push(session);
    if (patience < Number.POSITIVE_INFINITY)
      world.later(patience, () => {
        // Who has been waiting for the faults to end stays.
        if (!this.isSettling || this.isOver) session.cancel();
      });
    const decoder = new TextDecoder();
    let text = "";
    try {
      for (;;) {
        if (isSlow && !this.isSettling) await world.sleep(world.upTo(SLOW_READ_MILLISECONDS_MAX));
        const { done, value } = await reader.read();
        if (done) break;
        text += decoder.decode(value, { stream: true });
        const lines = text.split("\n");
        text = lines.pop()!;
        for (const line of lines) {
          const { type, object } = JSON.parse(line);
          if (type === "ERROR") {
            record.end = "error";
            this.#refused(record.what, { code: object.code, text: line }, record.asked);
            continue;
          }
          if (record.end === "error") this.complaints.push(`${record.what}: something after an error: ${line}`);
          const isInitialEnd = object.metadata.annotations?.["k8s.io/initial-events-end"] === "true";
          record.events.push({ type, ...itemOf(object), ...(isInitialEnd && { isInitialEnd }) });
        }
      }
      record.end ||= "ended";
    } finally {
      record.end ||= "lost";
      this.#sessions.splice(this.#sessions.indexOf(session), 1);
    }
  }

  /** Everybody goes; resolves when the last has gone. */
  async leave(): Promise<void> {
    this.isActive = false;
    this.isOver = true;
    for (const session of [...this.#sessions]) session.cancel();
    await Promise.all(this.#done);
  }
}

const itemOf = (object: any): Item => ({
  home: object.metadata.namespace ?? "",
  name: object.metadata.name ?? "",
  revision: Number(object.metadata.resourceVersion),
  mark: object.metadata.annotations?.mark ?? "",
});

export const CLUSTER_HOME = "cluster";
export const TIMELINE = "timeline";
export const homeName = (namespace: string): string => (namespace === "" ? CLUSTER_HOME : `home ${namespace}`);

const objectOf = ({ resource, namespace }: Target): string =>
  namespace !== "" ? homeName(namespace) : resource === "namespaces" ? CLUSTER_HOME : TIMELINE;

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
}
