import type { KindRef } from "../api/kind.ts";
import type { EventObject } from "../api/kinds/event.ts";
import type { KubeObject, User } from "../api/object.ts";
import { resourceName } from "../api/status.ts";
import type { AdmissionPlugin } from "./admission/plugin.ts";
import { type CatalogSource, NO_CUSTOM_RESOURCES } from "./catalog/catalog.ts";
import type { AnyController, Context, HomeView, Plan, Write } from "./controllers/controller.ts";
import { FlowGate } from "./flow-control/flow-gate.ts";
import { ObjectCounts } from "./flow-control/object-counts.ts";
import { HomeFeed } from "./home-feed.ts";
import type { HomeLease } from "./home-lease.ts";
import { type CarriedOut, ControllerLoop } from "./loop/controller-loop.ts";
import { ControllerPasses } from "./loop/controller-passes.ts";
import type { ObjectWrite } from "./loop/loop-home.ts";
import { PlanAnswers, type WriteAttempt } from "./loop/plan-answers.ts";
import type {
  HistoryRequest,
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
import { Answers, Draws } from "./verbs/answers.ts";
import { createObject } from "./verbs/create.ts";
import { deleteObject } from "./verbs/delete.ts";
import { beforeWatch, type Handling, handle, watch } from "./verbs/handle.ts";
import { history } from "./verbs/history.ts";
import { managerOfUser } from "./verbs/managed-fields.ts";
import { readPart } from "./verbs/read-part.ts";
import type { HomeScope, Writing } from "./verbs/scope.ts";
import { builtInAt, type Served, servedIn } from "./verbs/served.ts";
import { MAIN, STATUS, updateObject } from "./verbs/update.ts";
import { Watches } from "./verbs/watch.ts";
import { write } from "./verbs/write.ts";

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
  /** What is known of the cluster's own kinds and the like. Absent: nothing beyond what is built in. */
  catalog?(): CatalogSource;
  /** False while nothing is known of the kinds of objects that the home holds: its controllers wait. */
  canPass?(): boolean;
  controllers: readonly AnyController[];
  /** All kinds that the home may hold. */
  kinds: readonly KindRef[];
  timeline: TimelineFeedRpc;
  /** How much history is kept, unless that is the usual. */
  retention?: Retention | undefined;
  /** The namespace is being deleted. */
  terminating?(): boolean;
  ready?: Handling["ready"];
  sendEvent?(event: EventObject): void;
  /** Before a pass of the controllers: what has to be fetched from elsewhere; mostly nothing. Never rejects. */
  beforePass?(): Promise<void> | undefined;
}

/** Answers that a decision may need one after the other. */
const CARRY_OUT_TRIES_MAX = 50;
const CRD_FINALIZER = "crd-finalizer";
/** Instances deleted at once. */
const DELETES_MAX = 200;
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
  readonly #gate: FlowGate;
  readonly #passes: ControllerPasses;

  constructor(options: HomeOptions) {
    const { platform, namespace, catalog = () => NO_CUSTOM_RESOURCES } = options;
    this.#platform = platform;
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
      get catalog() {
        return catalog().catalog;
      },
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
      get catalog() {
        return catalog();
      },
    };
    const counts = new ObjectCounts(this.store);
    this.#gate = new FlowGate({
      later: (milliseconds, work) => platform.later(milliseconds, work),
      catalog: () => this.scope.catalog,
      countOf: (resource) => counts.of(resource),
      // What is asked of a namespace that is not there leaves nothing behind.
      learn: () => {
        if (this.store.revision > 0)
          catalog()
            .fresh()
            ?.catch(() => undefined);
      },
    });
    this.loop = new ControllerLoop({
      home: {
        store: this.store,
        applyWrite: (tx, write, user, attempt) => this.applyWrite(tx, write, user, attempt),
        terminating: options.terminating ?? (() => false),
      },
      controllers: options.controllers,
      kinds: options.kinds,
      customKinds: () => this.scope.catalog.kinds(),
      namespace,
      clock: () => platform.now(),
      random: () => platform.random(),
      answered: () => this.schedulePass(),
      ...(options.sendEvent && { sendEvent: options.sendEvent }),
    });
    this.#passes = new ControllerPasses({
      loop: this.loop,
      lease: this.lease,
      platform,
      before: options.beforePass ?? (() => undefined),
      mayPass: options.canPass ?? (() => true),
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
    return refusal ?? (await this.#gate.handle(request, () => handle(this.#handling, request)));
  }

  /** A watch as `watch` begins it, at a revision that may be another home's. */
  async watchFrom(request: WatchRequest): Promise<WatchAnswer> {
    const refusal = await this.#stayAbove(request.options);
    return (refusal as WatchAnswer | undefined) ?? (await this.#gate.watch(request, () => this.#watchFrom(request)));
  }

  async #watchFrom(request: WatchRequest): Promise<WatchAnswer> {
    const refusal = await beforeWatch(this.#handling, request);
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

  /** As `readPart`, of a kind that may have to be learned of first; nothing where it is not served any more. */
  async readPartFrom(request: PartRequest): Promise<PartAnswer> {
    const { target, after, revision } = request;
    this.lease.raiseFloor(revision);
    if (!builtInAt(target)) await this.#handling.catalog.learn(target);
    const { group, version, resource } = target;
    const isServed = builtInAt(target) || this.scope.catalog.served(group, version, resource);
    if (!isServed) return { items: "", count: 0, last: after, remaining: 0, expired: false };
    return readPart(this.scope, request);
  }

  /** Never throws. */
  async history(request: HistoryRequest): Promise<HomeAnswer> {
    try {
      if (!builtInAt(request.target)) await this.#handling.catalog.learn(request.target);
    } catch (error) {
      return refusalAnswer(error);
    }
    return history(this.scope, request);
  }

  /** The watches of these resources end: what they are is not what it was when they began. Their clients begin anew. */
  endWatches(resources: Iterable<string>): void {
    this.#handling.watches.end(resources);
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
    const writer = { scope: this.scope, user, dryRun: false, manager: managerOfUser(user.name), warnings: [] };
    return await write<T>(writer, work);
  }

  /** For a part of a transaction that is under way: what needs answers from elsewhere is thrown (NeedsAnswers). */
  writing(tx: WriteTransaction, user: User, given?: WriteAttempt): Writing {
    const attempt = given ?? {};
    tx.author = user.name;
    const { scope } = this;
    const asksNobody = given === undefined;
    attempt.answers ??= new Answers();
    attempt.draws ??= new Draws(scope);
    const { answers, draws } = attempt;
    return {
      scope,
      tx,
      user,
      dryRun: false,
      manager: managerOfUser(user.name),
      warnings: [],
      answers,
      draws,
      asksNobody,
    };
  }

  /** Carries out a controller's wish. @throws ApiError where admission, validation or the state refuses it. */
  applyWrite(tx: WriteTransaction, write: ObjectWrite, user: User, attempt?: WriteAttempt): void {
    const writing = this.writing(tx, user, attempt);
    const served = this.#servedFor(write);
    // By way of the text: a controller's object may be frozen, and have fields that are there but undefined.
    // Its managedFields are the stored ones, which are looked at there.
    const owned = (object: KubeObject) => {
      const { managedFields: _, ...metadata } = object.metadata;
      return served.complete(served.decodeValue(JSON.parse(JSON.stringify({ ...object, metadata }))));
    };
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

  /**
   * Carries out a decision that no change asked for, each write by itself: what is refused is told. Writes that need answers from elsewhere are
   * tried again with them.
   */
  async carryOut<Decision extends Plan>(
    name: string,
    decide: (view: HomeView, context: Context) => Decision,
  ): Promise<CarriedOut<Decision>> {
    const now = this.#platform.now();
    const tries = new PlanAnswers(now, () => this.#platform.random());
    for (let i = 0; ; i++) {
      await this.lease.whenOpen();
      const done = this.loop.carryOut(name, now, decide, tries);
      if (tries.asking.length === 0 || i === CARRY_OUT_TRIES_MAX) {
        tries.end(true);
        return done;
      }
      await tries.ask();
    }
  }

  /** Deletes some instances of a resource whose definition is going; answers how many there were. */
  async deleteInstances(resource: string): Promise<{ remaining: number; failures: string[] }> {
    const kind = this.scope.catalog.kinds().find((custom) => resourceName(custom) === resource);
    const { decision, refused } = await this.carryOut(CRD_FINALIZER, (view) => {
      const objects = kind ? view.list(kind) : [];
      const leaving = objects.filter(({ metadata }) => !metadata.deletionTimestamp).slice(0, DELETES_MAX);
      const writes = leaving.map(
        ({ metadata: { name, uid } }): Write => ({ op: "delete", kind: kind!, name, ...(uid && { uid }) }),
      );
      return { writes, remaining: objects.length };
    });
    this.schedulePass();
    const failures = refused.map(({ error }) => (error instanceof Error ? error.message : String(error)));
    return { remaining: decision.remaining, failures };
  }

  /** Of an object in the version that it is in; any will do to delete one. */
  #servedFor(write: ObjectWrite): Served {
    const { group, resource, version } = write.kind;
    const given = "object" in write ? write.object.apiVersion?.slice(group.length + 1) : undefined;
    const { catalog } = this.scope;
    return (given && catalog.served(group, given, resource)) || servedIn(catalog, { group, version, resource });
  }

  /** Makes sure that the work of the last commit is done even if this process is not the one to do it. */
  guard(): void {
    this.#passes.guard();
  }

  /**
   * The alarm has rung: takes up whatever is unfinished. Resolves when a pass is over: should the process end before, the
   * platform lets it ring again. Never rejects: the platform gives up after a few failures.
   */
  async alarm(): Promise<void> {
    const passed = this.#passes.afterAlarm();
    this.feed.wake();
    if (this.feed.isBehind) this.guard();
    await passed;
  }

  schedulePass(): void {
    this.#passes.schedule();
  }

  /** One pass of the controllers. Never throws: what fails is tried again later. */
  pass(): void {
    this.#passes.pass();
  }

  #suffix(): string {
    let text = "";
    for (let i = 0; i < SUFFIX_LENGTH; i++) {
      text += SUFFIX_LETTERS[Math.floor(this.#platform.random() * SUFFIX_LETTERS.length)];
    }
    return text;
  }
}
