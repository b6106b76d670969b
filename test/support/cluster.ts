import type { ConversionCaller } from "../../durable-objects/catalog/conversion.ts";
import { ClusterWideHome } from "../../durable-objects/cluster/cluster-wide-home.ts";
import type { AnyController } from "../../durable-objects/controllers/controller.ts";
import type { Platform } from "../../durable-objects/home.ts";
import { NamespacedHome } from "../../durable-objects/namespace/namespaced-home.ts";
import type { HomeAnswer, HomeRequest, TimelineFeedRpc } from "../../durable-objects/protocol.ts";
import type { WebhookTransport } from "../../durable-objects/webhooks/webhook-transport.ts";
import { fakeTimeline } from "./fake-timeline.ts";
import { ADMIN, type Answer, readAnswer, TestPlatform, targetOf } from "./home.ts";

export interface TestClusterOptions {
  controllers?: readonly AnyController[];
  timeline?: TimelineFeedRpc;
  rootCa?: string;
  apiEndpoint?: string;
  transport?: WebhookTransport;
  convert?: ConversionCaller;
}

/** A cluster's homes in one process, on SQLite in memory, sharing a clock. Calls between them take a turn, as RPC does. */
export class TestCluster {
  /** The clock of all; its timers are the ClusterHome's. */
  readonly platform = new TestPlatform();
  readonly #platforms = new Map<string, TestPlatform>([["", this.platform]]);
  readonly #options: TestClusterOptions;
  readonly #namespaces = new Map<string, NamespacedHome>();
  clusterHome: ClusterWideHome;
  /** What the process holds of the databases: nothing once it is killed. */
  #life = { isOver: false };

  constructor(options: TestClusterOptions = {}) {
    this.#options = options;
    this.clusterHome = this.#newClusterHome();
  }

  #timeline(): TimelineFeedRpc {
    return this.#options.timeline ?? fakeTimeline();
  }

  #newClusterHome(): ClusterWideHome {
    return new ClusterWideHome({
      platform: this.#alive(this.platform),
      homeOf: (namespace) => ({
        handle: async (request: HomeRequest) => await this.namespace(namespace).home.handle(request),
        watch: async (request) => await this.namespace(namespace).home.watchFrom(request),
        activate: async (...args) => await this.namespace(namespace).activate(...args),
        terminate: async () => await this.namespace(namespace).terminate(),
        catalogChanged: async (revision) => this.namespace(namespace).catalogChanged(revision),
        deleteInstances: async (resource) => await this.namespace(namespace).deleteInstances(resource),
      }),
      timeline: { ...this.#timeline(), catalogChanged: async () => undefined },
      serviceCidr: "10.96.0.0/24",
      podCidr: "10.244.0.0/16",
      apiEndpoint: this.#options.apiEndpoint,
      transport: this.#options.transport,
      convert: this.#options.convert,
    });
  }

  /** Of a home that has been asked for ("" for the ClusterHome). */
  platformOf(name: string): TestPlatform {
    const platform = this.#platforms.get(name);
    if (!platform) throw new Error(`nobody has asked for the home of ${name}`);
    return platform;
  }

  namespace(name: string): NamespacedHome {
    let home = this.#namespaces.get(name);
    if (!home) {
      home = this.#newNamespace(name);
      this.#namespaces.set(name, home);
    }
    return home;
  }

  #newNamespace(name: string): NamespacedHome {
    let platform = this.#platforms.get(name);
    if (!platform) {
      platform = new TestPlatform();
      platform.time = this.platform.time;
      this.#platforms.set(name, platform);
    }
    const cluster = () => this.clusterHome;
    const { controllers, rootCa, transport, convert } = this.#options;
    return new NamespacedHome({
      platform: this.#alive(platform),
      namespace: name,
      cluster: {
        namespaceState: async (namespace) => await cluster().namespaceState(namespace),
        priorityClasses: async () => await cluster().priorityClasses(),
        readObjects: async (...args) => await cluster().readObjects(...args),
        allocateService: async (ask) => await cluster().allocateService(ask),
        releaseService: async (reservation) => await cluster().releaseService(reservation),
        contentsChanged: async (namespace) => cluster().contentsChanged(namespace),
        settleServices: async (...args) => await cluster().settleServices(...args),
        catalog: async (...args) => await cluster().catalog(...args),
        definition: async (...args) => cluster().definition(...args),
      },
      timeline: this.#timeline(),
      ...(controllers && { controllers }),
      ...(rootCa && { rootCa }),
      ...(transport && { transport }),
      ...(convert && { convert }),
    });
  }

  /** The platform as long as the process lives: what was under way in a killed one must not write any more. */
  #alive(platform: TestPlatform): Platform {
    const life = this.#life;
    const check = () => {
      if (life.isOver) throw new Error("the process was killed");
    };
    const { database } = platform;
    return {
      ...platform,
      database: {
        exec: (query, ...bindings) => {
          check();
          return database.exec(query, ...bindings);
        },
        transaction: (work) => {
          check();
          return database.transaction(work);
        },
      },
    };
  }

  /** The process is killed: everything in memory is lost, timers too. What was stored, alarms included, is there. */
  kill(): void {
    this.#life.isOver = true;
    this.#life = { isOver: false };
    for (const platform of this.#platforms.values()) platform.dropTimers();
    this.#namespaces.clear();
    this.clusterHome = this.#newClusterHome();
  }

  /** Lets time go by, alarms ring, and all consequences happen. */
  async settle(milliseconds = 0): Promise<void> {
    const step = 1_000;
    for (let left = milliseconds; ; left -= step) {
      const advance = Math.max(0, Math.min(left, step));
      for (let i = 0; i < 12; i++) {
        for (const [name, platform] of this.#platforms) {
          platform.advance(i === 0 ? advance : 0);
          if (platform.alarmAt !== undefined && platform.alarmAt <= platform.time) {
            platform.alarmAt = undefined;
            void (name === "" ? this.clusterHome : this.namespace(name)).alarm();
          }
        }
        for (let j = 0; j < 20; j++) await Promise.resolve();
      }
      if (left <= step) return;
    }
  }

  /** Sends a request to the home of a namespace ("" for the ClusterHome), and runs what is due until it is answered. */
  async ask(
    namespace: string,
    verb: HomeRequest["verb"],
    path: string,
    { object, ...more }: Partial<HomeRequest> & { object?: unknown } = {},
  ): Promise<Answer> {
    const request: HomeRequest = {
      verb,
      user: ADMIN,
      target: targetOf(path, namespace),
      options: {},
      ...(object !== undefined && { body: JSON.stringify(object) }),
      ...more,
    };
    let answer: HomeAnswer | undefined;
    const answered = (
      namespace === "" ? this.clusterHome.handle(request) : this.namespace(namespace).home.handle(request)
    ).then((value) => {
      answer = value;
      return value;
    });
    for (let i = 0; i < 20 && !answer; i++) await this.settle();
    return await readAnswer(await answered);
  }
}
