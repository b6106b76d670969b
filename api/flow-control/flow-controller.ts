import { ApiError } from "../status.ts";
import {
  classify,
  type FlowConfiguration,
  type FlowRequest,
  flowConfiguration,
  flowOf,
  type Level,
  type Schema,
} from "./configuration.ts";
import { FairQueues, type Queuing } from "./fair-queues.ts";

/** A place that a request has, until it leaves it. */
export interface Seat {
  leave(): void;
}

export interface FlowControllerOptions {
  /** Of all levels together. */
  readonly seats: number;
  /** Runs work after so many milliseconds (0: in a later turn of the event loop); the answer cancels it. */
  later(milliseconds: number, work: () => void): () => void;
}

/** How long a request waits at most: a quarter of what it may take in all, as upstream. */
const WAIT_MILLISECONDS_MAX = 15_000;
/**
 * No request takes a greater part of its level than this, nor more seats. Upstream's part is 0.15; one thread does not have so many large
 * lists between two requests of others.
 */
const WIDTH_PART_MAX = 0.5;
const WIDTH_MAX = 10;
/** Seats that are given to those who wait in one turn: what comes in meanwhile is to be looked at before the next large list. */
const TURN_SEATS_MAX = 10;
const RETRY_AFTER_SECONDS = 1;

/** In the words of kube-apiserver's filter. */
const tooManyRequests = (): ApiError =>
  new ApiError("TooManyRequests", "Too many requests, please try again later.", {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

interface Waiter {
  readonly width: number;
  readonly flow: string;
  start(): void;
  refuse(): void;
}

/** A priority level at work. Its seats are counted in whole ones. */
interface LevelState {
  level: Level;
  /** Its own, of which some may be lent. */
  nominal: number;
  /** Never lent. */
  least: number;
  /** With what it may borrow. */
  most: number;
  used: number;
  queues: FairQueues<Waiter> | undefined;
}

/**
 * Upstream's API priority and fairness for one thread: who may begin now, who waits, who is refused.
 *
 * Seats that a level does not use are lent at once, and come back as their borrowers end; what a level never lends is always free for
 * it: the sum of max(used, least) over all levels stays within the seats. A wide request gives its seats back a turn of the event loop
 * after it has ended, and so does every request while others wait. Work that takes one turn would never meet a limit otherwise: by the
 * time the next request is looked at, it is over.
 */
export class FlowController {
  readonly #options: FlowControllerOptions;
  readonly #levels = new Map<string, LevelState>();
  #configuration: FlowConfiguration = { schemas: [], levels: [], catchAll: undefined as never };
  /** The sum of max(used, least). */
  #taken = 0;
  #waiting = 0;
  readonly #leaving: (() => void)[] = [];

  constructor(options: FlowControllerOptions) {
    this.#options = options;
    this.configure(flowConfiguration([], []));
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What holds from now on; who waits in a level that is not there any more is refused. */
  configure(configuration: FlowConfiguration): void {
    if (configuration === this.#configuration) return;
    this.#configuration = configuration;
    const { seats } = this.#options;
    const limited = configuration.levels.filter(({ isExempt }) => !isExempt);
    const shares = limited.reduce((sum, level) => sum + sharesOf(level), 0);
    for (const name of this.#levels.keys()) {
      if (limited.some((level) => level.name === name)) continue;
      this.#replaceQueues(this.#levels.get(name)!, undefined);
      this.#levels.delete(name);
    }
    for (const level of limited) {
      const { lendablePercent = 0, borrowingLimitPercent } = level.spec.limited ?? {};
      const nominal = shares === 0 ? 0 : Math.ceil((seats * sharesOf(level)) / shares);
      const least = nominal - Math.round((nominal * lendablePercent) / 100);
      const most =
        borrowingLimitPercent === undefined ? seats : nominal + Math.round((nominal * borrowingLimitPercent) / 100);
      const known = this.#levels.get(level.name);
      const state = known ?? { level, nominal, least, most, used: 0, queues: undefined };
      const before = known && queuingOf(known.level);
      const queuing = queuingOf(level);
      Object.assign(state, { level, nominal, least, most });
      this.#levels.set(level.name, state);
      if (JSON.stringify(before) !== JSON.stringify(queuing)) this.#replaceQueues(state, queuing);
    }
    this.#taken = 0;
    for (const { used, least } of this.#levels.values()) this.#taken += Math.max(used, least);
    if (this.#waiting > 0) this.#leaveLater(() => undefined);
  }

  classify(request: FlowRequest): Schema {
    return classify(this.#configuration, request);
  }

  /**
   * A seat for a request that was classified; a promise of one where it has to wait. `width`: how many seats it would take, were there no
   * bound; at least 1. @throws ApiError TooManyRequests
   */
  enter(schema: Schema, request: FlowRequest, width: number): Seat | Promise<Seat> {
    const state = this.#levels.get(schema.level.name);
    if (!state) return NO_SEAT; // Exempt.
    const widest = Math.min(Math.max(Math.ceil(state.nominal * WIDTH_PART_MAX), 1), WIDTH_MAX);
    const bounded = Math.min(width, widest);
    if (!state.queues?.length && this.#fits(state, bounded)) return this.#start(state, bounded);
    if (!state.queues) throw tooManyRequests();
    return this.#wait(state, state.queues, flowOf(schema, request), bounded);
  }

  #fits({ used, least, most }: LevelState, width: number): boolean {
    const after = used + width;
    if (after <= least) return true;
    return after <= most && this.#taken - Math.max(used, least) + after <= this.#options.seats;
  }

  #use(state: LevelState, width: number): void {
    const before = Math.max(state.used, state.least);
    state.used += width;
    // A level that is not there any more counts no longer.
    if (this.#levels.get(state.level.name) === state) this.#taken += Math.max(state.used, state.least) - before;
  }

  #start(state: LevelState, width: number): Seat {
    this.#use(state, width);
    let hasLeft = false;
    return {
      leave: () => {
        if (hasLeft) return;
        hasLeft = true;
        if (width === 1 && this.#waiting === 0) this.#use(state, -width);
        else this.#leaveLater(() => this.#use(state, -width));
      },
    };
  }

  #wait(state: LevelState, queues: FairQueues<Waiter>, flow: string, width: number): Promise<Seat> {
    return new Promise((resolve, reject) => {
      let cancel = (): void => undefined;
      const ended = () => {
        this.#waiting--;
        cancel();
      };
      const waiter: Waiter = {
        width,
        flow,
        start: () => {
          ended();
          resolve(this.#start(state, width));
        },
        refuse: () => {
          ended();
          reject(tooManyRequests());
        },
      };
      if (!queues.add(waiter, flow)) {
        reject(tooManyRequests());
        return;
      }
      this.#waiting++;
      cancel = this.#options.later(WAIT_MILLISECONDS_MAX, () => {
        state.queues?.remove(waiter);
        waiter.refuse();
      });
    });
  }

  #leaveLater(leave: () => void): void {
    if (this.#leaving.push(leave) === 1) this.#options.later(0, () => this.#turn());
  }

  /** Those who have left give back their seats, and others begin. */
  #turn(): void {
    for (const leave of this.#leaving.splice(0)) leave();
    if (this.#waiting === 0) return;
    // Who has least of its own goes first: what was lent comes back so.
    const levels = [...this.#levels.values()].filter(({ queues }) => queues && queues.length > 0);
    levels.sort((a, b) => a.used / a.nominal - b.used / b.nominal);
    let begun = 0;
    for (const state of levels) {
      for (;;) {
        const waiter = state.queues?.take(({ width }) => this.#fits(state, width));
        if (!waiter) break;
        waiter.start();
        begun += waiter.width;
        if (begun < TURN_SEATS_MAX) continue;
        this.#leaveLater(() => undefined);
        return;
      }
    }
  }

  #replaceQueues(state: LevelState, queuing: Queuing | undefined): void {
    const waiters = state.queues?.drain() ?? [];
    state.queues = queuing && new FairQueues(queuing);
    for (const waiter of waiters) if (!state.queues?.add(waiter, waiter.flow)) waiter.refuse();
  }
}

const NO_SEAT: Seat = { leave: () => undefined };

const sharesOf = ({ spec }: Level): number => spec.limited?.nominalConcurrencyShares ?? 0;

/** Undefined: who finds no seat is refused. */
function queuingOf({ spec }: Level): Queuing | undefined {
  const { type, queuing } = spec.limited?.limitResponse ?? {};
  if (type !== "Queue" || !queuing) return undefined;
  const { queues = 1, handSize = 1, queueLengthLimit = 1 } = queuing;
  return { queues, handSize, queueLengthLimit };
}
