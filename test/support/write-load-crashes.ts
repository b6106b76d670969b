import { setTimeout as sleep } from "node:timers/promises";
import { callApi } from "../../cli/api-client.ts";
import { eventually } from "./cox.ts";
import { CrashingControlPlane } from "./crashing-control-plane.ts";
import { checkLinearizable } from "./linearizability.ts";
import { type RecordedChange, RecordedHistory } from "./recorded-history.ts";
import { seeded } from "./simulated-homes.ts";
import { configMapsOf, isOfLoad, WriteLoad } from "./write-load.ts";
import { ServiceLoad } from "./write-load-services.ts";
import { ResumingWatch, readChanges } from "./write-load-watch.ts";

const CLIENTS = 8;
const NAMESPACES = 20;
const NAMES = 5;
const LOAD_MILLISECONDS_MIN = 50;
const LOAD_MILLISECONDS_MAX = 800;
/** How often the control plane is killed once more while it starts. */
const SECOND_CRASH_PROBABILITY = 0.15;
const START_MILLISECONDS = 250;
/** Longer, and a watcher hears nothing any more, or an address is never given back. */
const SETTLING_SECONDS = 30;
const COMPLAINTS_SHOWN = 20;

export interface CrashFigures {
  rounds: number;
  kills: number;
  operations: number;
  acknowledgedWrites: number;
  /** Connections that were lost while a write was under way. */
  unknownWrites: number;
  /** Of those, how many happened. */
  unknownButThere: number;
  /** Changes that the homes' histories hold. */
  changes: number;
  /** Events that watchers were told, each held against the histories. */
  watchEvents: number;
  reconnections: number;
  lists: number;
  services: number;
  /** Answers that are no answer of a register, by code. */
  refused: Record<string, number>;
}

export interface CrashOptions {
  rounds: number;
  seed: number;
  onRound?: (figures: CrashFigures) => void;
}

/**
 * workerd is killed again and again under a load of writes, with watchers that go on from where they were. Whatever clients were told is
 * held against the homes' histories after each round.
 * @returns what was done, and at most `COMPLAINTS_SHOWN` of what should not be: the first round with complaints is the last
 */
export async function crashUnderLoad({
  rounds,
  seed,
  onRound,
}: CrashOptions): Promise<{ figures: CrashFigures; complaints: string[] }> {
  const cluster = await CrashingControlPlane.start();
  const run = new Run(cluster, seed);
  let complaints: string[] = [];
  let done = 0;
  try {
    await run.begin();
    while (done < rounds && complaints.length === 0) {
      await run.crash();
      complaints = await run.complaints();
      done++;
      onRound?.(run.figures(done));
    }
    if (complaints.length === 0) complaints = await run.lastComplaints();
    return { figures: run.figures(done), complaints: complaints.slice(0, COMPLAINTS_SHOWN) };
  } finally {
    const ended = run.end();
    await cluster.stop();
    await ended;
  }
}

class Run {
  readonly #cluster: CrashingControlPlane;
  readonly #server: { url: string; token: string; ca: string };
  readonly #random: () => number;
  readonly #load: WriteLoad;
  readonly #services: ServiceLoad;
  readonly #namespaces = Array.from({ length: NAMESPACES }, (_, index) => `crash-${index}`);
  readonly #watches: ResumingWatch[] = [];
  readonly #changes: RecordedChange[] = [];
  /** How far each namespace's history has been read, and where that began. */
  readonly #read = new Map<string, number>();
  readonly #begun = new Map<string, number>();
  #lists = 0;
  #watchEvents = 0;

  constructor(cluster: CrashingControlPlane, seed: number) {
    this.#cluster = cluster;
    this.#server = { url: cluster.url, token: cluster.token, ca: cluster.caCertificate };
    this.#random = seeded(seed);
    this.#load = new WriteLoad(this.#server, { clients: CLIENTS, namespaces: this.#namespaces, names: NAMES, seed });
    this.#services = new ServiceLoad(cluster, this.#namespaces, seed);
  }

  async begin(): Promise<void> {
    for (const name of this.#namespaces) {
      const object = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
      const { code, body } = await callApi(this.#cluster, "POST", "/api/v1/namespaces", object);
      if (code !== 201) throw new Error(`namespace ${name}: ${JSON.stringify(body)}`);
    }
    const revisionOf = async (namespace?: string) =>
      Number((await callApi(this.#cluster, "GET", configMapsOf(namespace))).body.metadata.resourceVersion);
    for (const namespace of this.#namespaces) {
      const revision = await revisionOf(namespace);
      this.#read.set(namespace, revision);
      this.#begun.set(namespace, revision);
      this.#watches.push(new ResumingWatch(this.#server, revision, { namespace }));
    }
    const revision = await revisionOf();
    for (const bookmarks of [false, true]) this.#watches.push(new ResumingWatch(this.#server, revision, { bookmarks }));
    for (const namespace of this.#namespaces) await this.#load.write(namespace, "marker", "create");
  }

  /** Load, a crash at any moment of it (also of what the crash itself makes happen), and more load. */
  async crash(): Promise<void> {
    this.#load.start();
    this.#services.start();
    await this.#pause(LOAD_MILLISECONDS_MIN, LOAD_MILLISECONDS_MAX);
    await this.#cluster.crash();
    while (this.#random() < SECOND_CRASH_PROBABILITY) {
      await this.#pause(0, START_MILLISECONDS);
      await this.#cluster.crash();
    }
    await this.#cluster.ready();
    await this.#pause(LOAD_MILLISECONDS_MIN, LOAD_MILLISECONDS_MAX);
    await Promise.all([this.#load.pause(), this.#services.pause()]);
  }

  /** What is not as clients were told. The load rests. */
  async complaints(): Promise<string[]> {
    await this.#load.list();
    for (const namespace of this.#namespaces) await this.#load.list(namespace);
    // What follows in a namespace, and for a watcher, follows after everything else.
    let last = 0;
    for (const namespace of this.#namespaces) {
      const { outcome } = await this.#load.write(namespace, "marker", "update");
      const revision = outcome?.result === "ok" ? outcome.revision! : 0;
      last = Math.max(last, revision);
      this.#changes.push(...(await readChanges(this.#server, namespace, this.#read.get(namespace)!, revision)));
      this.#read.set(namespace, revision);
    }
    const history = new RecordedHistory(this.#changes);
    const complaints = history.complaints();
    complaints.push(...history.complaintsAboutWrites(this.#load.operations, isOfLoad));
    for (const list of this.#load.lists.slice(this.#lists))
      complaints.push(...history.complaintsAboutList(list, this.#load.operations));
    this.#lists = this.#load.lists.length;
    complaints.push(...(await this.#watchComplaints(history, last)));
    complaints.push(...(await this.#serviceComplaints()));
    return complaints;
  }

  /** What needs everything that ever happened. */
  async lastComplaints(): Promise<string[]> {
    const complaints: string[] = [];
    const verdict = checkLinearizable(this.#load.operations);
    if (!verdict.ok) complaints.push(`${verdict.key} is not linearizable: ${verdict.why}`);
    await this.#services.settle();
    complaints.push(...(await this.#serviceComplaints()));
    // What history said after each round is what it says in the end.
    const history = new RecordedHistory(this.#changes);
    for (const namespace of this.#namespaces) {
      const [from, upTo] = [this.#begun.get(namespace)!, this.#read.get(namespace)!];
      const changes = await readChanges(this.#server, namespace, from, upTo);
      complaints.push(...history.complaintsAboutWatch({ namespace, from, upTo, changes }));
    }
    return complaints;
  }

  async end(): Promise<void> {
    for (const watch of this.#watches) watch.stop();
    await Promise.all([this.#load.stop(), this.#services.pause()]);
  }

  figures(rounds: number): CrashFigures {
    const { operations, refused } = this.#load;
    const writes = operations.filter(({ action }) => action.verb !== "get");
    const unknown = writes.filter(({ outcome }) => !outcome);
    const there = new Set(this.#changes.map(({ namespace, name, value }) => `${namespace}/${name} ${value}`));
    return {
      rounds,
      kills: this.#cluster.kills,
      operations: operations.length,
      acknowledgedWrites: writes.filter(({ outcome }) => outcome?.result === "ok").length,
      unknownWrites: unknown.length,
      unknownButThere: unknown.filter(({ key, action }) => "value" in action && there.has(`${key} ${action.value}`))
        .length,
      changes: this.#changes.length,
      watchEvents: this.#watchEvents,
      reconnections: this.#watches.reduce((sum, { connections }) => sum + Math.max(0, connections - 1), 0),
      lists: this.#lists,
      services: this.#services.fates.size,
      refused: Object.fromEntries(refused),
    };
  }

  async #watchComplaints(history: RecordedHistory, last: number): Promise<string[]> {
    const complaints: string[] = [];
    this.#watchEvents = 0;
    for (const watch of this.#watches) {
      const { namespace, from } = watch;
      const upTo = namespace === undefined ? last : this.#read.get(namespace)!;
      try {
        await eventually(
          `the watch of ${namespace ?? "all namespaces"}`,
          () => {
            if (watch.complaints.length === 0 && watch.position < upTo)
              throw new Error(`it is at ${watch.position}, not at ${upTo}`);
          },
          SETTLING_SECONDS,
        );
      } catch (error) {
        complaints.push((error as Error).message);
      }
      complaints.push(...watch.complaints);
      complaints.push(
        ...history.complaintsAboutWatch({
          ...(namespace !== undefined && { namespace }),
          from,
          upTo,
          changes: watch.changes,
        }),
      );
      this.#watchEvents += watch.changes.length;
    }
    return complaints;
  }

  async #serviceComplaints(): Promise<string[]> {
    try {
      await eventually(
        "each Service with its address",
        async () => {
          const complaints = await this.#services.complaints();
          if (complaints.length > 0) throw new Error(complaints.slice(0, COMPLAINTS_SHOWN).join("; "));
        },
        SETTLING_SECONDS,
      );
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  }

  #pause(min: number, max: number): Promise<void> {
    return sleep(min + this.#random() * (max - min));
  }
}
