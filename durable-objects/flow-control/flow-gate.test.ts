import { beforeEach, describe, expect, test } from "vitest";
import type { User } from "../../api/object.ts";
import { TestCluster } from "../../test/support/cluster.ts";
import { type TestHome, targetOf, testHome } from "../../test/support/home.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { EMPTY_CATALOG } from "../catalog/catalog.ts";
import type { HomeAnswer, HomeRequest } from "../protocol.ts";
import { FlowGate } from "./flow-gate.ts";

const node = (name: string): User => ({
  name: `system:node:${name}`,
  groups: ["system:nodes", "system:authenticated"],
});
const OBJECTS = 350;

describe("in a home", () => {
  let it: TestHome;

  beforeEach(async () => {
    it = testHome();
    for (let i = 0; i < OBJECTS; i++) {
      const object = { apiVersion: "v1", kind: "Endpoints", metadata: { name: `e-${i}` } };
      expect((await it.ask("create", "endpoints", { object })).code).toBe(201);
    }
  });

  const list = (user: User): HomeRequest => ({
    verb: "list",
    user,
    target: targetOf("endpoints", "default"),
    options: {},
  });
  const get = (user: User): HomeRequest => ({
    verb: "get",
    user,
    target: targetOf("endpoints/e-0", "default"),
    options: {},
  });
  /** One turn of the event loop: what is due, and what follows from it. */
  const turn = async () => {
    it.platform.advance();
    for (let i = 0; i < 50; i++) await Promise.resolve();
  };

  test("a flood of lists by one node does not slow another's reads", async () => {
    let lists = 0;
    const codes: number[] = [];
    const flood = Array.from({ length: 200 }, async () => {
      const { code } = await it.home.handle(list(node("loud")));
      codes.push(code);
      lists++;
    });
    for (let i = 0; i < 50; i++) await Promise.resolve();
    const before = lists;
    let after: number | undefined;
    const quiet = it.home.handle(get(node("quiet"))).then((answer) => {
      after = lists - before;
      return answer;
    });
    for (let turns = 0; after === undefined && turns < 100; turns++) await turn();
    // Not behind the lists that came before it.
    expect(after).toBeLessThan(30);
    expect((await quiet).code).toBe(200);
    for (let turns = 0; lists < 200 && turns < 500; turns++) await turn();
    await Promise.all(flood);
    expect(new Set(codes)).toEqual(new Set([200]));
  });

  test("what is too much is refused as a Status that says when to come again", async () => {
    const all = Array.from({ length: 1000 }, () => it.home.handle(list(node("loud"))));
    for (let turns = 0; turns < 500; turns++) await turn();
    const answers = await Promise.all(all);
    const refused = answers.find(({ code }) => code === 429) as HomeAnswer;
    expect(JSON.parse(refused.body as string)).toMatchObject({
      kind: "Status",
      reason: "TooManyRequests",
      details: { retryAfterSeconds: 1 },
    });
    expect(answers.filter(({ code }) => code === 200).length).toBeGreaterThanOrEqual(300);
  });

  test("who may do anything waits for nobody", async () => {
    const all = Array.from({ length: 1000 }, () => it.home.handle(list({ name: "admin", groups: ["system:masters"] })));
    for (let i = 0; i < 50; i++) await Promise.resolve();
    expect(new Set((await Promise.all(all)).map(({ code }) => code))).toEqual(new Set([200]));
  });
});

describe("seats", () => {
  const request: HomeRequest = { verb: "list", user: node("n"), target: targetOf("pods", "default"), options: {} };
  const timers: { at: number; work: () => void }[] = [];
  let now = 0;
  const advance = (milliseconds: number) => {
    now += milliseconds;
    const due = timers.filter(({ at }) => at <= now);
    for (const timer of due) timers.splice(timers.indexOf(timer), 1);
    for (const { work } of due) work();
  };
  let catalog: Catalog = EMPTY_CATALOG;
  const newGate = () =>
    new FlowGate({
      later: (milliseconds, work) => {
        const timer = { at: now + milliseconds, work };
        timers.push(timer);
        return () => {
          if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
        };
      },
      catalog: () => catalog,
      countOf: () => Number.POSITIVE_INFINITY,
    });

  beforeEach(() => {
    timers.length = 0;
    now = 0;
    catalog = EMPTY_CATALOG;
  });

  const settle = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve();
  };

  test("a list that is a stream keeps its seats until it has been read, and no longer than a minute", async () => {
    const gate = newGate();
    let begun = 0;
    const streams: ReadableStream<Uint8Array>[] = [];
    for (let i = 0; i < 100; i++)
      void gate
        .handle(request, async () => {
          begun++;
          return { code: 200, body: new ReadableStream({ start: (controller) => controller.close() }) };
        })
        .then(({ body }) => {
          if (typeof body !== "string") streams.push(body);
        });
    await settle();
    const first = begun;
    expect(first).toBeLessThan(100);
    advance(0);
    await settle();
    expect(begun).toBe(first);
    // One reads to the end, another goes away.
    await new Response(streams[0]).text();
    await streams[1]!.cancel();
    advance(0);
    await settle();
    expect(begun).toBeGreaterThan(first);
    // Who waits has given up before that; who comes later finds seats.
    advance(60_000);
    advance(0);
    const code = gate.handle(request, async () => ({ code: 200, body: "" })).then((answer) => answer.code);
    await settle();
    expect(await code).toBe(200);
  });

  test("a failure gives its seat back", async () => {
    const gate = newGate();
    for (let i = 0; i < 500; i++) {
      const failed = gate.handle(request, async () => {
        throw new Error("a bug");
      });
      await expect(failed).rejects.toThrow("a bug");
      advance(0);
    }
  });

  test("a watch has one only while it begins", async () => {
    const gate = newGate();
    for (let i = 0; i < 500; i++) {
      const answer = await gate.watch(request, async () => ({ code: 200, events: new ReadableStream() }));
      expect(answer.code).toBe(200);
      advance(0);
    }
  });

  test("answers name the objects they were judged by", async () => {
    const metadata = (name: string) => ({ metadata: { name, uid: `${name}-uid` } });
    const objects = {
      "flowschemas.flowcontrol.apiserver.k8s.io": [metadata("system-nodes")],
      "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": [metadata("system")],
    } as Record<string, any[]>;
    const gate = newGate();
    const work = async (): Promise<HomeAnswer> => ({ code: 200, body: "{}" });
    expect((await gate.handle(request, work)).flow).toBeUndefined();
    catalog = { ...EMPTY_CATALOG, objects: (resource) => objects[resource] ?? [] };
    expect((await gate.handle(request, work)).flow).toEqual({ schemaUid: "system-nodes-uid", levelUid: "system-uid" });
  });
});

describe("in a cluster", () => {
  const SCHEMAS = "flowcontrol.apiserver.k8s.io/v1/flowschemas";
  const LEVELS = "flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations";

  async function newCluster(): Promise<TestCluster> {
    const cluster = new TestCluster();
    await cluster.ask("", "list", SCHEMAS);
    await cluster.settle();
    return cluster;
  }

  const names = (list: any): string[] => list.items.map((item: any) => item.metadata.name);

  test("what every cluster has is there, and found by its schemas", async () => {
    const cluster = await newCluster();
    const { body: schemas } = await cluster.ask("", "list", SCHEMAS);
    const { body: levels } = await cluster.ask("", "list", LEVELS);
    expect(names(schemas)).toHaveLength(11);
    expect(names(levels)).toHaveLength(8);
    for (const { metadata, status } of schemas.items) {
      expect(metadata.annotations).toEqual({ "apf.kubernetes.io/autoupdate-spec": "true" });
      expect(status.conditions).toMatchObject([{ type: "Dangling", status: "False", reason: "Found" }]);
    }
  });

  test("what is mandatory comes back as it was; what is suggested can be made one's own", async () => {
    const cluster = await newCluster();
    const change = async (name: string, spec: object, annotations?: object) => {
      const { body } = await cluster.ask("", "get", `${LEVELS}/${name}`);
      const metadata = { ...body.metadata, annotations: { ...body.metadata.annotations, ...annotations } };
      const limited = { ...body.spec.limited, ...spec };
      const object = { ...body, metadata, spec: { ...body.spec, limited } };
      expect((await cluster.ask("", "update", `${LEVELS}/${name}`, { object })).code).toBe(200);
      await cluster.settle();
      return (await cluster.ask("", "get", `${LEVELS}/${name}`)).body.spec.limited.nominalConcurrencyShares;
    };
    expect(await change("catch-all", { nominalConcurrencyShares: 77 })).toBe(5);
    expect(await change("workload-low", { nominalConcurrencyShares: 77 })).toBe(100);
    const mine = { "apf.kubernetes.io/autoupdate-spec": "false" };
    expect(await change("workload-low", { nominalConcurrencyShares: 77 }, mine)).toBe(77);
    expect(await change("catch-all", { nominalConcurrencyShares: 77 }, mine)).toBe(5);

    await cluster.ask("", "delete", `${SCHEMAS}/exempt`);
    await cluster.ask("", "delete", `${SCHEMAS}/service-accounts`);
    await cluster.settle();
    expect(names((await cluster.ask("", "list", SCHEMAS)).body)).toHaveLength(11);
  });

  test("a schema without its level says so, until the level is there", async () => {
    const cluster = await newCluster();
    const object = {
      apiVersion: "flowcontrol.apiserver.k8s.io/v1",
      kind: "FlowSchema",
      metadata: { name: "mine" },
      spec: { priorityLevelConfiguration: { name: "mine" } },
    };
    expect((await cluster.ask("", "create", SCHEMAS, { object })).code).toBe(201);
    await cluster.settle();
    const condition = async () => (await cluster.ask("", "get", `${SCHEMAS}/mine`)).body.status.conditions[0];
    expect(await condition()).toMatchObject({
      status: "True",
      reason: "NotFound",
      message:
        'This FlowSchema references the PriorityLevelConfiguration object named "mine" but there is no such object',
    });
    const level = {
      ...object,
      kind: "PriorityLevelConfiguration",
      spec: { type: "Limited", limited: { limitResponse: { type: "Reject" } } },
    };
    expect((await cluster.ask("", "create", LEVELS, { object: level })).code).toBe(201);
    await cluster.settle();
    expect(await condition()).toMatchObject({ status: "False", reason: "Found" });
  });

  test("a namespace's home goes by the cluster's own schemas", async () => {
    const cluster = await newCluster();
    const spec = (precedence: number) => ({
      priorityLevelConfiguration: { name: "exempt" },
      matchingPrecedence: precedence,
      rules: [
        {
          subjects: [{ kind: "Group", group: { name: "system:nodes" } }],
          resourceRules: [{ verbs: ["list"], apiGroups: [""], resources: ["services"], namespaces: ["*"] }],
        },
      ],
    });
    const object = {
      apiVersion: "flowcontrol.apiserver.k8s.io/v1",
      kind: "FlowSchema",
      metadata: { name: "mine" },
      spec: spec(10),
    };
    const { body: mine } = await cluster.ask("", "create", SCHEMAS, { object });
    const request: HomeRequest = {
      verb: "list",
      user: node("n"),
      target: targetOf("services", "default"),
      options: {},
    };
    await cluster.settle();
    const { home } = cluster.namespace("default");
    await home.handle(request);
    await cluster.settle();
    const { flow } = await home.handle(request);
    expect(flow?.schemaUid).toBe(mine.metadata.uid);
    const get = await home.handle({ ...request, verb: "get", target: targetOf("services/kubernetes", "default") });
    expect(get.flow?.schemaUid).not.toBe(mine.metadata.uid);
    expect(get.flow?.schemaUid).toBeTruthy();
  });
});
