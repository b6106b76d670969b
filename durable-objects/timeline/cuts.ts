import type { Promised } from "../protocol.ts";
import { revisionAt } from "../revision.ts";
import { forEachBounded } from "./home-source.ts";
import type { Leases } from "./leases.ts";

/** Open homes that are asked at the same time. */
const ASKED_AT_ONCE = 64;

export interface CutsOptions {
  leases: Leases;
  /** Milliseconds since 1970. */
  now(): number;
  /** Asks until the home answers. @throws ApiError ServiceUnavailable where it does not. */
  ask(home: string, atLeast: number): Promise<Promised>;
}

/**
 * Revisions at which the whole cluster can be read. Everything acknowledged before the call is at or below: it was committed by a home that is
 * open, which is asked how far it has come, or that has closed, at or below what was announced. Whatever is committed once the homes
 * are read is above: each raises its floor before it is read, and what opens later gets a floor above what was announced.
 */
export class Cuts {
  readonly #options: CutsOptions;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<number> | undefined;

  constructor(options: CutsOptions) {
    this.#options = options;
  }

  /** Callers that come while one is being made share the one after it: those homes were asked before they came. */
  cut(): Promise<number> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const made = this.#make();
      this.#running = made.catch(() => undefined);
      return made;
    });
    return this.#next;
  }

  async #make(): Promise<number> {
    const { leases, now, ask } = this.#options;
    let revision = Math.max(leases.announced, revisionAt(now()), 1);
    leases.announce(revision);
    const atLeast = revision;
    await forEachBounded(
      leases.homes,
      async (home) => {
        const promised = await ask(home, atLeast);
        revision = Math.max(revision, promised.revision);
      },
      ASKED_AT_ONCE,
    );
    leases.announce(revision);
    return revision;
  }
}
