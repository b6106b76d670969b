import { ApiError } from "../api/status.ts";
import type { FeedPart, Lease, TimelineFeedRpc } from "./protocol.ts";
import { nextRevision } from "./revision.ts";

/** A home that has committed nothing for so long gives its lease back: nobody has to ask it for promises any more. */
const IDLE_MILLISECONDS = 3_000;
/** A Timeline that does not answer is asked again, with a delay that doubles from the first; then whoever waits is refused. */
const TRIES = 6;
const RETRY_FIRST_MILLISECONDS = 100;

export interface HomeLeaseOptions {
  /** Empty for the ClusterHome. */
  namespace: string;
  timeline: TimelineFeedRpc;
  /** Milliseconds since 1970. */
  now(): number;
  later(milliseconds: number, work: () => void): void;
  /** Of the last commit. */
  revision(): number;
  /** There is a lease, which was asked for at that revision: what comes after it is told under it. */
  opened(lease: Lease, revision: number): void;
  /** All that was committed has been told. */
  isTold(): boolean;
  /** What is still to be told, whole. */
  lastPart(): FeedPart;
}

const noTimeline = (): ApiError =>
  new ApiError("ServiceUnavailable", "the cluster's timeline does not answer, please try again later", {
    retryAfterSeconds: 1,
  });

/**
 * A home's right to commit, and its clock. Homes commit without asking anybody; what keeps their revisions in one order is that a
 * home commits only under a lease, with the lease's slot, and never at or below its floor: the highest revision of which this
 * instance, or the Timeline for it, has said that nothing at or below it is still to come.
 */
export class HomeLease {
  readonly #options: HomeLeaseOptions;
  #lease: Lease | undefined;
  #opening: Promise<void> | undefined;
  #floor = 0;
  /** At or below it every lease's floor is, of later instances, too. */
  #announced = 0;
  #committedAt = 0;
  #watchesIdleness = false;

  constructor(options: HomeLeaseOptions) {
    this.#options = options;
  }

  /** Of the lease; 0 without one. */
  get number(): number {
    return this.#lease?.number ?? 0;
  }

  get isOpen(): boolean {
    return this.#lease !== undefined;
  }

  /** One has been asked for, and is not here yet. */
  get isOpening(): boolean {
    return this.#opening !== undefined;
  }

  /** This instance commits nothing at or below it. */
  get floor(): number {
    return this.#floor;
  }

  /** A promise, or news of a revision that is to come before whatever this home does next. Kept as long as the instance lives, lease or not. */
  raiseFloor(revision: number): void {
    this.#floor = Math.max(this.#floor, revision);
  }

  /**
   * Before the home is read at a revision that it may not have come to: it stays above it, also as another instance. Nothing to wait for
   * where it does anyway. What nobody can have handed out changes nothing. @throws ApiError where the Timeline does not answer.
   */
  stayAbove(revision: number): Promise<void> | undefined {
    if (!(revision > Math.max(this.#options.revision(), this.#announced))) return undefined;
    return this.#persistently(() => this.#options.timeline.announce(revision)).then((isAnnounced) => {
      if (!isAnnounced) return;
      this.#announced = Math.max(this.#announced, revision);
      this.raiseFloor(revision);
    });
  }

  /** The revision of the next change. Only under a lease: the caller has waited for `whenOpen`. */
  next(last: number): number {
    if (!this.#lease) throw new Error("a home without a lease must not commit");
    return nextRevision(Math.max(last, this.#floor), this.#options.now(), this.#lease.slot);
  }

  /** Asks for a lease where there is none; nothing to wait for where there is. @throws ApiError where the Timeline does not answer. */
  open(): Promise<void> | undefined {
    if (this.#lease) return undefined;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Resolves with a lease that lasts at least until the caller gives up control. */
  async whenOpen(): Promise<void> {
    for (let opening = this.open(); opening; opening = this.open()) await opening;
  }

  async #open(): Promise<void> {
    const { namespace, timeline, revision, opened } = this.#options;
    let at = 0;
    // Whether or not one was lent where the answer is lost: it will be noticed that nobody holds it.
    const lease = await this.#persistently(() => {
      at = revision();
      return timeline.open(namespace, at);
    });
    this.raiseFloor(lease.floor);
    this.#announced = Math.max(this.#announced, lease.floor);
    this.#lease = lease;
    this.#committedAt = this.#options.now();
    opened(lease, at);
    this.#watchIdleness();
  }

  /** @throws ApiError ServiceUnavailable where the Timeline does not answer. */
  async #persistently<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask();
      } catch {
        if (tries === TRIES) throw noTimeline();
        const delay = RETRY_FIRST_MILLISECONDS * 2 ** (tries - 1);
        await new Promise<void>((resolve) => this.#options.later(delay, resolve));
      }
    }
  }

  committed(): void {
    this.#committedAt = this.#options.now();
  }

  /** Gives the lease back, if it is still this one. */
  close(number = this.number): void {
    if (!this.#lease || this.#lease.number !== number) return;
    const part = this.#options.lastPart();
    this.#lease = undefined;
    // Should it not arrive, the Timeline asks after a while, and finds that nobody holds the lease.
    void Promise.resolve()
      .then(() => this.#options.timeline.close(this.#options.namespace, number, part))
      .catch(() => undefined);
  }

  #watchIdleness(): void {
    if (this.#watchesIdleness) return;
    this.#watchesIdleness = true;
    this.#options.later(IDLE_MILLISECONDS, () => {
      this.#watchesIdleness = false;
      if (!this.#lease) return;
      // A clock that was set back must not keep it open for ever.
      const idle = Math.abs(this.#options.now() - this.#committedAt);
      if (idle >= IDLE_MILLISECONDS && this.#options.isTold()) this.close();
      else this.#watchIdleness();
    });
  }
}
