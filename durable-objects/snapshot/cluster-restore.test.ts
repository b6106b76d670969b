import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { endLine, headerLine, homeEndLine, homeLine, objectLine, type Sha256 } from "../../api/snapshot-format.ts";
import { nodeSql } from "../../test/support/node-sql.ts";
import { ServiceAddresses } from "../cluster/service-addresses.ts";
import type { RestoredHomeRpc } from "../protocol.ts";
import { isUntouched } from "../store/import.ts";
import type { SqlDatabase } from "../store/sql.ts";
import { Store } from "../store/store.ts";
import { ClusterRestore } from "./cluster-restore.ts";
import { SealedHome } from "./sealed-home.ts";

// What is tried again is told to the log.
beforeAll(() => void vi.spyOn(console, "warn").mockImplementation(() => undefined));
afterAll(() => void vi.restoreAllMocks());

const REVISION = 9_000;
const CIDR = "10.96.0.0/16";

const newHash = (): Sha256 => {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
};
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What ends a process: everything that it still had under way goes nowhere. */
class Crash extends Error {}

interface Disk {
  database: ReturnType<typeof nodeSql>;
  alarmAt?: number | undefined;
}

/** A ClusterHome, its namespaces' homes and the Timeline, as far as a restore knows them. Their disks outlive the process. */
class World {
  time = 1_000_000;
  steps = 0;
  crashAt = Number.POSITIVE_INFINITY;
  startsAbove = 0;
  /** What every removal of the cluster's own objects but the first waits for. */
  removalDelayed: Promise<void> | undefined;
  #removals = 0;
  /** A home that takes nothing. */
  broken: string | undefined;
  readonly disks = new Map<string, Disk>();
  #process = 0;
  #objects = this.#boot();

  get cluster(): ClusterRestore {
    return this.#objects.cluster;
  }

  home(name: string): SealedHome {
    return this.#objects.home(name);
  }

  disk(name: string): Disk {
    const disk = this.disks.get(name) ?? { database: nodeSql() };
    this.disks.set(name, disk);
    return disk;
  }

  /** All that ran is gone; what is on the disks is found by what runs next. */
  restart(): void {
    this.crashAt = Number.POSITIVE_INFINITY;
    this.#objects = this.#boot();
  }

  /** Lets alarms ring until none is set: bounded, so that a restore which never ends is noticed. */
  async settle(): Promise<void> {
    for (let round = 0; round < 50; round++) {
      const [name, disk] = [...this.disks].filter(([, { alarmAt }]) => alarmAt !== undefined)[0] ?? [];
      if (name === undefined || !disk) return;
      this.time = Math.max(this.time, disk.alarmAt as number);
      disk.alarmAt = undefined;
      if (name === "") await this.cluster.alarm();
      else await this.home(name).alarm();
    }
    throw new Error("alarms without end");
  }

  /** Each home's objects; nothing where nothing was ever stored. */
  contents(): Record<string, string[]> {
    const contents: Record<string, string[]> = {};
    for (const [name, { database }] of this.disks) {
      if (isUntouched(database)) continue;
      const rows = database.exec<{ text: string }>(
        "SELECT o.resource || '/' || o.name || '@' || o.revision AS text FROM objects o JOIN history h ON h.revision = o.revision ORDER BY 1",
      );
      contents[name] = Array.from(rows, ({ text }) => text);
    }
    return contents;
  }

  store(name: string): Store {
    return new Store({
      database: this.disk(name).database,
      clock: { now: () => this.time, nextRevision: (last) => last + 1, timeOf: () => this.time },
      defer: (work) => work(),
    });
  }

  #boot() {
    const process = ++this.#process;
    const step = () => {
      if (process !== this.#process || ++this.steps >= this.crashAt) {
        this.crashAt = 0;
        throw new Crash();
      }
    };
    const alive = (database: SqlDatabase): SqlDatabase => ({
      exec: (query, ...bindings) => {
        if (process !== this.#process || this.crashAt === 0) throw new Crash();
        return database.exec(query, ...bindings);
      },
      transaction: (work) => {
        if (process !== this.#process || this.crashAt === 0) throw new Crash();
        return database.transaction(work);
      },
    });
    const storageOf = (name: string) => {
      const disk = this.disk(name);
      return {
        database: alive(disk.database),
        now: () => this.time,
        setAlarm: (at: number) => {
          step();
          disk.alarmAt = Math.max(at, this.time + 1);
        },
        deleteAll: async () => {
          step();
          if (name === "" && this.#removals++ > 0) await this.removalDelayed;
          const tables = [
            ...disk.database.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'"),
          ];
          for (const { name: table } of tables) disk.database.exec(`DROP TABLE ${table}`);
          disk.alarmAt = undefined;
        },
      };
    };
    const homes = new Map<string, SealedHome>();
    const home = (name: string): SealedHome => {
      let it = homes.get(name);
      if (!it) {
        it = new SealedHome({
          ...storageOf(name),
          isKnown: async (restore) => {
            step();
            return cluster.isRestoring(restore);
          },
        });
        homes.set(name, it);
      }
      return it;
    };
    /** A call may be lost on its way there, and on its way back. */
    const call = async (work: () => unknown): Promise<void> => {
      step();
      await Promise.resolve();
      await work();
      step();
    };
    const rpc = (name: string): RestoredHomeRpc => ({
      takeObjects: async (part) =>
        await call(() => {
          if (name === this.broken) throw new Error("disk full");
          home(name).take(part);
        }),
      unseal: async (unsealing) => await call(() => home(name).unseal(unsealing)),
      discard: async (restore) => await call(() => home(name).discard(restore)),
    });
    let addresses: ServiceAddresses | undefined;
    const storage = storageOf("");
    const cluster = new ClusterRestore({
      ...storage,
      cluster: "blue",
      homeOf: rpc,
      timeline: {
        startAbove: async (revision) =>
          await call(() => {
            this.startsAbove = revision;
          }),
      },
      newHash,
      uuid: () => `restore-${process}-${this.steps}`,
      began: () => {
        addresses = new ServiceAddresses(storage.database, CIDR);
      },
      reserve: (namespace, object) => addresses?.adopt(namespace, object),
    });
    return { cluster, home };
  }
}

type Object = { resource: string; name: string; revision: number; fields?: object; isGoing?: boolean };

const line = (home: string, { resource, name, revision, fields, isGoing }: Object): string => {
  const metadata = {
    name,
    ...(home && { namespace: home }),
    uid: `uid-${name}`,
    resourceVersion: String(revision),
    ...(isGoing && { deletionTimestamp: "2026-11-22T11:00:00Z" }),
  };
  return objectLine({ resource, name, revision, json: JSON.stringify({ metadata, ...fields }) });
};

/** A snapshot's text of homes and their objects; the first is the cluster's own. */
function snapshotOf(homes: [string, Object[]][]): string {
  let text = headerLine({
    cluster: "old",
    revision: REVISION,
    time: "2026-11-22T12:00:00.000Z",
    homes: homes.map(([home]) => home),
  });
  for (const [home, objects] of homes) {
    const lines = objects.map((object) => line(home, object)).join("");
    text += `${homeLine(home)}${lines}${homeEndLine(home, objects.length, sha256(lines))}`;
  }
  return text + endLine(homes.length, homes.flatMap(([, objects]) => objects).length, sha256(text));
}

const namespace = (name: string, revision: number): Object => ({ resource: "namespaces", name, revision });
const HOMES: [string, Object[]][] = [
  [
    "",
    [
      namespace("default", 1),
      namespace("empty", 2),
      {
        resource: "ipaddresses.networking.k8s.io",
        name: "10.96.0.9",
        revision: 3,
        fields: { kind: "IPAddress", spec: { parentRef: { namespace: "default", name: "web" } } },
      },
    ],
  ],
  [
    "default",
    [
      { resource: "configmaps", name: "a", revision: 5 },
      {
        resource: "services",
        name: "web",
        revision: 6,
        fields: { kind: "Service", spec: { clusterIPs: ["10.96.0.9"], ports: [{ port: 80, nodePort: 30_100 }] } },
      },
    ],
  ],
  ["empty", []],
];
const CONTENTS = {
  "": ["ipaddresses.networking.k8s.io/10.96.0.9@3", "namespaces/default@1", "namespaces/empty@2"],
  default: ["configmaps/a@5", "services/web@6"],
  empty: [],
};

function streamOf(text: string, size = 200): ReadableStream<Uint8Array> {
  let rest = new TextEncoder().encode(text);
  return new ReadableStream({
    pull(controller) {
      if (rest.length === 0) return controller.close();
      controller.enqueue(rest.slice(0, size));
      rest = rest.slice(size);
    },
  });
}

describe("a snapshot that is good", () => {
  test("becomes a cluster", async () => {
    const world = new World();
    expect(await world.cluster.run(streamOf(snapshotOf(HOMES)))).toEqual({
      cluster: "blue",
      revision: REVISION,
      homes: 3,
      objects: 5,
    });
    expect(world.contents()).toEqual(CONTENTS);
    expect([world.cluster.isSealed, world.home("default").isSealed]).toEqual([false, false]);
    expect(world.startsAbove).toBe(REVISION);
  });

  test("keeps texts, versions and uids, and begins its history at its revision", async () => {
    const world = new World();
    await world.cluster.run(streamOf(snapshotOf(HOMES)));
    const store = world.store("default");
    const stored = store.read((tx) => tx.get("configmaps", "a"));
    expect(stored).toMatchObject({
      revision: 5,
      json: '{"metadata":{"name":"a","namespace":"default","uid":"uid-a","resourceVersion":"5"}}',
    });
    expect([store.revision, store.compacted]).toEqual([REVISION, REVISION]);
    expect(store.changes(REVISION)).toEqual([]);
    expect(store.changes(REVISION - 1)).toBeUndefined();
  });

  test("is changed from its revision on", async () => {
    const world = new World();
    await world.cluster.run(streamOf(snapshotOf(HOMES)));
    const store = world.store("default");
    store.write((tx) => void tx.put("configmaps", "a", (revision) => `{"new":${revision}}`));
    expect(store.changes(REVISION)).toMatchObject([
      { type: "MODIFIED", revision: REVISION + 1, previous: { revision: 5 } },
    ]);
  });

  test("keeps who has which address and port", async () => {
    const world = new World();
    await world.cluster.run(streamOf(snapshotOf(HOMES)));
    const rows = world
      .disk("")
      .database.exec("SELECT kind, value, namespace, name FROM service_addresses ORDER BY kind");
    expect([...rows]).toEqual([
      { kind: "ip", value: 0x0a600009, namespace: "default", name: "web" },
      { kind: "port", value: 30_100, namespace: "default", name: "web" },
    ]);
  });

  test("tells the homes what their namespaces are", async () => {
    const world = new World();
    const text = snapshotOf([
      ["", [namespace("default", 1), { ...namespace("going", 2), isGoing: true }]],
      ["default", []],
      ["going", []],
    ]);
    await world.cluster.run(streamOf(text));
    const known = (name: string) => [...world.disk(name).database.exec("SELECT state, uid FROM namespace")];
    expect(known("default")).toEqual([{ state: "active", uid: "uid-default" }]);
    expect(known("going")).toEqual([{ state: "terminating", uid: "uid-going" }]);
  });

  test("may have more objects than one part holds", async () => {
    const world = new World();
    const many = Array.from({ length: 1_201 }, (_, i) => ({
      resource: "configmaps",
      name: `c${i}`,
      revision: i + 100,
    }));
    await world.cluster.run(
      streamOf(
        snapshotOf([
          ["", [namespace("default", 1)]],
          ["default", many],
        ]),
        10_000,
      ),
    );
    expect(world.contents()["default"]).toHaveLength(1_201);
  });
});

describe("nothing is left", () => {
  const text = snapshotOf(HOMES);

  test.each([
    ["of what is no snapshot", "hello\n", "this is not a Coxswain snapshot: its first line is not JSON"],
    ["of a snapshot that ends early", text.slice(0, -10), "the snapshot is truncated: its last line is missing"],
    [
      "of a damaged one",
      text.replace("uid-a", "uid-b"),
      'the home of namespace "default" is damaged: its objects do not match their checksum',
    ],
    [
      "of one that names an object twice",
      snapshotOf([
        ["", [namespace("default", 1)]],
        [
          "default",
          [
            { resource: "configmaps", name: "a", revision: 5 },
            { resource: "configmaps", name: "a", revision: 6 },
          ],
        ],
      ]),
      'the home of namespace "default" is damaged: it has an object or a revision twice',
    ],
    [
      "of one that uses a revision twice",
      snapshotOf([
        ["", [namespace("a", 1), namespace("b", 1)]],
        ["a", []],
        ["b", []],
      ]),
      "the home of the cluster's own objects is damaged: it has an object or a revision twice",
    ],
    [
      "of one with a home too many",
      snapshotOf([
        ["", [namespace("default", 1)]],
        ["default", []],
        ["other", []],
      ]),
      'the home of namespace "other" belongs to no Namespace',
    ],
    [
      "of one with a home too few",
      snapshotOf([
        ["", [namespace("default", 1), namespace("other", 2)]],
        ["default", []],
      ]),
      "a Namespace has no home in the snapshot",
    ],
  ])("%s", async (_, snapshot, why) => {
    const world = new World();
    await expect(world.cluster.run(streamOf(snapshot))).rejects.toMatchObject({ code: 400, message: why });
    expect(world.contents()).toEqual({});
    expect(world.cluster.isSealed).toBe(false);
    // The name is free.
    await world.cluster.run(streamOf(text));
    expect(world.contents()).toEqual(CONTENTS);
  });

  test("where a home does not take its objects", async () => {
    const world = new World();
    world.broken = "empty";
    await expect(world.cluster.run(streamOf(text))).rejects.toMatchObject({
      code: 503,
      message: 'the home of namespace "empty" could not be restored: try again',
    });
    expect(world.contents()).toEqual({});
    world.broken = undefined;
    await world.cluster.run(streamOf(text));
    expect(world.contents()).toEqual(CONTENTS);
  });

  test("where whoever sends it goes away", async () => {
    const world = new World();
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent > 1_000) controller.error(new Error("connection reset"));
        else controller.enqueue(new TextEncoder().encode(text.slice(sent, sent + 100)));
        sent += 100;
      },
    });
    await expect(world.cluster.run(stream)).rejects.toMatchObject({ code: 400, message: "the snapshot broke off" });
    expect(world.contents()).toEqual({});
  });

  test("where nothing comes any more", async () => {
    const world = new World();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const running = world.cluster.run(readable);
    running.catch(() => undefined);
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode(text.slice(0, 900)));
    await new Promise((resolve) => setTimeout(resolve));
    expect(world.cluster.isSealed).toBe(true);
    await world.settle();
    expect(world.contents()).toEqual({});
    expect(world.cluster.isSealed).toBe(false);
    await writer.write(new TextEncoder().encode(text.slice(900)));
    await expect(running).rejects.toMatchObject({ code: 400, message: "nothing of the snapshot came for too long" });
    expect(world.contents()).toEqual({});
  });
});

describe("a cluster that is there", () => {
  test("is not restored, and nothing of it is lost", async () => {
    const world = new World();
    await world.cluster.run(streamOf(snapshotOf(HOMES)));
    await expect(world.cluster.run(streamOf(snapshotOf(HOMES)))).rejects.toMatchObject({
      code: 409,
      message: 'clusters "blue" already exists',
    });
    expect(world.contents()).toEqual(CONTENTS);
  });

  test("is also one that is being restored: the first goes on", async () => {
    const world = new World();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const first = world.cluster.run(readable);
    const writer = writable.getWriter();
    const text = snapshotOf(HOMES);
    await writer.write(new TextEncoder().encode(text.slice(0, 900)));
    await expect(world.cluster.run(streamOf(text))).rejects.toMatchObject({ code: 409 });
    await writer.write(new TextEncoder().encode(text.slice(900)));
    await writer.close();
    await first;
    expect(world.contents()).toEqual(CONTENTS);
  });

  test("or whose restore begins at the same moment", async () => {
    const world = new World();
    const text = snapshotOf(HOMES);
    const ended = await Promise.allSettled([world.cluster.run(streamOf(text)), world.cluster.run(streamOf(text))]);
    expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(ended).toContainEqual({ status: "rejected", reason: expect.objectContaining({ code: 409 }) });
    expect(world.contents()).toEqual(CONTENTS);
  });
});

test("a crash at any step leaves all or nothing", async () => {
  const text = snapshotOf(HOMES);
  const outcomes = new Set<string>();
  for (let crashAt = 1; ; crashAt++) {
    const world = new World();
    world.crashAt = crashAt;
    const acknowledged = await world.cluster.run(streamOf(text)).then(
      () => true,
      () => false,
    );
    const isOver = world.crashAt > 0;
    world.restart();
    await world.settle();
    const contents = world.contents();
    const isAll = Object.keys(contents).length > 0;
    expect(contents, `after step ${crashAt}`).toEqual(isAll ? CONTENTS : {});
    if (acknowledged) expect(isAll, `after step ${crashAt}`).toBe(true);
    expect(world.cluster.isSealed).toBe(false);
    for (const name of ["default", "empty"]) expect(world.home(name).isSealed).toBe(false);
    if (isAll) expect(world.startsAbove).toBe(REVISION);
    outcomes.add(isAll ? "all" : "nothing");
    if (isOver) break;
  }
  expect([...outcomes].sort()).toEqual(["all", "nothing"]);
});

test("a crash while what is left of a crash is removed changes nothing of that", async () => {
  const text = snapshotOf(HOMES);
  for (let second = 1; second < 15; second++) {
    const world = new World();
    world.crashAt = 6;
    await world.cluster.run(streamOf(text)).catch(() => undefined);
    world.restart();
    world.crashAt = world.steps + second;
    await world.settle().catch(() => undefined);
    world.restart();
    // What the platform does with an alarm that failed.
    for (const [, disk] of world.disks) if (!isUntouched(disk.database)) disk.alarmAt ??= world.time + 1;
    await world.settle();
    expect(world.contents()).toEqual({});
  }
});

test("what is removed twice at a time takes nothing of the restore that follows", async () => {
  const world = new World();
  world.crashAt = 6;
  await world.cluster.run(streamOf(snapshotOf(HOMES))).catch(() => undefined);
  world.restart();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.removalDelayed = promise;
  const removals = [world.cluster.alarm(), world.cluster.alarm()];
  await removals[0];
  await world.cluster.run(streamOf(snapshotOf(HOMES)));
  resolve();
  await Promise.all(removals);
  await world.settle();
  expect(world.contents()).toEqual(CONTENTS);
});

describe("a sealed home", () => {
  const part = (restore: string) => ({ restore, revision: REVISION, objects: [] });
  const sealedHome = (isKnown: boolean) => {
    const database = nodeSql();
    let alarmAt: number | undefined;
    let deleted = 0;
    const options = {
      database,
      now: () => 1_000,
      setAlarm: (at: number) => {
        alarmAt = at;
      },
      deleteAll: async () => void deleted++,
      isKnown: async () => isKnown,
    };
    return { make: () => new SealedHome(options), database, alarmAt: () => alarmAt, deleted: () => deleted };
  };

  test("is still sealed after a restart", () => {
    const { make } = sealedHome(true);
    make().take(part("one"));
    expect(make().isSealed).toBe(true);
  });

  test("that nobody fills any more discards itself", async () => {
    const { make, alarmAt, deleted } = sealedHome(false);
    const home = make();
    home.take(part("one"));
    expect(alarmAt()).toBeGreaterThan(1_000);
    await home.alarm();
    expect([home.isSealed, deleted()]).toEqual([false, 1]);
  });

  test("waits as long as its restore goes on", async () => {
    const { make, deleted } = sealedHome(true);
    const home = make();
    home.take(part("one"));
    await home.alarm();
    expect([home.isSealed, deleted()]).toEqual([true, 0]);
  });

  test("takes nothing of another restore, and is not discarded or unsealed by one", async () => {
    const { make, deleted } = sealedHome(true);
    const home = make();
    home.take(part("one"));
    expect(() => home.take(part("two"))).toThrow("what is left of an earlier restore is being removed");
    await home.discard("two");
    expect(home.unseal({ restore: "two", state: "active", uid: "u" })).toBe(false);
    expect([home.isSealed, deleted()]).toEqual([true, 0]);
  });

  test("is none that is in use", () => {
    const { make, database } = sealedHome(true);
    database.exec("CREATE TABLE objects (name TEXT)");
    make().take; // Tables alone are not a use.
    database.exec("INSERT INTO objects VALUES ('x')");
    expect(() => make().take(part("one"))).toThrow("a home that is in use cannot be restored");
  });
});
