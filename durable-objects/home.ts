import type { KindRef } from "../api/kind.ts";
import type { EventObject } from "../api/kinds/event.ts";
import type { KubeObject, User } from "../api/object.ts";
import { decodeValue } from "../api/schema/decode.ts";
import type { AdmissionPlugin } from "./admission/plugin.ts";
import type { AnyController } from "./controllers/controller.ts";
import { HomeFeed } from "./home-feed.ts";
import type { HomeLease } from "./home-lease.ts";
import { ControllerLoop } from "./loop/controller-loop.ts";
import type { ObjectWrite } from "./loop/loop-home.ts";
import type {
  HomeAnswer,
  HomeRequest,
  PartAnswer,
  PartRequest,
  RequestOptions,
  TimelineFeedRpc,
  WatchAnswer,
  WatchRequest,
} from "./protocol.ts";
import { timeOfRevision } from "./revision.ts";
import type { Retention } from "./store/compaction.ts";
import type { SqlDatabase } from "./store/sql.ts";
import { Store } from "./store/store.ts";
import type { WriteTransaction } from "./store/transaction.ts";
import { refusalAnswer } from "./verbs/answer.ts";
import { createObject } from "./verbs/create.ts";
import { deleteObject } from "./verbs/delete.ts";
import { type Handling, handle, watch } from "./verbs/handle.ts";
import { complete } from "./verbs/prepare.ts";
import { readPart } from "./verbs/read-part.ts";
import type { HomeScope, Writing } from "./verbs/scope.ts";
import { servedOf } from "./verbs/served.ts";
import { MAIN, STATUS, updateObject } from "./verbs/update.ts";
import { Watches } from "./verbs/watch.ts";
import type { WriteCall } from "./verbs/write.ts";

/** What a home takes from its platform: a Durable Object, or a test. */
export interface Platform {
  database: SqlDatabase;
  /** Milliseconds since 1970. */
  now(): number;
  uuid(): string;
  /** At least 0, below 1. */
  random(): number;
  /** Runs work after so many milliseconds, while the process lives; the answer cancels it. */
  later(milliseconds: number, work: () => void): () => void;
  /** Runs a commit: soon, with what else arrives while an earlier one is on its way to the disk. Absent: `later(0)`. */
  gather?(commit: () => void): void;
  /** Runs work, in the order of the calls, once all that was committed so far is on the disk. Absent: it is at once. */
  onDisk?(work: () => void): void;
  /** Calls the home's `alarm` at that time (milliseconds since 1970), whatever becomes of the process. There is one. */
  setAlarm(at: number): void;
}

export interface HomeOptions {
  platform: Platform;
  /** Empty in the ClusterHome. */
  namespace: string;
  admission: readonly AdmissionPlugin[];
  controllers: readonly AnyController[];
  /** All kinds that the home may hold. */
  kinds: readonly KindRef[];
  timeline: TimelineFeedRpc;
  /** How much history is kept, unless that is the usual. */
  retention?: Retention | undefined;
  /** The namespace is being deleted. */
  terminating?(): boolean;
  ready?: Handling["ready"];
  reserve?: WriteCall["reserve"];
  sendEvent?(event: EventObject): void;
  /** Before a pass of the controllers: what has to be fetched from elsewhere; mostly nothing. Never rejects. */
  beforePass?(): Promise<void> | undefined;
}

/** Unfinished work is looked at again after this long at the latest, also by a process that knows nothing of it. */
const GUARD_MILLISECONDS = 2_000;
/** A pass that failed as a whole (a bug, a full disk) is tried again with a delay that doubles up to this. */
const PASS_RETRY_FIRST_MILLISECONDS = 1_000;
const PASS_RETRY_LAST_MILLISECONDS = 300_000;
const BEFORE_PASS_MILLISECONDS_MAX = 2_000;
const SUFFIX_LENGTH = 5;
const SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** The objects of one namespace, or of the cluster, and all that lives with them. */
export class Home {
  readonly store: Store;
  readonly scope: HomeScope;
  readonly feed: HomeFeed;
  readonly loop: ControllerLoop;
  readonly #platform: Platform;
  readonly #handling: Handling;
  readonly #beforePass: () => Promise<void> | undefined;
  /** The alarm as far as this instance knows. */
  #alarmAt = Number.POSITIVE_INFINITY;
  #passScheduled = false;
  /** Alarms that wait for the next pass. */
  readonly #afterPass: (() => void)[] = [];
  #passFailures = 0;

  constructor(options: HomeOptions) {
    const { platform, namespace } = options;
    this.#platform = platform;
    this.#beforePass = options.beforePass ?? (() => undefined);
    this.store = new Store({
      database: platform.database,
      clock: {
        now: () => platform.now(),
        nextRevision: (last) => this.lease.next(last),
        timeOf: timeOfRevision,
      },
      defer: (commit) => this.#commitSoon(commit),
      ...(options.retention && { retention: options.retention }),
    });
    this.feed = new HomeFeed({
      store: this.store,
      namespace,
      timeline: options.timeline,
      now: () => platform.now(),
      later: (milliseconds, work) => void platform.later(milliseconds, work),
    });
    this.scope = {
      store: this.store,
      namespace,
      admission: options.admission,
      raiseFloor: (revision) => this.lease.raiseFloor(revision),
      highest: () => Math.max(this.store.revision, this.lease.floor),
      now: () => platform.now(),
      uuid: () => platform.uuid(),
      suffix: () => this.#suffix(),
      later: (milliseconds, work) => platform.later(milliseconds, work),
      onDisk: (work) => (platform.onDisk ? platform.onDisk(work) : work()),
    };
    this.#handling = {
      scope: this.scope,
      watches: new Watches(this.scope),
      ready: options.ready ?? (() => undefined),
      reserve: options.reserve ?? (() => Promise.reject(new Error("this home has nothing to reserve"))),
    };
    this.loop = new ControllerLoop({
      home: {
        store: this.store,
        applyWrite: (tx, write, user) => this.applyWrite(tx, write, user),
        terminating: options.terminating ?? (() => false),
      },
      controllers: options.controllers,
      kinds: options.kinds,
      namespace,
      clock: () => platform.now(),
      random: () => platform.random(),
      ...(options.sendEvent && { sendEvent: options.sendEvent }),
    });
    this.store.onCommit(() => {
      this.guard();
      this.schedulePass();
    });
  }

  /** Its right to commit, and its clock. */
  get lease(): HomeLease {
    return this.feed.lease;
  }

  async handle(request: HomeRequest): Promise<HomeAnswer> {
    const awaited = this.#stayAbove(request.options);
    const refusal = awaited && (await awaited);
    return refusal ?? (await handle(this.#handling, request));
  }

  /** A watch as `watch` begins it, at a revision that may be another home's. */
  async watchFrom(request: WatchRequest): Promise<WatchAnswer> {
    const refusal = await this.#stayAbove(request.options);
    return (refusal as WatchAnswer | undefined) ?? this.watch(request);
  }

  watch(request: WatchRequest): WatchAnswer {
    return watch(this.#handling, request);
  }

  /** What is read as of a revision stays true. Answers the refusal where that cannot be had now; mostly there is nothing to wait for. */
  #stayAbove({ resourceVersion = "", at = 0 }: RequestOptions): Promise<HomeAnswer | undefined> | undefined {
    return this.lease.stayAbove(Math.max(at, Number(resourceVersion)))?.then(() => undefined, refusalAnswer);
  }

  readPart(request: PartRequest): PartAnswer {
    this.lease.raiseFloor(request.revision);
    return readPart(this.scope, request);
  }

  /** Commits when there is a lease; what waits is refused where none is to be had. */
  #commitSoon(commit: (failure?: unknown) => void): void {
    const opening = this.lease.open();
    if (opening) {
      opening.then(() => this.#commitSoon(commit), commit);
      return;
    }
    const run = () => (this.lease.isOpen ? commit() : this.#commitSoon(commit));
    if (this.#platform.gather) this.#platform.gather(run);
    else this.#platform.later(0, run);
  }

  /** Runs work in the next commit as a certain user; for what the other objects of the cluster ask of this home. */
  async write<T>(user: User, work: (writing: Writing) => T extends PromiseLike<unknown> ? never : T): Promise<T> {
    return await this.store.enqueue<T>((tx) => work(this.writing(tx, user)));
  }

  writing(tx: WriteTransaction, user: User): Writing {
    tx.author = user.name;
    return { scope: this.scope, tx, user, dryRun: false, reserved: undefined };
  }

  /** Carries out a controller's wish. @throws ApiError where admission, validation or the state refuses it. */
  applyWrite(tx: WriteTransaction, write: ObjectWrite, user: User): void {
    const writing = this.writing(tx, user);
    const served = servedOf(write.kind);
    // By way of the text: a controller's object may be frozen, and have fields that are there but undefined.
    const owned = (object: KubeObject) =>
      complete(served, decodeValue(served.info, JSON.parse(JSON.stringify(object))).object);
    switch (write.op) {
      case "create":
        createObject(writing, served, owned(write.object));
        return;
      case "update":
      case "updateStatus": {
        const strategy = write.op === "update" ? MAIN : STATUS;
        updateObject(writing, served, write.object.metadata.name, () => owned(write.object), strategy);
        return;
      }
      case "delete":
        deleteObject(writing, served, write.name, {
          uid: write.uid,
          graceSeconds: write.graceSeconds,
          propagation: write.propagation,
        });
    }
  }

  /** Makes sure that the work of the last commit is done even if this process is not the one to do it. */
  guard(): void {
    this.setAlarm(this.#platform.now() + GUARD_MILLISECONDS);
  }

  /** Sets the one alarm, unless it rings earlier anyway. */
  setAlarm(at: number): void {
    if (this.#alarmAt <= at) return;
    this.#alarmAt = at;
    this.#platform.setAlarm(at);
  }

  /**
   * The alarm has rung: takes up whatever is unfinished. Resolves when a pass is over: should the process end before, the
   * platform lets it ring again. Never rejects: the platform gives up after a few failures.
   */
  async alarm(): Promise<void> {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    this.feed.wake();
    const passed = new Promise<void>((resolve) => this.#afterPass.push(resolve));
    this.schedulePass();
    if (this.feed.isBehind) this.guard();
    await passed;
  }

  schedulePass(): void {
    if (this.#passScheduled) return;
    this.#passScheduled = true;
    this.#platform.later(0, () => {
      let begun = false;
      const run = () => {
        if (begun) return;
        begun = true;
        this.#passScheduled = false;
        this.pass();
        for (const resolve of this.#afterPass.splice(0)) resolve();
      };
      const awaited = this.#beforePass();
      if (!awaited) {
        run();
        return;
      }
      // Who does not answer must not stop the controllers.
      this.#platform.later(BEFORE_PASS_MILLISECONDS_MAX, run);
      void awaited.then(run);
    });
  }

  /** One pass of the controllers. Never throws: what fails is tried again later. */
  pass(): void {
    const now = this.#platform.now();
    let next: number | undefined;
    try {
      const isDue = (this.loop.nextDueAt() ?? Number.POSITIVE_INFINITY) <= now;
      if (isDue && !this.lease.isOpen) {
        this.#passWhenOpen();
        return;
      }
      if (isDue) {
        for (const { controller, key, attempts, error } of this.loop.run(now).failures) {
          console.warn(
            `${controller} ${key}: attempt ${attempts}: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      }
      this.#passFailures = 0;
      next = this.loop.nextDueAt();
    } catch (error) {
      console.error(error);
      const delay = Math.min(PASS_RETRY_FIRST_MILLISECONDS * 2 ** this.#passFailures++, PASS_RETRY_LAST_MILLISECONDS);
      next = now + delay;
    }
    if (next === undefined) return;
    if (next <= now) {
      // The next pass of a long work lets requests in between; should this process end now, the alarm goes on with it.
      this.guard();
      this.schedulePass();
    } else this.setAlarm(next);
  }

  #passWhenOpen(): void {
    this.guard(); // Should no lease be had now, the alarm tries again.
    void this.lease.open()?.then(
      () => this.schedulePass(),
      () => undefined,
    );
  }

  #suffix(): string {
    let text = "";
    for (let i = 0; i < SUFFIX_LENGTH; i++) {
      text += SUFFIX_LETTERS[Math.floor(this.#platform.random() * SUFFIX_LETTERS.length)];
    }
    return text;
  }
}
