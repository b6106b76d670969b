import { describe, expect, test } from "vitest";
import { ApiError } from "../status.ts";
import { BOOTSTRAP_LEVELS, BOOTSTRAP_SCHEMAS } from "./bootstrap-configuration.ts";
import { type FlowRequest, flowConfiguration } from "./configuration.ts";
import { FlowController, type Seat } from "./flow-controller.ts";

const SEATS = 150;
const [alice, bob] = ["alice", "bob"].map((name) => ({ name, groups: ["system:authenticated"] })) as [User, User];
type User = FlowRequest["user"];
const admin: User = { name: "admin", groups: ["system:masters", "system:authenticated"] };
const account: User = { name: "system:serviceaccount:a:b", groups: ["system:serviceaccounts", "system:authenticated"] };

const request = (user: User, verb = "get"): FlowRequest => ({
  user,
  verb,
  group: "",
  resource: "pods",
  subresource: "",
  namespace: "default",
});

/** A controller whose event loop is stepped through by hand: each turn is what a home does before it looks at what has come in. */
class Loop {
  readonly controller: FlowController;
  now = 0;
  #timers: { at: number; work: () => void }[] = [];

  constructor(seats = SEATS) {
    this.controller = new FlowController({
      seats,
      later: (milliseconds, work) => {
        const timer = { at: this.now + milliseconds, work };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        };
      },
    });
  }

  /** Runs what is due by now, once, and what follows from it without a turn. */
  async turn(milliseconds = 0): Promise<void> {
    this.now += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { work } of due) work();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }

  get isIdle(): boolean {
    return this.#timers.length === 0;
  }

  enter(what: FlowRequest, width = 1): Seat | Promise<Seat> {
    return this.controller.enter(this.controller.classify(what), what, width);
  }

  /** A request whose work takes no turn: it ends where it began. Tells when it ran. */
  async run(what: FlowRequest, width: number, ran: () => void): Promise<void> {
    const seat = await this.enter(what, width);
    ran();
    seat.leave();
  }
}

const refusals = async (all: Promise<unknown>[]) =>
  (await Promise.allSettled(all)).filter(({ status }) => status === "rejected") as PromiseRejectedResult[];

describe("limits", () => {
  test("the exempt are never limited, and take no seat", () => {
    const loop = new Loop(1);
    for (let i = 0; i < 10_000; i++) expect(loop.enter(request(admin), 1000)).not.toBeInstanceOf(Promise);
  });

  test("where there are seats nobody waits, and nothing is left to be done", () => {
    const loop = new Loop();
    for (let i = 0; i < 1000; i++) {
      const seat = loop.enter(request(alice));
      expect(seat).not.toBeInstanceOf(Promise);
      (seat as Seat).leave();
    }
    expect(loop.isIdle).toBe(true);
  });

  test("a wide request gives back its seats a turn after it has ended", async () => {
    const loop = new Loop();
    const entered = [];
    for (let i = 0; i < 1000; i++) {
      const seat = loop.enter(request(alice, "list"), 10);
      if (seat instanceof Promise) {
        entered.push(i);
        break;
      }
      seat.leave();
    }
    expect(entered[0]).toBeGreaterThan(1);
    expect(entered[0]).toBeLessThan(SEATS);
    await loop.turn();
    expect(loop.controller.waiting).toBe(0);
  });

  test("what does not fit into the flow's queues is refused, in upstream's words", async () => {
    const loop = new Loop();
    const all = Array.from({ length: 2000 }, async () => await loop.enter(request(alice)));
    const refused = Promise.allSettled(all.slice(-1));
    await loop.turn();
    const [last] = await refused;
    const { reason } = last as PromiseRejectedResult;
    expect(reason).toBeInstanceOf(ApiError);
    expect(reason.toStatus()).toMatchObject({
      code: 429,
      reason: "TooManyRequests",
      message: "Too many requests, please try again later.",
      details: { retryAfterSeconds: 1 },
    });
    // Queues of 50, six to a hand.
    expect(loop.controller.waiting).toBeLessThanOrEqual(300);
    await loop.turn(15_000);
    expect(await refusals(all)).not.toHaveLength(0);
  });

  test("nobody waits for ever", async () => {
    const loop = new Loop();
    const all = Array.from({ length: 200 }, async () => await loop.enter(request(alice)));
    expect(loop.controller.waiting).toBeGreaterThan(0);
    await loop.turn(14_999);
    expect(loop.controller.waiting).toBeGreaterThan(0);
    await loop.turn(1);
    expect(loop.controller.waiting).toBe(0);
    expect(await refusals(all)).not.toHaveLength(0);
  });

  test("a level that rejects has no queue", () => {
    const loop = new Loop();
    const nobody: User = { name: "nobody", groups: [] };
    expect(loop.controller.classify(request(nobody)).name).toBe("catch-all");
    expect(() => {
      for (let i = 0; i < SEATS; i++) loop.enter(request(nobody));
    }).toThrow("Too many requests");
    expect(loop.controller.waiting).toBe(0);
  });
});

describe("fairness", () => {
  test("a flood of wide lists by one user does not slow another of the same level", async () => {
    const loop = new Loop();
    let lists = 0;
    const flood = Array.from({ length: 280 }, () => loop.run(request(alice, "list"), 10, () => lists++));
    await loop.turn();
    const before = lists;
    let answeredAfter: number | undefined;
    let turns = 0;
    void loop.run(request(bob), 1, () => {
      answeredAfter = lists - before;
    });
    while (answeredAfter === undefined && turns < 100) {
      await loop.turn();
      turns++;
    }
    // One list of each queue in the other's hand at most.
    expect(turns).toBeLessThanOrEqual(8);
    expect(answeredAfter).toBeLessThanOrEqual(10);
    expect(lists).toBeLessThan(280);
    for (let i = 0; i < 300; i++) await loop.turn();
    await Promise.all(flood);
    expect(lists).toBe(280);
  });

  test("flows that both wait get the same share of seats, however much each asks for", async () => {
    const loop = new Loop();
    const ran: string[] = [];
    const held: Seat[] = [];
    while (loop.controller.waiting === 0) {
      const seat = loop.enter(request(alice));
      if (seat instanceof Promise) void seat.then(({ leave }) => leave());
      else held.push(seat);
    }
    const wide = Array.from({ length: 60 }, () => loop.run(request(alice), 2, () => ran.push("alice")));
    const narrow = Array.from({ length: 60 }, () => loop.run(request(bob), 1, () => ran.push("bob")));
    for (const seat of held) seat.leave();
    for (let i = 0; i < 200; i++) await loop.turn();
    await Promise.all([...wide, ...narrow]);
    expect(ran).toHaveLength(120);
    // Of as many requests, those that take half as much are through first.
    expect(ran.lastIndexOf("alice")).toBeGreaterThan(ran.lastIndexOf("bob"));
  });

  test("a level that is flooded borrows what others do not use, and gives it back as its requests end", async () => {
    const loop = new Loop();
    const held: Seat[] = [];
    for (let i = 0; i < SEATS * 3; i++) {
      const seat = loop.enter(request(alice));
      if (seat instanceof Promise) {
        seat.catch(() => undefined);
        break;
      }
      held.push(seat);
    }
    // Its own 13, and what is lent.
    expect(held.length).toBeGreaterThan(20);
    expect(held.length).toBeLessThan(SEATS);
    // What a level never lends is free for it.
    const own = loop.enter(request(account));
    expect(own).not.toBeInstanceOf(Promise);
    (own as Seat).leave();
    // Service accounts have come for theirs: what is given back is theirs first.
    let served = 0;
    for (let i = 0; i < 40; i++) void Promise.resolve(loop.enter(request(account))).then(() => served++);
    await loop.turn();
    const atOnce = served;
    expect(atOnce).toBeLessThan(40);
    for (const seat of held.splice(0, 20)) seat.leave();
    await loop.turn();
    expect(served).toBeGreaterThan(atOnce);
  });
});

describe("what is configured", () => {
  const objects = (list: readonly { name: string }[]) =>
    list.map(({ name }) => ({ metadata: { name, uid: `${name}-uid` } }));

  test.each<[string, FlowRequest, string, string]>([
    ["an administrator", request(admin), "exempt", "exempt"],
    ["a node's pods", request({ name: "system:node:n", groups: ["system:nodes"] }), "system-nodes", "system"],
    [
      "a node's own status",
      {
        ...request({ name: "system:node:n", groups: ["system:nodes"] }, "patch"),
        resource: "nodes",
        subresource: "status",
        namespace: "",
      },
      "system-node-high",
      "node-high",
    ],
    [
      "leader election",
      {
        ...request({ name: "system:kube-scheduler", groups: [] }, "update"),
        group: "coordination.k8s.io",
        resource: "leases",
      },
      "system-leader-election",
      "leader-election",
    ],
    ["a service account", request(account), "service-accounts", "workload-low"],
    [
      "one of kube-system",
      request({ name: "system:serviceaccount:kube-system:x", groups: ["system:serviceaccounts"] }),
      "kube-system-service-accounts",
      "workload-high",
    ],
    ["anybody", request(alice), "global-default", "global-default"],
    ["a probe", { ...request(alice), resource: "", namespace: "", path: "/readyz" }, "probes", "exempt"],
    ["a path below", { ...request(alice), resource: "", namespace: "", path: "/readyz/etcd" }, "probes", "exempt"],
    [
      "another path",
      { ...request(alice), resource: "", namespace: "", path: "/readyzz" },
      "global-default",
      "global-default",
    ],
  ])("%s is classified as upstream does", (_, what, schema, level) => {
    const configuration = flowConfiguration(objects(BOOTSTRAP_SCHEMAS), objects(BOOTSTRAP_LEVELS));
    const loop = new Loop();
    loop.controller.configure(configuration);
    const found = loop.controller.classify(what);
    expect([found.name, found.level.name, found.uid]).toEqual([schema, level, `${schema}-uid`]);
  });

  test("a schema whose level is not there matches nothing; what is mandatory is always there", () => {
    const spec = {
      matchingPrecedence: 5,
      priorityLevelConfiguration: { name: "missing" },
      rules: BOOTSTRAP_SCHEMAS.at(-1)!.spec.rules!,
    };
    const loop = new Loop();
    loop.controller.configure(flowConfiguration([{ metadata: { name: "dangling" }, spec }], []));
    expect(loop.controller.classify(request(alice)).name).toBe("catch-all");
    expect(loop.controller.classify(request(admin)).name).toBe("exempt");
  });

  test("who waits stays where its level stays, and is refused where it goes", async () => {
    const loop = new Loop();
    const all = Array.from({ length: 100 }, async () => await loop.enter(request(alice)));
    const waiting = loop.controller.waiting;
    expect(waiting).toBeGreaterThan(0);
    const levels = objects(BOOTSTRAP_LEVELS);
    loop.controller.configure(flowConfiguration(objects(BOOTSTRAP_SCHEMAS), levels));
    expect(loop.controller.waiting).toBe(waiting);
    const without = levels.filter(({ metadata }) => metadata.name !== "global-default");
    loop.controller.configure(flowConfiguration(objects(BOOTSTRAP_SCHEMAS), without));
    expect(loop.controller.waiting).toBe(0);
    expect(await refusals(all)).toHaveLength(waiting);
  });
});
