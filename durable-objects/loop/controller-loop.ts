import type { KindRef } from "../../api/kind.ts";
import { Event, type EventObject } from "../../api/kinds/event.ts";
import type { User } from "../../api/object.ts";
import { ApiError, resourceName } from "../../api/status.ts";
import type { AnyController, Context, HomeView, Plan, Write } from "../controllers/controller.ts";
import type { Change } from "../store/stored.ts";
import type { ReadTransaction, Synchronous, WriteTransaction } from "../store/transaction.ts";
import { NeedsAnswers } from "../verbs/answers.ts";
import { contextOf, controllerUser } from "./context.ts";
import { EventRecorder } from "./events.ts";
import type { LoopHome } from "./loop-home.ts";
import { ObjectCache } from "./object-cache.ts";
import { PlanAnswers, type WriteAttempt } from "./plan-answers.ts";
import { Progress } from "./progress.ts";
import { type Worker, workerOf } from "./worker.ts";

/** Bounds of one pass: whichever is reached first ends it, after the object in hand. */
export const PASS_KEYS_MAX = 500;
export const PASS_WRITES_MAX = 500;
export const PASS_MILLISECONDS_MAX = 50;
/** No single plan may wish more: a controller cuts its work into passes itself. */
export const PLAN_WRITES_MAX = 1_000;
/** Changes read from history at a time. */
const CHANGES_READ_MAX = 500;
/** A pass that wrote nothing leaves the cursor where it is until so many changes lie behind it: reading again is free. */
const CURSOR_LAG_MAX = 500;
/** Back-off of an object whose pass failed: doubles from the first to the last. */
const BACKOFF_FIRST_MILLISECONDS = 250;
const BACKOFF_LAST_MILLISECONDS = 300_000;
/** A timer's object that waits for answers is looked at again after this, should they not come in this process's life. */
const ANSWERS_MILLISECONDS = 60_000;

export interface LoopOptions {
  home: LoopHome;
  controllers: readonly AnyController[];
  /** All kinds that the home may hold. */
  kinds: readonly KindRef[];
  /** Those of the cluster's own kinds that are known by now. */
  customKinds?(): readonly KindRef[];
  /** Empty in the ClusterHome. */
  namespace: string;
  /** Milliseconds since 1970; bounds a pass. */
  clock(): number;
  /** At least 0, below 1. */
  random(): number;
  /** Something that controllers had to ask elsewhere has been answered: `run` is wanted. */
  answered?(): void;
  /** Where Events go that are not this home's (those about cluster-scoped objects), once the pass has committed. */
  sendEvent?(event: EventObject): void;
}

export interface PassFailure {
  controller: string;
  key: string;
  /** How many times in a row; 0 where a change could not be understood. */
  attempts: number;
  error: unknown;
}

/** What a pass did. */
export interface PassReport {
  keys: number;
  writes: number;
  failures: PassFailure[];
}

/** A wish that was not carried out, and why: an ApiError where it was refused, anything else is a bug. */
export interface RefusedWrite {
  write: Write;
  error: unknown;
}

/** What became of a decision. */
export interface CarriedOut<Decision extends Plan> {
  decision: Decision;
  refused: RefusedWrite[];
}

interface Outcome {
  writes: number;
  plan: Plan;
  /** For other homes. */
  events: EventObject[];
  /** Why it is to be tried again. */
  error?: unknown;
}

/**
 * Runs the controllers of one home. The store's history is the work queue: changes name the objects to look at, and the
 * cursor follows when these have been looked at. A pass is one transaction, cursor and timers included; within it each
 * object is a part that fails alone. A loop that is made anew (the object was evicted, the process killed) goes on from
 * the stored cursor: some objects are looked at twice, none is forgotten.
 */
export class ControllerLoop {
  readonly #options: LoopOptions;
  readonly #home: LoopHome;
  readonly #workers: ReadonlyMap<string, Worker>;
  readonly #cache: ObjectCache;
  readonly #recorder = new EventRecorder();
  #progress: Progress;
  /**
   * Keys to look at (never more than there are objects and controllers), with the change not yet dealt with that named
   * each first. A timer's key has none.
   */
  readonly #pending = new Map<string, number | undefined>();
  /** Keys that have asked for the next pass. */
  readonly #postponed = new Map<string, number | undefined>();
  /** Keys whose plans wait for answers from elsewhere, with the change that named each. */
  readonly #waiting = new Map<string, number | undefined>();
  readonly #tries = new Map<string, PlanAnswers>();
  /** Of the last change that was read. */
  #readTo = 0;
  /** The store's revision when all had been read; where an undone part has used up revisions, more than `readTo`. */
  #seen = -1;
  /** Changes read since the cursor was stored. */
  #unsaved = 0;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#home = options.home;
    this.#cache = new ObjectCache(options.kinds, options.customKinds);
    const kindOf = (resource: string) => this.#cache.kindOf(resource);
    this.#workers = new Map(options.controllers.map((controller) => [controller.name, workerOf(controller, kindOf)]));
    this.#progress = new Progress(this.#home.store.database);
    this.#readTo = this.#progress.cursor ?? 0;
  }

  /** When `run` is wanted, in milliseconds since 1970: 0 is now, undefined never (until something changes). */
  nextDueAt(): number | undefined {
    const waiting = this.#pending.size > 0 || this.#postponed.size > 0 || this.#seen !== this.#home.store.revision;
    return waiting ? 0 : this.#progress.nextDueAt();
  }

  /** One bounded pass. What a controller or a refused write did wrong is in the report; only the store's own failure throws. */
  run(now: number): PassReport {
    const report: PassReport = { keys: 0, writes: 0, failures: [] };
    const events: EventObject[] = [];
    const { store } = this.#home;
    this.#guard(() => {
      const isFirst = this.#progress.cursor === undefined && this.#seen < 0;
      if (!isFirst) store.read((tx) => this.#readChanges(tx, report));
      for (const [key, since] of this.#postponed) this.#enqueue(key, since);
      this.#postponed.clear();
      for (const key of this.#progress.due(now)) this.#enqueue(key, undefined);
      // Most changes concern nobody here: they cost no transaction.
      if (isFirst || this.#pending.size > 0 || this.#unsaved >= CURSOR_LAG_MAX)
        store
          .write((tx) => {
            if (isFirst) this.#enqueueAll(tx);
            this.#pass(tx, now, report, events);
            return this.#saveProgress(tx, report.writes > 0);
          })
          .committed();
    });
    this.#seen = store.revision;
    this.#cache.trim();
    for (const event of events) this.#options.sendEvent?.(event);
    for (const [id, tries] of this.#tries) if (tries.asking.length > 0) void this.#ask(id, tries);
    return report;
  }

  /** Answers are awaited: should the process end before they come, the home has to run the loop again. */
  get isAsking(): boolean {
    return this.#waiting.size > 0;
  }

  async #ask(id: string, tries: PlanAnswers): Promise<void> {
    const asked = tries.ask();
    tries.asking = [];
    await asked;
    const since = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#enqueue(id, since);
    this.#options.answered?.();
  }

  /** Has a controller look at an object because of something that is not in the store (a node's link). Not kept over a restart. */
  look(controller: AnyController, name: string): void {
    this.#enqueue(`${controller.name} ${name}`, undefined);
  }

  /**
   * Carries out a decision that no change asked for (the deletion of a namespace's contents), in one transaction. Each write
   * fails alone: one that is refused does not stall the others. Answers the decision, and what was refused.
   */
  carryOut<Decision extends Plan>(
    name: string,
    now: number,
    decide: (view: HomeView, context: Context) => Decision,
    /** What some of its writes asked in an earlier try. */
    tries = new PlanAnswers(now, this.#options.random),
  ): CarriedOut<Decision> {
    const events: EventObject[] = [];
    const work = (tx: WriteTransaction): CarriedOut<Decision> => {
      this.#readChanges(tx);
      tries.begin();
      const decision = decide(this.#cache.open(tx), this.#context(tries));
      if (decision.writes.length > PLAN_WRITES_MAX) throw new Error(`${name} wishes ${decision.writes.length} writes`);
      const refused: RefusedWrite[] = [];
      const user = controllerUser(name);
      for (const write of decision.writes) {
        const error = this.#applyOne(tx, write, name, user, tries, events);
        if (error !== undefined && !(error instanceof NeedsAnswers)) refused.push({ write, error });
      }
      return { decision, refused };
    };
    const result = this.#guard(() =>
      this.#home.store.write(work as (tx: WriteTransaction) => Synchronous<CarriedOut<Decision>>),
    );
    for (const event of events) this.#options.sendEvent?.(event);
    return result;
  }

  /** A throw has undone everything: what is in memory is read anew. */
  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#cache.clear();
      this.#pending.clear();
      this.#postponed.clear();
      this.#progress = new Progress(this.#home.store.database);
      this.#readTo = this.#progress.cursor ?? 0;
      this.#seen = -1;
      throw error;
    }
  }

  #pass(tx: WriteTransaction, now: number, report: PassReport, events: EventObject[]): void {
    const endsAt = this.#options.clock() + PASS_MILLISECONDS_MAX;
    const isOver = () =>
      report.keys >= PASS_KEYS_MAX || report.writes >= PASS_WRITES_MAX || this.#options.clock() >= endsAt;
    do {
      // In rounds: what the first of a round causes is looked at when the last of it is done. Many changes, one look.
      for (const [key, since] of [...this.#pending]) {
        this.#pending.delete(key);
        this.#work(tx, key, since, now, report, events);
        this.#readChanges(tx, report);
        if (isOver()) return;
      }
    } while (this.#pending.size > 0);
  }

  #enqueue(key: string, since: number | undefined): void {
    if (!this.#pending.has(key) || this.#pending.get(key) === undefined) this.#pending.set(key, since);
  }

  #readChanges(tx: ReadTransaction, report?: PassReport): void {
    let view: HomeView | undefined;
    for (;;) {
      const changes = this.#home.store.changes(this.#readTo, { limit: CHANGES_READ_MAX });
      if (!changes) {
        this.#enqueueAll(tx);
        return;
      }
      for (const change of changes) this.#cache.apply(change);
      view ??= this.#cache.open(tx);
      for (const change of changes) this.#route(change, view, report);
      this.#readTo = changes.at(-1)?.revision ?? this.#readTo;
      this.#unsaved += changes.length;
      if (changes.length < CHANGES_READ_MAX) return;
    }
  }

  /** For a home that has never run, or slept for longer than its history reaches back. */
  #enqueueAll(tx: ReadTransaction): void {
    this.#cache.clear();
    const view = this.#cache.open(tx);
    for (const worker of this.#workers.values())
      for (const key of worker.allKeys(view)) this.#enqueue(`${worker.name} ${key}`, 0);
    this.#readTo = tx.revision;
  }

  #route(change: Change, view: HomeView, report: PassReport | undefined): void {
    const { type, revision, stored, previous } = change;
    const kind = this.#cache.kindOf(stored.resource);
    if (!kind) return;
    for (const worker of this.#workers.values()) {
      if (!worker.heeds(change)) continue;
      try {
        const told = { kind, object: stored.object, previous: previous?.object, deleted: type === "DELETED" };
        for (const key of worker.keysOf(told, view)) this.#enqueue(`${worker.name} ${key}`, revision);
      } catch (error) {
        // A bug of one controller must not stop the home: it misses this change, the others do not.
        report?.failures.push({ controller: worker.name, key: stored.name, attempts: 0, error });
      }
    }
  }

  #work(
    tx: WriteTransaction,
    id: string,
    since: number | undefined,
    now: number,
    report: PassReport,
    outbox: EventObject[],
  ): void {
    const space = id.indexOf(" ");
    const worker = this.#workers.get(id.slice(0, space));
    if (!worker) {
      // A timer of a controller that this version no longer has.
      this.#progress.setTimer(id, undefined);
      return;
    }
    const key = id.slice(space + 1);
    if (this.#waiting.has(id)) {
      // It is looked at when its answers are there; until then the change that named it first counts.
      if (this.#waiting.get(id) === undefined) this.#waiting.set(id, since);
      return;
    }
    const tries = this.#tries.get(id) ?? new PlanAnswers(now, this.#options.random);
    const { writes, plan, events, error = plan.failure } = this.#attempt(tx, worker, key, tries);
    if (tries.asking.length > 0) {
      this.#tries.set(id, tries);
      this.#waiting.set(id, since);
      if (this.#progress.timer(id)) this.#progress.setTimer(id, { dueAt: now + ANSWERS_MILLISECONDS, attempts: 0 });
      return;
    }
    if (this.#tries.delete(id)) tries.end(error === undefined);
    report.keys++;
    report.writes += writes;
    outbox.push(...events);
    if (error !== undefined) {
      const attempts = (this.#progress.timer(id)?.attempts ?? 0) + 1;
      const delay = Math.min(BACKOFF_FIRST_MILLISECONDS * 2 ** Math.min(attempts - 1, 30), BACKOFF_LAST_MILLISECONDS);
      this.#progress.setTimer(id, { dueAt: now + delay, attempts });
      report.failures.push({ controller: worker.name, key, attempts, error });
    } else if (plan.again?.inSeconds === 0) {
      this.#postponed.set(id, since);
    } else if (plan.again) {
      const dueAt = now + Math.ceil(plan.again.inSeconds * 1_000);
      const known = this.#progress.timer(id);
      // An earlier look costs less than moving its row each time.
      if (!known || known.attempts > 0 || known.dueAt <= now || known.dueAt > dueAt)
        this.#progress.setTimer(id, { dueAt, attempts: 0 });
    } else this.#progress.setTimer(id, undefined);
  }

  /** Looks at one object and carries out what its controller wishes, all of it or, where a write is refused, nothing. */
  #attempt(tx: WriteTransaction, worker: Worker, key: string, tries: PlanAnswers): Outcome {
    tries.begin();
    try {
      return tx.attempt<Outcome>(() => {
        const events: EventObject[] = [];
        const view = this.#cache.open(tx);
        const context = this.#context(tries);
        const plan = worker.work(key, view, context);
        const refused = this.#apply(tx, plan.writes, worker.name, tries, events);
        if (!refused) return { writes: plan.writes.length, plan, events };
        const { write, error } = refused;
        const instead = worker.refused?.({ write, reason: error.reason, message: error.message }, key, view, context);
        if (!instead) throw error;
        const again = this.#apply(tx, instead.writes, worker.name, tries, events);
        if (again) throw again.error;
        return { writes: refused.index + instead.writes.length, plan: instead, events, error };
      });
    } catch (error) {
      this.#cache.undo();
      return { writes: 0, plan: { writes: [] }, events: [], error };
    }
  }

  /** Stops at the first write that is refused, which leaves nothing behind, and answers which. */
  #apply(
    tx: WriteTransaction,
    writes: readonly Write[],
    name: string,
    tries: PlanAnswers,
    events: EventObject[],
  ): { index: number; write: Write; error: ApiError } | undefined {
    if (writes.length > PLAN_WRITES_MAX) throw new Error(`${name} wishes ${writes.length} writes at once`);
    const user = controllerUser(name);
    for (const [index, write] of writes.entries()) {
      const error = this.#applyOne(tx, write, name, user, tries, events);
      // What the others need is asked at the same time.
      if (error === undefined || error instanceof NeedsAnswers) continue;
      // What is no refusal is a bug: all of the plan is undone.
      if (!(error instanceof ApiError)) throw error;
      return { index, write, error };
    }
    const [first] = tries.asking;
    // Nothing of the plan stays: it is made again.
    if (first) throw new NeedsAnswers(first.questions);
    return undefined;
  }

  /** Carries out one wish; answers why not, where it was not, and then leaves nothing behind. */
  #applyOne(
    tx: WriteTransaction,
    write: Write,
    name: string,
    user: User,
    tries: PlanAnswers,
    events: EventObject[],
  ): unknown {
    const attempt = tries.of(write);
    try {
      if (attempt.refusal !== undefined) throw attempt.refusal;
      if (write.op === "event") this.#applyEvent(tx, write, name, tries.now, events, attempt);
      else tx.attempt(() => this.#home.applyWrite(tx, write, user, attempt));
      return undefined;
    } catch (error) {
      if (error instanceof NeedsAnswers) {
        tries.asking.push({ attempt, questions: error.questions });
        return error;
      }
      if (!(error instanceof ApiError)) return error ?? new Error("a write failed without a reason");
      // Gone already: what was wished for is the case.
      if (write.op === "delete" && error.reason === "NotFound") return undefined;
      // An event is a courtesy: a namespace that takes no more creates must not stop the work it tells of.
      return write.op === "event" ? undefined : error;
    }
  }

  #applyEvent(
    tx: WriteTransaction,
    write: Write & { op: "event" },
    component: string,
    now: number,
    events: EventObject[],
    attempt: WriteAttempt,
  ): void {
    const isHere = this.#options.namespace !== "";
    const recorded = this.#recorder.record({ ...write, component }, now, (name) =>
      isHere ? (tx.get(resourceName(Event), name)?.object as EventObject | undefined) : undefined,
    );
    if (!recorded) return;
    if (!isHere) events.push(recorded.event);
    else {
      const { op, event } = recorded;
      tx.attempt(() =>
        this.#home.applyWrite(tx, { op, kind: Event, object: event }, controllerUser(component), attempt),
      );
    }
  }

  #saveProgress(tx: WriteTransaction, hasWritten: boolean): { committed(): void } {
    let done = this.#readTo;
    for (const waiting of [this.#pending, this.#postponed, this.#waiting])
      for (const since of waiting.values()) if (since !== undefined) done = Math.min(done, since - 1);
    const stored = this.#progress.cursor;
    const matters = stored === undefined || hasWritten || this.#unsaved >= CURSOR_LAG_MAX;
    if (matters) this.#unsaved = 0;
    return this.#progress.save(tx, matters && done >= 0 && done !== stored ? done : undefined);
  }

  #context(tries: PlanAnswers): Context {
    const { namespace } = this.#options;
    const random = () => tries.random();
    return contextOf({ now: tries.now, namespace, terminating: this.#home.terminating(), random });
  }
}
