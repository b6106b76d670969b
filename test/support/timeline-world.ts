import type { Delivery, Lease, RequestOptions, Subscription, WatchAnswer } from "../../durable-objects/protocol.ts";
import { ClusterTimeline } from "../../durable-objects/timeline/cluster-timeline.ts";
import { FakeHome } from "./fake-homes.ts";
import { ADMIN, targetOf } from "./home.ts";
import { nodeSql } from "./node-sql.ts";

interface Timer {
  at: number;
  work(): void;
}

const flush = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A Timeline over fake homes, with a clock of its own: nothing happens but what the test has happen. */
export class TimelineWorld {
  now = Date.UTC(2026, 0, 1);
  readonly database = nodeSql();
  readonly homes = new Map<string, FakeHome>();
  readonly clusterHome = new FakeHome("", () => this.now);
  readonly deliveries: { to: Subscription; delivery: Delivery }[] = [];
  alarmAt: number | undefined;
  timeline: ClusterTimeline;
  #timers: Timer[] = [];
  #making = 0;

  constructor(...names: string[]) {
    this.homes.set("", this.clusterHome);
    for (const name of names) this.create(name);
    this.timeline = this.#make();
  }

  create(name: string): FakeHome {
    const home = new FakeHome(name, () => this.now);
    this.homes.set(name, home);
    this.clusterHome.names.push(name);
    return home;
  }

  home(name: string): FakeHome {
    return this.homes.get(name)!;
  }

  #make(): ClusterTimeline {
    const number = ++this.#making;
    return new ClusterTimeline({
      cluster: "c",
      platform: {
        database: this.database,
        now: () => this.now,
        random: () => 0.5,
        later: (milliseconds, work) => {
          const timer: Timer = {
            at: this.now + milliseconds,
            work: () => {
              if (number === this.#making) work();
            },
          };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((each) => each !== timer);
          };
        },
        setAlarm: (at) => {
          this.alarmAt = at;
        },
      },
      homeOf: (home) => this.home(home),
      clusterHome: () => this.clusterHome,
      subscriber: (to) => ({
        deliver: async (delivery) => {
          if (number === this.#making) this.deliveries.push({ to, delivery });
        },
      }),
    });
  }

  /** The instance is lost; what it stored is there for the next. */
  async restart(): Promise<void> {
    this.timeline = this.#make();
    await flush();
  }

  /** Lets time go by, and everything happen that is due. */
  async pass(milliseconds = 0): Promise<void> {
    const until = this.now + milliseconds;
    await flush();
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      const isAlarm = this.alarmAt !== undefined && this.alarmAt <= Math.min(until, next?.at ?? until);
      if (!next && !isAlarm) break;
      if (isAlarm) {
        this.now = Math.max(this.now, this.alarmAt!);
        this.alarmAt = undefined;
        void this.timeline.alarm();
      } else {
        this.#timers = this.#timers.filter((each) => each !== next);
        this.now = Math.max(this.now, next!.at);
        next!.work();
      }
      await flush();
    }
    this.now = until;
  }

  async open(name: string): Promise<Lease> {
    const home = this.home(name);
    const lease = await this.timeline.open(name, home.revision);
    home.took(lease);
    return lease;
  }

  async push(name: string): Promise<void> {
    const home = this.home(name);
    await this.timeline.push(name, home.lease!.number, home.tell());
    await flush();
  }

  async close(name: string): Promise<void> {
    const home = this.home(name);
    const { number } = home.lease!;
    home.lease = undefined;
    await this.timeline.close(name, number, home.tell());
    await flush();
  }

  async watch(options: RequestOptions = {}, resource = "pods"): Promise<Watching> {
    const answer = await this.timeline.watch({ user: ADMIN, target: targetOf(resource, ""), options });
    return new Watching(answer, () => this.pass());
  }
}

/** Somebody who reads a watch. */
export class Watching {
  readonly answer: WatchAnswer;
  readonly #pass: () => Promise<void>;
  readonly #events: any[] = [];
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  ended = false;

  constructor(answer: WatchAnswer, pass: () => Promise<void>) {
    this.answer = answer;
    this.#pass = pass;
    if (!("events" in answer)) return;
    this.#reader = answer.events.getReader();
    void this.#read(this.#reader);
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) this.#events.push(JSON.parse(line));
    }
    this.ended = true;
  }

  /** What has come since it was asked last. */
  async events(): Promise<any[]> {
    await this.#pass();
    return this.#events.splice(0);
  }

  /** The same as `<type> <name> <revision>`. */
  async brief(): Promise<string[]> {
    return (await this.events()).map(({ type, object: { metadata } }) =>
      [type, metadata.name ?? "", metadata.resourceVersion].filter((part) => part !== "").join(" "),
    );
  }

  async cancel(): Promise<void> {
    await this.#reader?.cancel();
  }
}
