import type { Platform } from "../../durable-objects/home.ts";
import { type HistoryRow, SimulatedDatabase } from "./simulated-database.ts";
import { seeded } from "./simulated-homes.ts";

/** What may go wrong, and how often: each a probability, of one message or of one step. */
export interface Faults {
  /** A request or its answer never arrives; whoever asked is told that the connection was lost, and not which of the two. */
  loss: number;
  /** A request from one object to another arrives twice. */
  repetition: number;
  /** A message takes up to seconds. */
  delay: number;
  /** An object is lost, wherever it is waiting, with what it had not synced. */
  crash: number;
  /** An object is lost right after it has sent a message, which arrives late. */
  lastWords: number;
  /** A clock jumps: mostly by milliseconds, sometimes by minutes, once in a while by an hour. */
  clock: number;
  /** A disk takes up to a second for one sync. */
  slowDisk: number;
}

export const NO_FAULTS: Faults = { loss: 0, repetition: 0, delay: 0, crash: 0, lastWords: 0, clock: 0, slowDisk: 0 };

type Instance = Record<string, (...args: any[]) => unknown>;

/** What one instance of an object is given. */
export interface Surroundings {
  platform: Platform;
  /** A stub on another object: what is asked by it arrives in order, until something asked by it was lost. */
  stub<Rpc>(name: string): Rpc;
}

/** What the platform keeps of an object over its instances. */
export interface Kept {
  readonly name: string;
  readonly database: SimulatedDatabase;
  /** Milliseconds that its clock is ahead. */
  skew: number;
  life: Life | undefined;
  /** The alarm as it was set, and as it was when last synced; in the world's time. */
  alarmAt: number | undefined;
  syncedAlarmAt: number | undefined;
  isRinging: boolean;
  /** Messages that leave with the next sync. */
  leaving: (() => void)[];
}

/** One instance, from when it is made until it is lost. */
export interface Life {
  readonly kept: Kept;
  isLost: boolean;
  instance: Instance;
  /** Called when the instance is lost: whoever waits for something of it is told. */
  readonly waiting: Set<() => void>;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly owner: Life | undefined;
  readonly work: () => void;
  isCancelled: boolean;
}

const LATENCY_MILLISECONDS_MAX = 3;
const LONG_LATENCY_MILLISECONDS_MAX = 5_000;
/** How much later a message may arrive again. */
const REPETITION_MILLISECONDS = [5, 100, 10_000];
const SYNC_MILLISECONDS_MAX = 2;
const SLOW_SYNC_MILLISECONDS_MAX = 1_000;
/** A failed alarm rings again. */
const ALARM_RETRY_MILLISECONDS = 2_000;
/** How late a broken connection may be noticed. */
const NOTICE_MILLISECONDS_MAX = 300;
const BEHIND_MILLISECONDS_MAX = 3_000;
/** Chunks of a stream on their way or unread by whoever reads it. */
const STREAM_CHUNKS_MAX = 4;

/** Its receiver relies on the platform: such a message comes once, and not after one of its sender's next instance. */
const ONCE_METHODS = new Set(["deliver"]);

/** Messages, or answers to them, after which an object is lost most gladly: they say what it has done and what it will not do. */
const WORDS = new Set(["open", "push", "close", "promise"]);

export const LOST = "Network connection lost.";

/** A platform of Durable Objects and a network, with one clock and one source of all that seems random. */
export class SimulatedWorld {
  /** Milliseconds since 1970. */
  now = Date.UTC(2026, 10, 22, 12);
  readonly random: () => number;
  faults: Faults = NO_FAULTS;
  readonly kept = new Map<string, Kept>();
  readonly #make: (name: string, surroundings: Surroundings) => object;
  readonly #events: WorldEvents;
  readonly #heap: Timer[] = [];
  #order = 0;
  #ids = 0;
  #digest = 0x811c9dc5;
  steps = 0;
  /** From one object to another; clients' are not counted. */
  messages = 0;
  crashes = 0;

  constructor(
    seed: number,
    make: (name: string, surroundings: Surroundings) => object,
    events: WorldEvents = NO_EVENTS,
  ) {
    this.random = seeded(seed);
    this.#make = make;
    this.#events = events;
  }

  /** Tells this run from others: the same seed has the same. */
  get digest(): string {
    return (this.#digest >>> 0).toString(16).padStart(8, "0");
  }

  trace(text: string | (() => string)): void {
    if (!this.#events.trace) return;
    this.#events.trace(`${(this.now % 86_400_000).toFixed(2)} ${typeof text === "string" ? text : text()}`);
  }

  /** At least 0, below `max`. */
  upTo(max: number): number {
    return this.random() * max;
  }

  /** Of the given ones. */
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability;
  }

  later(milliseconds: number, work: () => void, owner?: Life): Timer {
    const at = this.now + Math.max(0, milliseconds);
    const timer: Timer = { at, order: this.#order++, owner, work, isCancelled: false };
    push(this.#heap, timer);
    return timer;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.later(milliseconds, resolve));
  }

  /** When the next thing happens; infinite where nothing is to come. */
  get nextAt(): number {
    for (;;) {
      const [first] = this.#heap;
      if (!first) return Number.POSITIVE_INFINITY;
      if (!first.isCancelled && !first.owner?.isLost) return first.at;
      pop(this.#heap);
    }
  }

  /** Lets the next thing happen that is due until then, and all that follows from it at once; answers whether there was one. */
  async step(until: number): Promise<boolean> {
    const at = this.nextAt;
    if (at > until) {
      this.now = Math.max(this.now, until);
      return false;
    }
    this.now = Math.max(this.now, at);
    this.steps++;
    const timer = pop(this.#heap)!;
    this.#digest = Math.imul(this.#digest ^ ((timer.order * 31 + Math.floor(this.now * 64)) | 0), 0x01000193);
    timer.work();
    await new Promise((resolve) => setImmediate(resolve));
    this.#fail();
    return true;
  }

  async pass(milliseconds: number): Promise<void> {
    const until = this.now + milliseconds;
    while (await this.step(until));
  }

  #fail(): void {
    if (this.chance(this.faults.crash)) this.lose(this.pick([...this.kept.keys()]));
    if (this.chance(this.faults.clock)) this.#jump(this.pick([...this.kept.values()]));
  }

  #jump(kept: Kept): void {
    const kind = this.random();
    const size = kind < 0.35 ? 50 : kind < 0.8 ? 3_000 : kind < 0.97 ? 180_000 : 3_600_000;
    kept.skew = Math.round((this.random() - 0.5) * 2 * size);
    this.trace(() => `clock of ${kept.name} is ${kept.skew} ms off`);
  }

  /** An instance is lost, wherever it is waiting. */
  lose(name: string): void {
    const kept = this.kept.get(name);
    const life = kept?.life;
    if (!kept || !life) return;
    this.crashes++;
    this.trace(() => `LOST ${name}${kept.database.isDirty ? " with what it had not synced" : ""}`);
    life.isLost = true;
    kept.life = undefined;
    kept.leaving = [];
    if (kept.database.isDirty) {
      kept.database.lose();
      kept.alarmAt = kept.syncedAlarmAt;
      this.#events.lost(name);
    }
    if (kept.isRinging) kept.alarmAt = Math.min(kept.alarmAt ?? Infinity, this.now + ALARM_RETRY_MILLISECONDS);
    kept.isRinging = false;
    if (kept.alarmAt !== undefined) this.#watchAlarm(kept);
    for (const notify of life.waiting) notify();
    // A new instance may live on another machine.
    if (this.faults.clock > 0 && this.chance(0.4)) this.#jump(kept);
  }

  /** Calls an object as a client does. */
  stub<Rpc>(name: string): Rpc {
    return this.#stub(undefined, name) as Rpc;
  }

  keptOf(name: string): Kept {
    let kept = this.kept.get(name);
    if (!kept) {
      const made: Kept = {
        name,
        database: new SimulatedDatabase({
          dirty: () => this.#syncLater(made),
          committed: (rows) => this.#events.committed(name, rows),
        }),
        skew: 0,
        life: undefined,
        alarmAt: undefined,
        syncedAlarmAt: undefined,
        isRinging: false,
        leaving: [],
      };
      if (this.faults.clock > 0) this.#jump(made);
      this.kept.set(name, made);
      kept = made;
    }
    return kept;
  }

  lifeOf(name: string): Life {
    const kept = this.keptOf(name);
    if (kept.life) return kept.life;
    const life: Life = { kept, isLost: false, instance: {}, waiting: new Set() };
    kept.life = life;
    life.instance = this.#make(name, {
      platform: this.#platformOf(life),
      stub: <Rpc>(other: string) => this.#stub(life, other) as Rpc,
    }) as Instance;
    return life;
  }

  #platformOf(life: Life): Platform {
    const { kept } = life;
    // What a lost instance would still do if it could must not show.
    const alive = <T>(work: () => T): T => {
      if (life.isLost) throw new Error(`${kept.name} was lost`);
      return work();
    };
    const now = () => Math.floor(this.now + kept.skew);
    return {
      database: {
        exec: (query, ...bindings) => alive(() => kept.database.exec(query, ...bindings)),
        transaction: (work) => alive(() => kept.database.transaction(work)),
      },
      now,
      uuid: () => `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, "0")}`,
      random: this.random,
      later: (milliseconds, work) => {
        const timer = this.later(milliseconds, work, life);
        return () => {
          timer.isCancelled = true;
        };
      },
      gather: (work) => {
        if (kept.database.isDirty) this.later(0, work, life);
        else queueMicrotask(() => !life.isLost && work());
      },
      setAlarm: (at) =>
        alive(() => {
          kept.alarmAt = this.now + Math.max(1, at - now());
          if (!kept.database.isDirty) kept.syncedAlarmAt = kept.alarmAt;
          this.#watchAlarm(kept);
        }),
    };
  }

  #watchAlarm(kept: Kept): void {
    const at = kept.alarmAt!;
    this.later(at - this.now, () => {
      if (kept.alarmAt !== at || kept.isRinging) return;
      kept.alarmAt = undefined;
      if (!kept.database.isDirty) kept.syncedAlarmAt = undefined;
      kept.isRinging = true;
      const life = this.lifeOf(kept.name);
      this.trace(() => `${kept.name} alarm`);
      void this.#ring(life);
    });
  }

  async #ring(life: Life): Promise<void> {
    const { kept } = life;
    try {
      await life.instance["alarm"]!();
    } catch (error) {
      if (!life.isLost) kept.alarmAt ??= this.now + ALARM_RETRY_MILLISECONDS;
      this.trace(() => `${kept.name} alarm failed: ${String(error)}`);
    }
    if (life.isLost) return;
    kept.isRinging = false;
    if (kept.alarmAt !== undefined) this.#watchAlarm(kept);
  }

  #syncLater(kept: Kept): void {
    const { life } = kept;
    const max = this.chance(this.faults.slowDisk) ? SLOW_SYNC_MILLISECONDS_MAX : SYNC_MILLISECONDS_MAX;
    this.later(
      this.upTo(max),
      () => {
        // What an instance writes while it is made is not yet known to be its own.
        if (life?.isLost || !kept.database.isDirty) return;
        kept.database.sync();
        kept.syncedAlarmAt = kept.alarmAt;
        this.#events.synced(kept.name);
        for (const leave of kept.leaving.splice(0)) leave();
      },
      life,
    );
  }

  /** The output gate: nothing leaves an instance before what it has written is there for good. */
  #leave(life: Life | undefined, message: () => void): void {
    if (life?.isLost) return;
    if (life?.kept.database.isDirty) life.kept.leaving.push(message);
    else message();
  }

  /** It is lost when it has hardly spoken, and its next instance lives by a clock that is behind. */
  #loseSoon(life: Life): void {
    this.later(this.upTo(2), () => {
      if (life.isLost) return;
      const { kept } = life;
      this.lose(kept.name);
      if (this.faults.clock === 0) return;
      kept.skew -= Math.round(this.upTo(BEHIND_MILLISECONDS_MAX));
      this.trace(() => `clock of ${kept.name} is ${kept.skew} ms off`);
    });
  }

  #latency(): number {
    return this.upTo(this.chance(this.faults.delay) ? LONG_LATENCY_MILLISECONDS_MAX : LATENCY_MILLISECONDS_MAX);
  }

  #stub(from: Life | undefined, to: string): unknown {
    const lane = { lastAt: 0 };
    const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>();
    return new Proxy(
      {},
      {
        get: (_, method) => {
          if (typeof method !== "string" || method === "then") return undefined;
          let call = methods.get(method);
          if (!call) {
            call = (...args) => this.#call(from, to, lane, method, args);
            methods.set(method, call);
          }
          return call;
        },
      },
    );
  }

  #call(from: Life | undefined, to: string, lane: { lastAt: number }, method: string, args: unknown[]) {
    return new Promise<unknown>((resolve, reject) => {
      if (from?.isLost) return;
      const message = copied(args) as unknown[];
      const who = from?.kept.name ?? "client";
      const settle = (work: () => void): void => {
        if (!from?.isLost) work();
      };
      const fail = (why: string): void => {
        lane.lastAt = 0;
        this.trace(() => `${who} → ${to}.${method} FAILS: ${why}`);
        settle(() => reject(new Error(why)));
      };
      const answer = (life: Life, error: unknown, value: unknown): void =>
        this.#leave(life, () => {
          const isLost = this.chance(this.faults.loss);
          const back = value === undefined ? value : this.#transfer(life, from, value);
          if (isLost) cancelStreams(back);
          const isLast = WORDS.has(method) && from !== undefined && this.chance(this.faults.lastWords);
          if (isLast) this.#loseSoon(life);
          const milliseconds = isLast ? this.upTo(LONG_LATENCY_MILLISECONDS_MAX) : this.#latency();
          this.later(isLost ? this.upTo(NOTICE_MILLISECONDS_MAX) : milliseconds, () => {
            if (isLost) return fail(LOST);
            if (error !== undefined) return fail(error instanceof Error ? error.message : String(error));
            this.trace(() => `${who} ← ${to}.${method} ${brief(back)}`);
            if (from?.isLost) cancelStreams(back);
            settle(() => resolve(back));
          });
        });
      this.#leave(from, () => {
        if (from) this.messages++;
        if (this.chance(this.faults.loss)) {
          this.later(this.upTo(NOTICE_MILLISECONDS_MAX), () => fail(LOST));
          return;
        }
        const isLast = from !== undefined && WORDS.has(method) && this.chance(this.faults.lastWords);
        if (isLast) this.#loseSoon(from);
        const at = Math.max(
          this.now + (isLast ? this.upTo(LONG_LATENCY_MILLISECONDS_MAX) : this.#latency()),
          lane.lastAt,
        );
        lane.lastAt = at;
        this.later(at - this.now, () => {
          if (from?.isLost && ONCE_METHODS.has(method)) return;
          this.trace(() => `${who} → ${to}.${method} ${brief(message)}`);
          this.#arrive(to, method, message, answer, () =>
            this.later(this.upTo(NOTICE_MILLISECONDS_MAX), () => fail(LOST)),
          );
        });
        if (from && !ONCE_METHODS.has(method) && this.chance(this.faults.repetition)) {
          this.later(at - this.now + this.upTo(this.pick(REPETITION_MILLISECONDS)), () => {
            this.trace(() => `${who} → ${to}.${method} AGAIN`);
            this.#arrive(
              to,
              method,
              structuredClone(args),
              () => undefined,
              () => undefined,
            );
          });
        }
      });
    });
  }

  #arrive(
    to: string,
    method: string,
    args: unknown[],
    answer: (life: Life, error: unknown, value: unknown) => void,
    lost: () => void,
  ): void {
    const life = this.lifeOf(to);
    let isOver = false;
    const loss = () => {
      if (!isOver) lost();
      isOver = true;
    };
    life.waiting.add(loss);
    const done = (error: unknown, value: unknown): void => {
      if (isOver || life.isLost) return;
      // Still waits until the answer has left.
      this.#leave(life, () => {
        isOver = true;
        life.waiting.delete(loss);
        answer(life, error, value);
      });
    };
    void (async () => await life.instance[method]!(...args))().then(
      (value) => done(undefined, value),
      (error) => done(error ?? new Error("failed"), undefined),
    );
  }

  /** What an answer is on the other side: streams are read across the network, all else is copied. */
  #transfer(life: Life, to: Life | undefined, value: unknown): unknown {
    return copied(value, (stream) => this.#pipe(life, to, stream));
  }

  /** A stream ends with the instance that writes it; one whose reader is lost is cancelled. */
  #pipe(life: Life, to: Life | undefined, stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = stream.getReader();
    let unread = 0;
    let lastAt = 0;
    let isReading = false;
    let isOver = false;
    let controller!: ReadableByteStreamController;
    /** In order, after the network. */
    const arrive = (work: () => void): void => {
      const at = Math.max(this.now + this.#latency(), lastAt);
      lastAt = at;
      this.later(at - this.now, work);
    };
    const end = (work: () => void): void => {
      if (isOver) return;
      isOver = true;
      life.waiting.delete(loss);
      to?.waiting.delete(cancel);
      try {
        work();
        controller.byobRequest?.respond(0);
      } catch {
        // Its reader has gone.
      }
    };
    const loss = () => arrive(() => end(() => controller.error(new Error(LOST))));
    life.waiting.add(loss);
    const cancel = () => {
      isOver = true;
      life.waiting.delete(loss);
      to?.waiting.delete(cancel);
      arrive(() => !life.isLost && void reader.cancel().catch(() => undefined));
    };
    to?.waiting.add(cancel);
    const pump = (): void => {
      if (isReading || isOver || life.isLost || unread >= STREAM_CHUNKS_MAX) return;
      isReading = true;
      reader.read().then(
        ({ done, value }) => {
          if (life.isLost) return;
          this.#leave(life, () => {
            isReading = false;
            if (this.chance(this.faults.loss / 4)) {
              void reader.cancel().catch(() => undefined);
              loss();
              return;
            }
            if (done) return arrive(() => end(() => controller.close()));
            unread++;
            const bytes = value.slice();
            arrive(() => {
              if (!isOver) controller.enqueue(bytes);
            });
            pump();
          });
        },
        (error) => {
          if (!life.isLost) arrive(() => end(() => controller.error(error)));
        },
      );
    };
    return new ReadableStream(
      {
        type: "bytes",
        start: (own) => {
          controller = own as ReadableByteStreamController;
          pump();
        },
        pull: () => {
          unread = Math.max(0, unread - 1);
          pump();
        },
        cancel,
      },
      { highWaterMark: 0 },
    );
  }

  close(): void {
    for (const { life, database } of this.kept.values()) {
      if (life) life.isLost = true;
      database.close();
    }
  }
}

export interface WorldEvents {
  /** In a transaction of the object, not yet synced. */
  committed(name: string, rows: HistoryRow[]): void;
  synced(name: string): void;
  /** What was committed since the last sync never was. */
  lost(name: string): void;
  trace?: (line: string) => void;
}

const NO_EVENTS: WorldEvents = { committed: () => undefined, synced: () => undefined, lost: () => undefined };

const BRIEF_CHARS = 220;

const brief = (value: unknown): string => {
  const text =
    JSON.stringify(value, (_, part) =>
      typeof part === "string" && part.length > 60 ? `${part.slice(0, 60)}…` : part,
    ) ?? "";
  return text.length > BRIEF_CHARS ? `${text.slice(0, BRIEF_CHARS)}…` : text;
};

/** A copy as a message makes it; faster than `structuredClone`. @throws for what cannot be sent */
function copied(value: unknown, passStream?: (stream: ReadableStream<Uint8Array>) => unknown): unknown {
  if (typeof value === "function") throw new Error("a function cannot be sent");
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item) => copied(item, passStream));
  if (value instanceof ReadableStream) {
    if (!passStream) throw new Error("no stream can be sent with a request");
    return passStream(value);
  }
  if (Object.getPrototypeOf(value) !== Object.prototype)
    throw new Error(`an instance of ${value.constructor?.name} cannot be sent`);
  const copy: Record<string, unknown> = {};
  for (const key in value) copy[key] = copied((value as Record<string, unknown>)[key], passStream);
  return copy;
}

/** Nobody will read what was answered. */
function cancelStreams(value: unknown): void {
  for (const field of typeof value === "object" && value !== null ? [value, ...Object.values(value)] : [])
    if (field instanceof ReadableStream) void field.cancel().catch(() => undefined);
}

const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Timer[], timer: Timer): void {
  let i = heap.length;
  heap.push(timer);
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!isBefore(timer, heap[parent]!)) break;
    heap[i] = heap[parent]!;
    i = parent;
  }
  heap[i] = timer;
}

function pop(heap: Timer[]): Timer | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (heap.length === 0 || !last) return first;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[i] = heap[child]!;
    i = child;
  }
  heap[i] = last;
  return first;
}
