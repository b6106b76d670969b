/** What durable subscribers want: every home tells of it from its first commit. */
const ALWAYS = ["pods", "services", "endpointslices.discovery.k8s.io", "nodes"];

interface Watched {
  watches: number;
  /** Homes that have learned this version tell of it. */
  version: number;
  /** Every later event of the resource is told; unknown until all open homes have learned of it. */
  completeFrom: number | undefined;
}

interface Learned {
  version: number;
  /** Parts up to here may have been made before it learned. */
  upTo: number;
}

/** Of which resources homes are to tell, and which of them know. */
export class Interests {
  readonly #highestTold: () => number;
  /** Versions of what is wanted for good. */
  readonly #lasting = new Map<string, number>(ALWAYS.map((resource) => [resource, 0]));
  readonly #watched = new Map<string, Watched>();
  readonly #homes = new Map<string, Learned>();
  #version = 0;

  /** `highestTold`: everything told so far, of any home, is at or below it. */
  constructor(highestTold: () => number) {
    this.#highestTold = highestTold;
  }

  /** Grows with every resource that is new. */
  get version(): number {
    return this.#version;
  }

  get resources(): string[] {
    return [...new Set([...this.#lasting.keys(), ...this.#watched.keys()])];
  }

  /** A durable subscriber wants it. */
  keep(resource: string): void {
    if (!this.#lasting.has(resource)) this.#lasting.set(resource, ++this.#version);
  }

  watch(resource: string): void {
    const watched = this.#watched.get(resource);
    if (watched) {
      watched.watches++;
      return;
    }
    const version = this.#lasting.get(resource) ?? ++this.#version;
    this.#watched.set(resource, { watches: 1, version, completeFrom: undefined });
    this.#settle();
  }

  unwatch(resource: string): void {
    const watched = this.#watched.get(resource);
    if (watched && --watched.watches === 0) this.#watched.delete(resource);
  }

  isWatched(resource: string): boolean {
    return this.#watched.has(resource);
  }

  /** Every event of a watched resource after this revision is told by the homes; undefined while some have yet to learn of it. */
  completeFrom(resource: string): number | undefined {
    return this.#watched.get(resource)?.completeFrom;
  }

  /** A lease of an earlier instance: nobody knows what the home tells of. */
  survived(home: string): void {
    this.#homes.set(home, { version: -1, upTo: 0 });
  }

  /** The home's lease names all that is of interest now. */
  opened(home: string): void {
    this.#homes.set(home, { version: this.#version, upTo: 0 });
    this.#settle();
  }

  /**
   * The home has answered an ask that was made with this version, with a part up to `upTo`. What it told before without the new resources is
   * not above: the ends of a home's parts never go back.
   */
  learned(home: string, version: number, upTo: number): void {
    const learned = this.#homes.get(home);
    if (!learned || learned.version >= version) return;
    this.#homes.set(home, { version, upTo: Math.max(learned.upTo, upTo) });
    this.#settle();
  }

  ended(home: string): void {
    this.#homes.delete(home);
    this.#settle();
  }

  hasLearned(home: string, version: number): boolean {
    return (this.#homes.get(home)?.version ?? version) >= version;
  }

  /** All open homes have learned it. */
  isLearned(version: number): boolean {
    for (const learned of this.#homes.values()) if (learned.version < version) return false;
    return true;
  }

  #settle(): void {
    for (const watched of this.#watched.values()) {
      if (watched.completeFrom !== undefined || !this.isLearned(watched.version)) continue;
      let from = this.#highestTold();
      for (const { upTo } of this.#homes.values()) from = Math.max(from, upTo);
      watched.completeFrom = from;
    }
  }
}
