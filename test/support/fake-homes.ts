import type {
  ClusterHomeTimelineRpc,
  FeedEvent,
  FeedPart,
  HomeAnswer,
  Lease,
  PartAnswer,
  PartRequest,
  Promised,
} from "../../durable-objects/protocol.ts";
import { nextRevision } from "../../durable-objects/revision.ts";

const PAGE_EVENTS = 3;

/** A home as the Timeline knows it, with nothing behind it: what it does is what the test has it do. */
export class FakeHome implements ClusterHomeTimelineRpc {
  readonly namespace: string;
  readonly #now: () => number;
  readonly history: FeedEvent[] = [];
  readonly #interests = new Set<string>();
  lease: Lease | undefined;
  opening = false;
  revision = 0;
  floor = 0;
  told = 0;
  compacted = 0;
  /** Objects of one page of a snapshot. */
  pageObjects = 100;
  /** What it was asked, oldest first. */
  readonly asked: string[] = [];
  /** Runs before each answer; what it throws is the answer. */
  before: (method: string) => Promise<void> | void = () => undefined;
  /** Runs after the answer is made, before it leaves. */
  after: (method: string) => Promise<void> | void = () => undefined;
  /** Of the ClusterHome: its namespaces. */
  names: string[] = [];

  constructor(namespace: string, now: () => number) {
    this.namespace = namespace;
    this.#now = now;
  }

  /** A fresh instance: no lease, no floor, nothing told. */
  crash(): void {
    this.lease = undefined;
    this.opening = false;
    this.floor = 0;
    this.#interests.clear();
  }

  took(lease: Lease): void {
    this.lease = lease;
    this.floor = Math.max(this.floor, lease.floor);
    this.told = this.revision;
    for (const resource of lease.interests) this.#interests.add(resource);
  }

  /** Commits a change under its lease; answers its revision. */
  commit(name: string, { resource = "pods", isDeletion = false, labels = {} as Record<string, string> } = {}): number {
    if (!this.lease) throw new Error("no lease");
    this.revision = nextRevision(Math.max(this.revision, this.floor), this.#now(), this.lease.slot);
    const previous = this.at(this.revision, resource).find((event) => event.name === name);
    const metadata = { name, namespace: this.namespace, resourceVersion: String(this.revision), labels };
    const json = JSON.stringify({ kind: "Pod", apiVersion: "v1", metadata });
    const type = isDeletion ? "DELETED" : previous ? "MODIFIED" : "ADDED";
    const previousJson = previous && { previousJson: previous.json };
    this.history.push({ type, revision: this.revision, resource, name, json, ...previousJson });
    return this.revision;
  }

  /** What there is at a revision, by name. */
  at(revision: number, resource: string): FeedEvent[] {
    const latest = new Map<string, FeedEvent>();
    for (const event of this.history) {
      if (event.revision <= revision && event.resource === resource) latest.set(event.name, event);
    }
    return [...latest.values()].filter(({ type }) => type !== "DELETED").sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Of the ClusterHome: there are no custom resources. */
  async catalog() {
    return { revision: 1, contents: JSON.stringify({ definitions: [], objects: {} }) };
  }

  async definition() {
    return null;
  }

  part(): FeedPart {
    const upTo = Math.max(this.revision, this.floor);
    const events = this.history.filter(
      ({ revision, resource }) => revision > this.told && this.#interests.has(resource),
    );
    return { continues: this.told, upTo, events };
  }

  /** As `part`, once it is on its way. */
  tell(): FeedPart {
    const part = this.part();
    this.told = part.upTo;
    return part;
  }

  async #answer<T>(method: string, make: () => T): Promise<T> {
    this.asked.push(method);
    await this.before(method);
    const answer = make();
    await this.after(method);
    return answer;
  }

  promise({ atLeast, interests }: { lease: number; atLeast: number; interests: string[] }): Promise<Promised> {
    return this.#answer("promise", () => {
      this.floor = Math.max(this.floor, atLeast);
      for (const resource of interests) this.#interests.add(resource);
      const { opening, revision, compacted } = this;
      return { lease: this.lease?.number ?? 0, opening, revision, compacted, part: this.part() };
    });
  }

  recall(lease: number): Promise<void> {
    return this.#answer(`recall ${lease}`, () => {
      if (this.lease?.number === lease) this.lease = undefined;
    });
  }

  changesSince(revision: number, resources: string[], limit: { upTo?: number } = {}) {
    return this.#answer("changesSince", () => {
      const upTo = Math.min(limit.upTo ?? Number.POSITIVE_INFINITY, Math.max(this.revision, revision));
      if (revision < this.compacted) return { upTo: this.revision, events: [], expired: true };
      const all = this.history.filter(
        (event) => event.revision > revision && event.revision <= upTo && resources.includes(event.resource),
      );
      const events = all.slice(0, PAGE_EVENTS);
      const more = all.length > events.length;
      return { upTo: more ? events.at(-1)!.revision : upTo, events, expired: false, more };
    });
  }

  snapshot(resources: string[], from?: string, at?: number) {
    return this.#answer("snapshot", () => {
      if (at !== undefined) this.floor = Math.max(this.floor, at);
      const [revision, begin] = from ? from.split(" ").map(Number) : [at ?? this.revision, 0];
      const all = resources.flatMap((resource) => this.at(revision!, resource));
      const objects = all.slice(begin, begin! + this.pageObjects).map(({ resource, json }) => ({ resource, json }));
      const end = begin! + objects.length;
      return { revision: revision!, objects, ...(end < all.length && { next: `${revision} ${end}` }) };
    });
  }

  readPart({ target, options, revision, after, limit }: PartRequest): Promise<PartAnswer> {
    return this.#answer("readPart", () => {
      this.floor = Math.max(this.floor, revision);
      const nothing = { expired: true, items: "", count: 0, last: "", remaining: 0 };
      if (revision < this.compacted) return nothing;
      const following = this.at(revision, target.resource).filter(({ name }) => name > after);
      const selected = following.filter(({ json }) => !options.labelSelector || json.includes(options.labelSelector));
      const items = limit ? selected.slice(0, limit) : selected;
      const last = items.at(-1)?.name ?? "";
      return {
        expired: false,
        items: items.map(({ json }) => json).join(","),
        count: items.length,
        last,
        remaining: items.length < limit ? 0 : following.filter(({ name }) => name > last).length,
      };
    });
  }

  listNamespaces({ at, since }: { at?: number; since?: number } = {}): Promise<{ names: string[]; expired: boolean }> {
    return this.#answer("listNamespaces", () => {
      if (at !== undefined) this.floor = Math.max(this.floor, at);
      const expired = (at ?? since ?? this.compacted) < this.compacted;
      return { names: expired ? [] : [...this.names].sort(), expired };
    });
  }

  async authorize(): Promise<HomeAnswer | null> {
    return null;
  }
}
