import type { HomeTimelineRpc, Promised } from "../protocol.ts";
import type { HomeFeeds } from "./home-feeds.ts";
import type { Interests } from "./interests.ts";
import type { Leases } from "./leases.ts";

interface Asked {
  lease: number;
  atLeast: number;
  /** Of the interests. */
  version: number;
}

export interface HomeAsksOptions {
  home(home: string): HomeTimelineRpc;
  once<T>(call: () => Promise<T>): Promise<T>;
  leases: Leases;
  feeds: Pick<HomeFeeds, "take">;
  interests: Interests;
  /** The instance that held the home's lease is gone; the home's last commit was at `revision`. */
  vanished(home: string, revision: number): void;
}

/** Asks homes for promises, and takes what they answer. */
export class HomeAsks {
  readonly #options: HomeAsksOptions;

  constructor(options: HomeAsksOptions) {
    this.#options = options;
  }

  /**
   * From when the home answers, its instance commits nothing at or below `atLeast`; a later instance does not either, as long as `atLeast`
   * was announced before. @throws where the home does not answer.
   */
  async ask(home: string, atLeast: number): Promise<Promised> {
    const { leases, interests, once } = this.#options;
    const lease = leases.get(home)?.number ?? 0;
    const { version, resources } = interests;
    const promised = await once(() => this.#options.home(home).promise({ lease, atLeast, interests: resources }));
    this.#answered(home, { lease, atLeast, version }, promised);
    return promised;
  }

  #answered(home: string, { lease: asked, atLeast, version }: Asked, promised: Promised): void {
    const { leases, feeds, interests, vanished } = this.#options;
    // Another lease since: the answer may be that of an instance that is gone, whose promises died with it.
    if (asked === 0 || leases.get(home)?.number !== asked) return;
    if (promised.lease === asked) {
      leases.hear(home);
      // Before the part is taken: what it tells is what was told before the home learned, at most.
      interests.learned(home, version, promised.part.upTo);
      feeds.take(home, promised.part);
      // More than a part holds: the rest is read. Asked again, the home would begin with the same.
      const upTo = Math.max(atLeast, promised.revision);
      if (promised.part.upTo < upTo) feeds.take(home, { continues: upTo, upTo, events: [] });
    } else if (promised.lease !== 0) {
      // The lease was lent on an old asking that came late; the instance that lives goes on under the one before. It shall ask again.
      this.#options.once(() => this.#options.home(home).recall(promised.lease)).catch(() => undefined);
    } else if (!promised.opening) {
      // Its instance holds nothing and expects nothing. The lease was lent before it was asked, so that it was an earlier instance's,
      // or was given back: nobody commits under it.
      vanished(home, promised.revision);
    }
  }

  /** Tells the home to give a lease back, if it holds it, and then asks for the present one: should the closing not arrive, it is noticed. */
  async recall(home: string, lease: number): Promise<void> {
    const { leases, once } = this.#options;
    try {
      await once(() => this.#options.home(home).recall(lease));
      if (leases.get(home)) await this.ask(home, leases.announced);
    } catch {
      // Asked again by whoever needs it.
    }
  }
}
