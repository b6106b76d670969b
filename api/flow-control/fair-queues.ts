/** What waits in a queue. */
export interface Waiting {
  /** Seats that it will take. */
  readonly width: number;
}

export interface Queuing {
  /** Queues in all; the more there are, the less likely two flows meet. */
  readonly queues: number;
  /** Queues that one flow may use. */
  readonly handSize: number;
  /** Requests in one queue. */
  readonly queueLengthLimit: number;
}

interface Queue<T> {
  readonly waiting: T[];
  /** Seats of those that wait. */
  width: number;
  /** On the clock of all queues: when its first one is due. */
  due: number;
}

/**
 * The queues of one priority level: fair between flows (start-time fair queuing, measured in seats), by shuffle sharding. Each flow is dealt
 * a hand of queues by its hash and joins the shortest of them, so that a flood fills its own hand and little else.
 */
export class FairQueues<T extends Waiting> {
  readonly #queuing: Queuing;
  /** Those that hold something, or held it so recently that their turn has not come again. */
  readonly #queues = new Map<number, Queue<T>>();
  /** The clock of all queues: when the one that was served last was due. */
  #time = 0;
  #length = 0;

  constructor(queuing: Queuing) {
    this.#queuing = queuing;
  }

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** False: all the queues of the flow are full. */
  add(item: T, flow: string): boolean {
    const queue = this.#shortestOf(hand(hashOf(flow), this.#queuing));
    if (queue.waiting.length >= this.#queuing.queueLengthLimit) return false;
    if (queue.waiting.length === 0) queue.due = Math.max(queue.due, this.#time);
    queue.waiting.push(item);
    queue.width += item.width;
    this.#length++;
    return true;
  }

  /** The next one whose turn it is, if it fits. */
  take(fits: (item: T) => boolean): T | undefined {
    let first: Queue<T> | undefined;
    for (const [index, queue] of this.#queues) {
      if (queue.waiting.length > 0) {
        if (!first || endOf(queue) < endOf(first)) first = queue;
      } else if (queue.due <= this.#time) this.#queues.delete(index);
    }
    // Nobody else goes before it: a wide request would wait for ever behind narrow ones.
    if (!first || !fits(first.waiting[0]!)) return undefined;
    const item = first.waiting.shift()!;
    this.#time = Math.max(this.#time, first.due);
    first.due += item.width;
    this.#removed(first, item);
    return item;
  }

  /** It waits no longer. */
  remove(item: T): void {
    for (const queue of this.#queues.values()) {
      const at = queue.waiting.indexOf(item);
      if (at < 0) continue;
      queue.waiting.splice(at, 1);
      this.#removed(queue, item);
      return;
    }
  }

  /** All that wait, in no order; none does any longer. */
  drain(): T[] {
    const all = [...this.#queues.values()].flatMap(({ waiting }) => waiting);
    this.#queues.clear();
    this.#length = 0;
    this.#time = 0;
    return all;
  }

  #removed(queue: Queue<T>, { width }: T): void {
    queue.width -= width;
    if (--this.#length > 0) return;
    this.#queues.clear();
    this.#time = 0;
  }

  #shortestOf(indexes: readonly number[]): Queue<T> {
    let shortest: Queue<T> | undefined;
    let unused: number | undefined;
    for (const index of indexes) {
      const queue = this.#queues.get(index);
      if (!queue) unused ??= index;
      else if (!shortest || queue.width < shortest.width) shortest = queue;
    }
    if (unused === undefined || (shortest && shortest.width === 0)) return shortest!;
    const queue: Queue<T> = { waiting: [], width: 0, due: 0 };
    this.#queues.set(unused, queue);
    return queue;
  }
}

/** When its first one will have been served. Of two that are due, the narrower one is through sooner. */
const endOf = ({ due, waiting }: Queue<Waiting>): number => due + waiting[0]!.width;

/** The queues of a flow: `handSize` different ones, dealt as from a shuffled deck (upstream's shufflesharding.Dealer). */
export function hand(hash: number, { queues, handSize }: Pick<Queuing, "queues" | "handSize">): number[] {
  const remainders: number[] = [];
  let rest = hash;
  for (let i = 0; i < handSize; i++) {
    remainders.push(rest % (queues - i));
    rest = Math.floor(rest / (queues - i));
  }
  return remainders.map((remainder, i) => {
    let card = remainder;
    for (let j = i - 1; j >= 0; j--) if (card >= remainders[j]!) card++;
    return card;
  });
}

const TWO_32 = 2 ** 32;
const HIGH_BITS = 2 ** 21;

/** 53 bits of a text: as many as a number holds. Nobody's secrets depend on it. */
function hashOf(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return ((b >>> 0) % HIGH_BITS) * TWO_32 + (a >>> 0);
}
