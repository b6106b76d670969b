import type { FeedEvent } from "../../durable-objects/protocol.ts";
import type { HomeSource } from "../../durable-objects/timeline/home-source.ts";

/** Seeded randomness (mulberry32), so that what fails fails again. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Everything that takes time: it happens in an order that the seed decides, one thing after the other. */
export class Network {
  readonly #waiting: (() => void)[] = [];
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Resolves some time. */
  pass(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Lets one thing happen, and all that follows from it at once. */
  async step(): Promise<void> {
    const [next] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
    next?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export const podText = (name: string, revision: number, nodeName?: string): string =>
  JSON.stringify({
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name, resourceVersion: String(revision) },
    spec: { ...(nodeName && { nodeName }) },
  });

/** A home that commits changes, and forgets its oldest history. */
export class SimulatedHome {
  revision = 0;
  /** Up to where it has told. */
  told = 0;
  compacted = 0;
  readonly history: FeedEvent[] = [];
  readonly objects = new Map<string, { resource: string; name: string; json: string }>();

  commit(resource: string, name: string, nodeName?: string, isDeletion = false): void {
    this.revision += 10;
    const key = `${resource}/${name}`;
    const previousJson = this.objects.get(key)?.json;
    if (isDeletion && previousJson === undefined) return;
    const json = isDeletion
      ? JSON.stringify({
          ...JSON.parse(previousJson!),
          metadata: { name, resourceVersion: String(this.revision) },
        })
      : podText(name, this.revision, nodeName);
    if (isDeletion) this.objects.delete(key);
    else this.objects.set(key, { resource, name, json });
    const type = isDeletion ? "DELETED" : previousJson === undefined ? "ADDED" : "MODIFIED";
    this.history.push({
      type,
      revision: this.revision,
      resource,
      name,
      json,
      ...(previousJson !== undefined && { previousJson }),
    });
  }

  after(revision: number, resources: readonly string[]): FeedEvent[] {
    return this.history.filter((event) => event.revision > revision && resources.includes(event.resource));
  }
}

/** Homes behind a network: an answer is made when the request arrives, and arrives some time later itself. */
export const sourceOf = (homes: Map<string, SimulatedHome>, network: Network, fails: () => boolean): HomeSource => {
  const ask = async <T>(home: string, answer: (home: SimulatedHome) => T): Promise<T> => {
    await network.pass();
    if (fails()) throw new Error("the home did not answer");
    const result = answer(homes.get(home)!);
    await network.pass();
    return result;
  };
  return {
    changesSince: (home, revision, resources) =>
      ask(home, (one) => {
        const page = one.after(revision, resources).slice(0, 3);
        const expired = revision < one.compacted;
        const more = one.after(revision, resources).length > page.length;
        const upTo = more && !expired ? page.at(-1)!.revision : one.revision;
        return { upTo, events: expired ? [] : page, expired, more };
      }),
    snapshot: (home, resources) =>
      ask(home, (one) => ({
        revision: one.revision,
        objects: [...one.objects.values()].filter(({ resource }) => resources.includes(resource)),
      })),
  };
};
