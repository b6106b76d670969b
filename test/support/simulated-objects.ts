import { AsyncLocalStorage } from "node:async_hooks";
import { nodeSql } from "./node-sql.ts";

type Instance = Record<string, (...args: any[]) => unknown>;

/** What the platform keeps of a Durable Object. */
interface Kept {
  readonly key: string;
  readonly database: ReturnType<typeof nodeSql>;
  readonly values: Map<string, unknown>;
  alarmAt: number | undefined;
}

/** One instance, from when it is made until it is lost. */
interface Life {
  readonly kept: Kept;
  isLost: boolean;
  /** Its alarm has rung, and is not over. */
  isRinging: boolean;
  instance: Instance;
  /** Who waits for an answer of it. */
  readonly waiting: Set<(error: Error) => void>;
}

interface Timer {
  at: number;
  order: number;
  owner: Life | undefined;
  work(): void;
}

/** What `env` says of a class, and where the instances' code is. */
export type Classes = Record<string, (new (state: any, env: any) => object) | undefined>;

const LATENCY_MILLISECONDS_MAX = 4;
/** A failed alarm rings again. */
const ALARM_RETRY_MILLISECONDS = 2_000;

/** Waits that never end: whoever asked is gone. */
const NEVER = new Promise<never>(() => undefined);

/**
 * A platform of Durable Objects in one process, with a clock of its own: calls take time and keep their order, an instance
 * may be lost whenever it waits, and what it had stored is there for the next. While it runs, timers and `Date.now` are its own.
 */
export class SimulatedObjects {
  now = Date.UTC(2026, 10, 22, 12);
  readonly env: Record<string, unknown> = {};
  readonly #classes: Classes;
  readonly #random: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #lives = new Map<string, Life>();
  readonly #current = new AsyncLocalStorage<Life>();
  #timers: Timer[] = [];
  #order = 0;

  /** `others`: bindings whose objects the test plays itself, by name. */
  constructor(classes: Classes, others: Record<string, (name: string) => Instance>, random: () => number) {
    this.#classes = classes;
    this.#random = random;
    for (const name of Object.keys(classes)) this.env[name] = this.#binding((id) => this.stub(name, id));
    for (const [name, objectOf] of Object.entries(others))
      this.env[name] = this.#binding((id) => this.#remote(() => objectOf(id)));
  }

  /** Runs work with the simulation's clock and timers instead of the process's. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const real = { setTimeout, clearTimeout, setInterval, clearInterval, now: Date.now };
    const clear = (timer: unknown) => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
    Object.assign(globalThis, {
      setTimeout: (call: () => void, milliseconds = 0) => this.later(milliseconds, call),
      clearTimeout: clear,
      // Bookmarks alone are sent by intervals.
      setInterval: () => undefined,
      clearInterval: clear,
    });
    Date.now = () => this.now;
    try {
      return await work();
    } finally {
      // What was begun must not go on in the real time.
      for (const key of this.living) this.lose(key);
      await new Promise((resolve) => setImmediate(resolve));
      const { now, ...timers } = real;
      Object.assign(globalThis, timers);
      Date.now = now;
    }
  }

  /** The databases of a class's objects, by the objects' names. */
  *databases(className: string): Iterable<[string, ReturnType<typeof nodeSql>]> {
    for (const { key, database } of this.#kept.values()) {
      const [kind, name] = parted(key);
      if (kind === className) yield [name, database];
    }
  }

  /** Calls an object as the rest of the world does. */
  stub<Rpc>(className: string, name: string): Rpc {
    return this.#remote(() => this.#life(`${className} ${name}`)) as Rpc;
  }

  /** A timer of whoever asks: it does not outlive that instance. */
  later(milliseconds: number, work: () => void): Timer {
    const timer = {
      at: this.now + Math.max(0, milliseconds),
      order: this.#order++,
      owner: this.#current.getStore(),
      work,
    };
    this.#timers.push(timer);
    return timer;
  }

  /** An instance is lost, wherever it is waiting. Answers whether there was one. */
  lose(key: string): boolean {
    const life = this.#lives.get(key);
    if (!life) return false;
    life.isLost = true;
    if (life.isRinging) life.kept.alarmAt ??= this.now + ALARM_RETRY_MILLISECONDS;
    this.#lives.delete(key);
    this.#timers = this.#timers.filter(({ owner }) => owner !== life);
    for (const reject of life.waiting) reject(new Error(`${key} was lost`));
    return true;
  }

  get living(): string[] {
    return [...this.#lives.keys()].sort();
  }

  /** When the next thing happens; infinite where nothing is to come. */
  get nextAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#timers) next = Math.min(next, at);
    for (const { alarmAt } of this.#kept.values()) next = Math.min(next, alarmAt ?? Number.POSITIVE_INFINITY);
    return next;
  }

  /** Lets the next thing happen that is due until then, and all that follows from it at once; answers whether there was one. */
  async step(until: number): Promise<boolean> {
    const at = this.nextAt;
    if (at > until) {
      this.now = Math.max(this.now, until);
      return false;
    }
    this.now = Math.max(this.now, at);
    const timer = this.#timers.reduce<Timer | undefined>(
      (first, each) =>
        !first || each.at < first.at || (each.at === first.at && each.order < first.order) ? each : first,
      undefined,
    );
    if (timer && timer.at <= at) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      if (timer.owner) this.#current.run(timer.owner, timer.work);
      else this.#current.exit(timer.work);
    } else {
      for (const kept of this.#kept.values()) if ((kept.alarmAt ?? Number.POSITIVE_INFINITY) <= at) this.#ring(kept);
    }
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  }

  #ring(kept: Kept): void {
    kept.alarmAt = undefined;
    const life = this.#life(kept.key);
    life.isRinging = true;
    void this.#current.run(life, async () => {
      try {
        await life.instance["alarm"]!();
      } catch {
        if (!life.isLost) kept.alarmAt ??= this.now + ALARM_RETRY_MILLISECONDS;
      }
      life.isRinging = false;
    });
  }

  #life(key: string): Life {
    const known = this.#lives.get(key);
    if (known) return known;
    let kept = this.#kept.get(key);
    if (!kept) {
      kept = { key, database: nodeSql(), values: new Map(), alarmAt: undefined };
      this.#kept.set(key, kept);
    }
    const life: Life = { kept, isLost: false, isRinging: false, instance: {}, waiting: new Set() };
    this.#lives.set(key, life);
    const [className, name] = parted(key);
    life.instance = this.#current.run(
      life,
      () => new this.#classes[className]!(this.#stateOf(life, name), this.env) as Instance,
    );
    return life;
  }

  #stateOf(life: Life, name: string): unknown {
    const { kept } = life;
    // What a lost instance would still do if it could must not show.
    const alive = <T>(work: () => T): T => {
      if (life.isLost) throw new Error(`${kept.key} was lost`);
      return work();
    };
    return {
      id: { name },
      waitUntil: () => undefined,
      storage: {
        sql: { exec: (query: string, ...bindings: any[]) => alive(() => kept.database.exec(query, ...bindings)) },
        transactionSync: (work: () => unknown) => alive(() => kept.database.transaction(work)),
        kv: {
          get: (key: string) => alive(() => kept.values.get(key)),
          put: (key: string, value: unknown) => alive(() => kept.values.set(key, value)),
        },
        sync: () => new Promise<void>((resolve) => void this.later(1, resolve)),
        setAlarm: async (at: number) => {
          if (!life.isLost) kept.alarmAt = at;
        },
      },
    };
  }

  #binding(get: (name: string) => unknown): unknown {
    return { idFromName: (name: string) => name, get };
  }

  /** One stub: what is asked by it arrives in order; an answer may be lost with either side. */
  #remote(target: () => Life | Instance): unknown {
    let lastAt = 0;
    const pass = (inOrder: boolean): Promise<void> =>
      new Promise((resolve) => {
        const at = Math.max(this.now + this.#random() * LATENCY_MILLISECONDS_MAX, inOrder ? lastAt : 0);
        if (inOrder) lastAt = at;
        // The message travels whether or not its sender is still there.
        this.#current.exit(() => this.later(at - this.now, resolve));
      });
    const ask = async (method: string, args: unknown[]): Promise<unknown> => {
      await pass(true);
      const found = target();
      if (!isLife(found)) return await this.#current.exit(async () => await found[method]!(...args));
      let reject: (error: Error) => void = () => undefined;
      const loss = new Promise<never>((_, rejectLoss) => {
        reject = rejectLoss;
      });
      found.waiting.add(reject);
      try {
        const answer = this.#current.run(found, async () => await found.instance[method]!(...args));
        return await Promise.race([answer, loss]);
      } finally {
        found.waiting.delete(reject);
      }
    };
    const call = async (method: string, args: unknown[]): Promise<unknown> => {
      const caller = this.#current.getStore();
      if (caller?.isLost) return await NEVER;
      const answer = ask(method, structuredClone(args)).finally(() => pass(false));
      return await answer.finally(() => (caller?.isLost ? NEVER : undefined));
    };
    return new Proxy(
      {},
      {
        get: (_, method) =>
          typeof method !== "string" || method === "then" ? undefined : (...args: unknown[]) => call(method, args),
      },
    );
  }
}

const isLife = (found: Life | Instance): found is Life => "kept" in found;

const parted = (key: string): [string, string] => {
  const space = key.indexOf(" ");
  return [key.slice(0, space), key.slice(space + 1)];
};
