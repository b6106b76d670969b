import { describe, expect, test } from "vitest";
import { ConfigMap } from "../../api/kinds/config-map.ts";
import { Event } from "../../api/kinds/event.ts";
import { Pod } from "../../api/kinds/pod.ts";
import { ReplicaSet } from "../../api/kinds/replica-set.ts";
import { Secret } from "../../api/kinds/secret.ts";
import type { KubeObject } from "../../api/object.ts";
import { forbidden } from "../../api/status.ts";
import { testHome } from "../../test/support/loop-home.ts";
import { nodeSql } from "../../test/support/node-sql.ts";
import {
  type AnyController,
  type Controller,
  defineController,
  type HomeController,
  type Plan,
} from "../controllers/controller.ts";
import { garbageCollector } from "../controllers/garbage-collector.ts";
import { PASS_KEYS_MAX, PLAN_WRITES_MAX } from "./controller-loop.ts";

const KINDS = [ConfigMap, Secret, Pod, ReplicaSet, Event];
const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default" },
  data,
});
const secret = (name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace: "default" },
});

/** Notes what it is shown; does what `plan` says. */
function noting(plan: (name: string) => Plan = () => ({ writes: [] }), more: Partial<Controller> = {}) {
  const seen: string[] = [];
  const controller = defineController({
    name: "noting",
    for: ConfigMap,
    reconcile({ metadata }) {
      seen.push(metadata.name);
      return plan(metadata.name);
    },
    ...more,
  } as Controller);
  return { seen, controller };
}

function start(controllers: AnyController[], home = testHome()) {
  const loop = home.loop(controllers, KINDS);
  loop.run(home.now);
  return { home, loop, run: () => loop.run(home.now) };
}

describe("the work queue", () => {
  test("shows a controller each object that has changed, once for many changes", () => {
    const { controller, seen } = noting();
    const { home, loop, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    home.create(configMap("b"), ConfigMap);
    for (let i = 0; i < 5; i++) home.change(ConfigMap, "a", (object) => (object["data"] = { i: String(i) }));
    expect(loop.nextDueAt()).toBe(0);
    run();
    expect(seen).toEqual(["a", "b"]);
    expect(loop.nextDueAt()).toBeUndefined();
    run();
    expect(seen).toEqual(["a", "b"]);
  });

  test("in a home that has never run begins with everything there is", () => {
    const { controller, seen } = noting();
    const home = testHome();
    home.create(configMap("a"), ConfigMap);
    start([controller], home);
    expect(seen).toEqual(["a"]);
  });

  test("goes on after a restart where it was", () => {
    const database = nodeSql();
    const home = testHome(database);
    start(
      [
        noting((name) => ({
          writes: [{ op: "event", about: configMap(name), type: "Normal", reason: "Seen", message: "seen" }],
        })).controller,
      ],
      home,
    );
    home.create(configMap("before"), ConfigMap);
    const first = home.loop(
      [noting((name) => ({ writes: [{ op: "create", kind: Secret, object: secret(name) }] })).controller],
      KINDS,
    );
    first.run(home.now);
    home.create(configMap("after"), ConfigMap);
    const { controller, seen } = noting();
    home.loop([controller], KINDS).run(home.now);
    expect(seen).toEqual(["after"]);
  });

  test("shows an object that is gone to `forget`", () => {
    const forgotten: string[] = [];
    const { controller, seen } = noting(undefined, {
      forget(name) {
        forgotten.push(name);
        return { writes: [] };
      },
    });
    const { home, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    run();
    home.remove(ConfigMap, "a");
    run();
    expect([seen, forgotten]).toEqual([["a"], ["a"]]);
  });

  test("brings an object's controlling owner, the former one too, and whom a watch names", () => {
    const { controller, seen } = noting(undefined, {
      owns: [Secret],
      watches: [
        {
          kind: Pod,
          concerns: (object, previous) => [`watched-${object.metadata.name}-${previous ? "changed" : "new"}`],
        },
      ],
      forget: (name) => {
        seen.push(`-${name}`);
        return { writes: [] };
      },
    });
    const { home, run } = start([controller]);
    const ownedBy = (name: string) => [{ apiVersion: "v1", kind: "ConfigMap", name, uid: "u", controller: true }];
    home.create({ ...secret("s"), metadata: { name: "s", ownerReferences: ownedBy("one") } }, Secret);
    run();
    home.change(Secret, "s", (object) => (object.metadata.ownerReferences = ownedBy("two")));
    home.create({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: {} }, Pod);
    run();
    home.change(
      Secret,
      "s",
      (object) => (object.metadata.ownerReferences = [{ ...ownedBy("three")[0]!, controller: false }]),
    );
    run();
    expect(seen).toEqual(["-one", "-two", "-one", "-watched-p-new", "-two"]);
  });

  test("is looked through anew where history no longer reaches back", () => {
    const { controller, seen } = noting();
    const home = testHome();
    start([], home);
    home.create(configMap("a"), ConfigMap);
    const { store } = home;
    const compacted: typeof store = {
      database: store.database,
      get revision() {
        return store.revision;
      },
      read: (work) => store.read(work),
      write: (work) => store.write(work),
      changes: (after, options) => (after === 0 ? undefined : store.changes(after, options)),
    };
    Object.assign(home, { store: compacted }).loop([controller], KINDS).run(home.now);
    expect(seen).toEqual(["a"]);
  });

  test("is not stopped by a watch that throws: others hear of the change", () => {
    const broken = noting(undefined, {
      watches: [
        {
          kind: ConfigMap,
          concerns: () => {
            throw new TypeError("a bug");
          },
        },
      ],
    });
    const { controller, seen } = noting(undefined, { name: "sound" });
    const { home, run } = start([broken.controller, controller]);
    home.create(configMap("a"), ConfigMap);
    expect(run().failures).toMatchObject([
      { controller: "noting", key: "a", attempts: 0, error: new TypeError("a bug") },
    ]);
    expect(seen).toEqual(["a"]);
  });

  test("survives a store that fails: the next pass begins where the last one ended", () => {
    const { controller, seen } = noting();
    const { home, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    const { write } = home.store;
    home.store.write = () => {
      throw new Error("disk full");
    };
    expect(run).toThrow("disk full");
    home.store.write = write;
    run();
    expect(seen).toEqual(["a"]);
  });

  test("can be asked to look at an object for what is not in the store", () => {
    const { controller, seen } = noting();
    const { home, loop, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    run();
    loop.look(controller, "a");
    expect(loop.nextDueAt()).toBe(0);
    run();
    expect(seen).toEqual(["a", "a"]);
  });

  test("is bounded by keys: the rest follows in the next pass, nothing twice", () => {
    const { controller, seen } = noting();
    const { home, loop, run } = start([controller]);
    for (let i = 0; i < PASS_KEYS_MAX + 10; i++) home.create(configMap(`c${i}`), ConfigMap);
    expect(run().keys).toBe(PASS_KEYS_MAX);
    expect(loop.nextDueAt()).toBe(0);
    expect(run().keys).toBe(10);
    expect(new Set(seen).size).toBe(PASS_KEYS_MAX + 10);
  });

  test("that was cut short is taken up by the next process from what was not done", () => {
    const { controller } = noting((name) =>
      name === "c0" ? { writes: [{ op: "create", kind: Secret, object: secret("s") }] } : { writes: [] },
    );
    const { home, run } = start([controller]);
    for (let i = 0; i < PASS_KEYS_MAX + 10; i++) home.create(configMap(`c${i}`), ConfigMap);
    run();
    const next = noting();
    const loop = home.loop([next.controller], KINDS);
    loop.run(home.now);
    expect(next.seen.slice(-10)).toEqual(Array.from({ length: 10 }, (_, i) => `c${PASS_KEYS_MAX + i}`));
  });
});

describe("a plan", () => {
  test("is carried out, and what it causes is looked at in the same pass", () => {
    const { controller, seen } = noting((name) => ({
      writes: name === "a" ? [{ op: "create", kind: ConfigMap, object: configMap("b") }] : [],
    }));
    const { home, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    expect(run()).toEqual({ keys: 2, writes: 1, failures: [] });
    expect(seen).toEqual(["a", "b"]);
  });

  test("of which a write is refused leaves nothing behind, and others are not touched", () => {
    const { controller } = noting((name) => ({
      writes: [
        { op: "create", kind: Secret, object: secret(`${name}-1`) },
        { op: "create", kind: Secret, object: secret(`${name}-2`) },
      ],
    }));
    const { home, run } = start([controller]);
    home.admit = (write) => {
      if (write.op === "create" && write.object.metadata.name === "bad-2")
        throw forbidden({ group: "", resource: "secrets" }, "bad-2", "no");
    };
    home.create(configMap("bad"), ConfigMap);
    home.create(configMap("good"), ConfigMap);
    const { failures } = run();
    expect(failures).toMatchObject([{ controller: "noting", key: "bad", attempts: 1 }]);
    expect(home.list(Secret).map(({ metadata }) => metadata.name)).toEqual(["good-1", "good-2"]);
  });

  test("that throws fails alone too", () => {
    const { controller } = noting((name) => {
      if (name === "bad") throw new TypeError("a bug");
      return { writes: [{ op: "create", kind: Secret, object: secret(name) }] };
    });
    const { home, run } = start([controller]);
    home.create(configMap("bad"), ConfigMap);
    home.create(configMap("good"), ConfigMap);
    expect(run().failures).toMatchObject([{ key: "bad", error: new TypeError("a bug") }]);
    expect(home.get(Secret, "good")).toBeDefined();
  });

  test("of a controller that knows refusals keeps what came before, and tells", () => {
    const { controller } = noting(
      () => ({ writes: ["one", "two", "three"].map((name) => ({ op: "create", kind: Secret, object: secret(name) })) }),
      {
        refused: ({ reason, message }, object) => ({
          writes: [{ op: "event", about: object, type: "Warning", reason, message }],
        }),
      },
    );
    const { home, run } = start([controller]);
    home.admit = (write) => {
      if (write.op === "create" && write.object.metadata.name === "two")
        throw forbidden({ group: "", resource: "secrets" }, "two", "no");
    };
    home.create(configMap("a"), ConfigMap);
    expect(run().failures[0]).toMatchObject({ key: "a" });
    expect(home.list(Secret).map(({ metadata }) => metadata.name)).toEqual(["one"]);
    expect(home.list(Event)).toMatchObject([{ reason: "Forbidden", message: 'secrets "two" is forbidden: no' }]);
  });

  test("may delete what is gone already", () => {
    const { controller } = noting(() => ({ writes: [{ op: "delete", kind: Secret, name: "gone" }] }));
    const { home, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    expect(run().failures).toEqual([]);
  });

  test("with more writes than a transaction should hold is a bug", () => {
    const { controller } = noting(() => ({
      writes: Array.from({ length: PLAN_WRITES_MAX + 1 }, (_, i) => ({ op: "delete", kind: Secret, name: String(i) })),
    }));
    const { home, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    expect(run().failures[0]?.error).toMatchObject({ message: `noting wishes ${PLAN_WRITES_MAX + 1} writes at once` });
  });

  test("writes as the controller's service account", () => {
    const { controller } = noting(() => ({ writes: [{ op: "create", kind: Secret, object: secret("s") }] }));
    const home = testHome();
    const users: string[] = [];
    const { applyWrite } = home;
    home.applyWrite = (tx, write, user) => {
      users.push(user.name);
      applyWrite(tx, write, user);
    };
    home.create(configMap("a"), ConfigMap);
    start([controller], home);
    expect(users.at(-1)).toBe("system:serviceaccount:kube-system:noting");
  });

  test("is not made from objects that can be changed", () => {
    const { controller } = noting(undefined, {
      reconcile(object) {
        (object as KubeObject)["data"].changed = "yes";
        return { writes: [] };
      },
    });
    const { home, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    expect(run().failures[0]?.error).toBeInstanceOf(TypeError);
  });
});

describe("time", () => {
  test("an object that asked for it is looked at again then, also by another process", () => {
    const { controller, seen } = noting(() => ({ writes: [], again: { inSeconds: 30 } }));
    const { home, loop, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    run();
    const dueAt = home.now + 30_000;
    expect(loop.nextDueAt()).toBe(dueAt);
    const next = home.loop([controller], KINDS);
    next.run(home.now);
    expect(next.nextDueAt()).toBe(dueAt);
    seen.length = 0;
    next.run(dueAt - 1);
    expect(seen).toEqual([]);
    next.run(dueAt);
    expect(seen).toEqual(["a"]);
    expect(next.nextDueAt()).toBe(dueAt + 30_000);
  });

  test("an earlier look stands, a plan without one takes it away", () => {
    let again: Plan["again"] = { inSeconds: 30 };
    const { controller } = noting(() => ({ writes: [], ...(again && { again }) }));
    const { home, loop, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    run();
    again = { inSeconds: 60 };
    home.change(ConfigMap, "a", (object) => (object["data"] = { x: "1" }));
    run();
    expect(loop.nextDueAt()).toBe(home.now + 30_000);
    again = undefined;
    home.change(ConfigMap, "a", (object) => (object["data"] = { x: "2" }));
    run();
    expect(loop.nextDueAt()).toBeUndefined();
  });

  test("`again` at once waits for the next pass, and is not lost with the process", () => {
    let rest = 3;
    const { controller, seen } = noting(() => ({ writes: [], ...(--rest > 0 && { again: { inSeconds: 0 } }) }));
    const { home, loop, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    run();
    expect(seen).toHaveLength(1);
    expect(loop.nextDueAt()).toBe(0);
    const next = home.loop([controller], KINDS);
    next.run(home.now);
    next.run(home.now);
    expect(seen).toHaveLength(3);
    expect(next.nextDueAt()).toBeUndefined();
  });

  test("failures are tried again ever later, up to five minutes, until they succeed", () => {
    let fails = true;
    const { controller } = noting(() => ({ writes: [], ...(fails && { failure: "not yet" }) }));
    const { home, loop, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    const delays: number[] = [];
    for (let i = 0; i < 14; i++) {
      expect(run().failures).toMatchObject([{ attempts: i + 1, error: "not yet" }]);
      delays.push(loop.nextDueAt()! - home.now);
      home.now = loop.nextDueAt()!;
    }
    expect(delays.slice(0, 4)).toEqual([250, 500, 1_000, 2_000]);
    expect(delays.at(-1)).toBe(300_000);
    fails = false;
    expect(run().failures).toEqual([]);
    expect(loop.nextDueAt()).toBeUndefined();
  });

  test("a timer of a controller that is no more is forgotten", () => {
    const { controller } = noting(() => ({ writes: [], again: { inSeconds: 1 } }));
    const { home, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    run();
    const loop = home.loop([], KINDS);
    loop.run(home.now + 1_000);
    expect(loop.nextDueAt()).toBeUndefined();
  });
});

describe("rows", () => {
  test("a change that nobody acts on costs none", () => {
    const database = nodeSql();
    const home = testHome(database);
    const { run } = start([noting().controller], home);
    home.create(configMap("a"), ConfigMap);
    const before = database.rowsWritten();
    run();
    expect(database.rowsWritten() - before).toBe(0);
  });

  test("a pass that writes costs one more, however much it does", () => {
    const database = nodeSql();
    const home = testHome(database);
    const { run } = start(
      [noting((name) => ({ writes: [{ op: "create", kind: Secret, object: secret(name) }] })).controller],
      home,
    );
    for (let i = 0; i < 10; i++) home.create(configMap(`c${i}`), ConfigMap);
    const before = database.rowsWritten();
    const alone = (() => {
      const other = nodeSql();
      const otherHome = testHome(other);
      const start = other.rowsWritten();
      for (let i = 0; i < 10; i++) otherHome.create(secret(`c${i}`), Secret);
      return other.rowsWritten() - start;
    })();
    run();
    expect(database.rowsWritten() - before).toBe(alone + 1);
  });
});

describe("events", () => {
  test("are counted where they are repeated, in the object's namespace", () => {
    const { controller } = noting((name) => ({
      writes: [{ op: "event", about: configMap(name), type: "Normal", reason: "Seen", message: "seen" }],
    }));
    const { home, run } = start([controller]);
    home.create(configMap("a"), ConfigMap);
    run();
    home.change(ConfigMap, "a", (object) => (object["data"] = { x: "1" }));
    run();
    expect(home.list(Event)).toMatchObject([
      { reason: "Seen", count: 2, source: { component: "noting" }, involvedObject: { kind: "ConfigMap", name: "a" } },
    ]);
  });

  test("that are refused stop nothing", () => {
    const { controller } = noting((name) => ({
      writes: [
        { op: "event", about: configMap(name), type: "Normal", reason: "Seen", message: "seen" },
        { op: "create", kind: Secret, object: secret(name) },
      ],
    }));
    const { home, run } = start([controller]);
    home.admit = (write) => {
      if (write.kind.kind === "Event")
        throw forbidden({ group: "", resource: "events" }, "", "namespace is being terminated");
    };
    home.create(configMap("a"), ConfigMap);
    expect(run().failures).toEqual([]);
    expect(home.get(Secret, "a")).toBeDefined();
  });
});

describe("a controller of the home as a whole", () => {
  test("looks first when the home wakes, then when what it watches matters", () => {
    let looks = 0;
    const controller: HomeController = {
      name: "whole",
      watches: [
        { kind: ConfigMap, name: "a" },
        { kind: Secret, matters: ({ metadata }) => metadata.name === "a" },
      ],
      reconcileHome() {
        looks++;
        return { writes: [] };
      },
    };
    const { home, run } = start([controller]);
    expect(looks).toBe(1);
    for (const [name, looksAfter] of [
      ["b", [1, 1]],
      ["a", [2, 3]],
    ] as const) {
      home.create(configMap(name), ConfigMap);
      run();
      expect(looks).toBe(looksAfter[0]);
      home.create({ ...configMap(name), kind: "Secret" }, Secret);
      run();
      expect(looks).toBe(looksAfter[1]);
    }
  });
});

describe("garbage collection in a home", () => {
  const ownedBy = (home: ReturnType<typeof testHome>, name: string, block = false) => [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      name,
      uid: home.get(ConfigMap, name)!.metadata.uid!,
      ...(block && { blockOwnerDeletion: true }),
    },
  ];

  test("takes a whole tree, from the owner down", () => {
    const { home, run } = start([garbageCollector]);
    home.create(configMap("root"), ConfigMap);
    home.create(
      { ...configMap("child"), metadata: { name: "child", ownerReferences: ownedBy(home, "root") } },
      ConfigMap,
    );
    home.create({ ...secret("leaf"), metadata: { name: "leaf", ownerReferences: ownedBy(home, "child") } }, Secret);
    home.create(secret("other"), Secret);
    run();
    home.delete(ConfigMap, "root");
    run();
    expect([...home.list(ConfigMap), ...home.list(Secret)].map(({ metadata }) => metadata.name)).toEqual(["other"]);
  });

  test("in the foreground takes the leaves first", () => {
    const { home, run } = start([garbageCollector]);
    home.create(configMap("root"), ConfigMap);
    home.create(
      {
        ...configMap("child"),
        metadata: { name: "child", ownerReferences: ownedBy(home, "root", true), finalizers: ["hold"] },
      },
      ConfigMap,
    );
    home.store.write((tx) =>
      home.applyWrite(
        tx,
        { op: "delete", kind: ConfigMap, name: "root", propagation: "Foreground" },
        { name: "test", groups: [] },
      ),
    );
    run();
    expect(home.get(ConfigMap, "child")?.metadata.deletionTimestamp).toBeDefined();
    expect(home.get(ConfigMap, "root")).toBeDefined();
    home.remove(ConfigMap, "child");
    run();
    expect(home.list(ConfigMap)).toEqual([]);
  });
});

describe("carryOut", () => {
  test("does what a decision wishes, and answers it", () => {
    const { home, loop } = start([]);
    home.create(configMap("a"), ConfigMap);
    const answer = loop.carryOut("namespace-controller", home.now, (view) => ({
      writes: view
        .kinds()
        .flatMap((kind) =>
          view.list(kind).map(({ metadata }) => ({ op: "delete" as const, kind, name: metadata.name })),
        ),
      remaining: view.kinds().length,
    }));
    expect(answer).toMatchObject({ decision: { remaining: 1 }, refused: [] });
    expect(home.list(ConfigMap)).toEqual([]);
  });

  test("does all else where one write is refused, and tells which", () => {
    const { home, loop } = start([]);
    home.create(configMap("a"), ConfigMap);
    const decide = () => ({
      writes: [
        { op: "update" as const, kind: ConfigMap, object: configMap("gone") },
        { op: "delete" as const, kind: ConfigMap, name: "a" },
      ],
    });
    const { refused } = loop.carryOut("namespace-controller", home.now, decide);
    expect(refused).toMatchObject([
      { write: { op: "update" }, error: { reason: "NotFound", message: 'configmaps "gone" not found' } },
    ]);
    expect(home.get(ConfigMap, "a")).toBeUndefined();
  });

  test("does all else where one write meets a bug, and leaves nothing of that one", () => {
    const { home, loop } = start([]);
    home.create(configMap("a"), ConfigMap);
    home.create(configMap("b"), ConfigMap);
    home.admit = (write) => {
      if (write.op === "delete" && write.name === "a") throw new TypeError("a bug");
    };
    const { refused } = loop.carryOut("namespace-controller", home.now, () => ({
      writes: ["a", "b"].map((name) => ({ op: "delete" as const, kind: ConfigMap, name })),
    }));
    expect(refused).toMatchObject([{ write: { name: "a" }, error: new TypeError("a bug") }]);
    expect(home.list(ConfigMap).map(({ metadata }) => metadata.name)).toEqual(["a"]);
  });
});
