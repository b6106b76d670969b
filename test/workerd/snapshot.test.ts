import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { eventually as eventuallyWithin } from "../support/cox.ts";
import { ClusterClient } from "../support/snapshots.ts";

const RECOVERY_SECONDS = 25;
const eventually = (what: string, look: () => Promise<void> | void) => eventuallyWithin(what, look, RECOVERY_SECONDS);

const SNAPSHOT = "/coxswain/v1/snapshot";
const RESTORE = "/coxswain/v1/restore";
const FORK = "/coxswain/v1/fork";

let controlPlane: TestCluster;
/** The cluster that all others are made from. */
let source: ClusterClient;
/** When everything in it had come to rest. */
let time: string;
/** Its snapshot then. */
let snapshot: Buffer;

const clusterNamed = async (name: string): Promise<ClusterClient> => await ClusterClient.of(controlPlane, name);

const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

const NAMESPACES = ["default", "blue", "green"];
const CLUSTER_WIDE = [
  "/api/v1/namespaces",
  "/apis/scheduling.k8s.io/v1/priorityclasses",
  "/apis/networking.k8s.io/v1/ipaddresses",
];
const NAMESPACED = [
  "/api/v1/NS/configmaps",
  "/api/v1/NS/secrets",
  "/api/v1/NS/services",
  "/api/v1/NS/pods",
  "/apis/apps/v1/NS/deployments",
  "/apis/apps/v1/NS/replicasets",
  "/api/v1/NS/serviceaccounts",
  "/apis/discovery.k8s.io/v1/NS/endpointslices",
];
const LISTS = [
  ...CLUSTER_WIDE,
  ...NAMESPACED.flatMap((path) => NAMESPACES.map((namespace) => path.replace("NS", `namespaces/${namespace}`))),
];

/** All objects of a cluster as it was at a time, by list. */
async function contentsAt(cluster: ClusterClient, at: string): Promise<Record<string, object[]>> {
  const contents: Record<string, object[]> = {};
  for (const path of LISTS) contents[path] = (await cluster.must(200, "GET", `/at/${at}${path}`)).items;
  return contents;
}

const now = async (): Promise<string> => {
  // What was acknowledged was committed before this moment, and not within it.
  await sleep(5);
  return new Date().toISOString();
};

async function addNamespace(cluster: ClusterClient, name: string): Promise<string> {
  await cluster.must(201, "POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return `/api/v1/namespaces/${name}`;
}

async function populate(cluster: ClusterClient): Promise<void> {
  for (const namespace of ["blue", "green"]) {
    const path = await addNamespace(cluster, namespace);
    for (let i = 0; i < 30; i++)
      await cluster.must(201, "POST", `${path}/configmaps`, configMap(`c${i}`, { i: `${i} ß "\\` }));
    await cluster.must(201, "POST", `${path}/secrets`, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      stringData: { password: `secret of ${namespace}` },
    });
    await cluster.must(201, "POST", `${path}/services`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80 }] },
    });
  }
  const labels = { app: "web" };
  await cluster.must(201, "POST", "/apis/apps/v1/namespaces/blue/deployments", {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } },
    },
  });
}

async function waitForRest(cluster: ClusterClient): Promise<void> {
  let before = "";
  await eventually("a cluster at rest", async () => {
    const { items } = await cluster.must(200, "GET", "/api/v1/namespaces/blue/pods");
    expect(items).toHaveLength(2);
    const contents = JSON.stringify(await contentsAt(cluster, await now()));
    const isSame = contents === before;
    before = contents;
    await sleep(500);
    expect(isSame).toBe(true);
  });
}

beforeAll(async () => {
  controlPlane = await TestCluster.start();
  source = await clusterNamed("source");
  await populate(source);
  await waitForRest(source);
  time = await now();
  snapshot = (await source.call("GET", `${SNAPSHOT}?at=${time}`)).bytes;
});

afterAll(async () => {
  await controlPlane?.stop();
});

describe("a snapshot", () => {
  test("becomes a cluster that holds the same objects, of the same versions", async () => {
    const copy = await clusterNamed("copy");
    const restored = await copy.must(201, "POST", RESTORE, snapshot);
    const { revision, homes } = JSON.parse(snapshot.subarray(0, snapshot.indexOf(10)).toString());
    expect(homes).toEqual(["", "blue", "default", "green", "kube-node-lease", "kube-public", "kube-system"]);
    const objects = snapshot
      .toString()
      .split("\n")
      .filter((line) => line.startsWith('{"resource"')).length;
    expect(restored).toEqual({ cluster: "copy", revision, homes: homes.length, objects });
    expect(await contentsAt(copy, time)).toEqual(await contentsAt(source, time));
  });

  test("is of the past as well as of now", async () => {
    await source.must(201, "POST", "/api/v1/namespaces/green/configmaps", configMap("late"));
    const of = async (query: string) => (await source.call("GET", `${SNAPSHOT}${query}`)).bytes.toString();
    expect(await of("")).toContain('"name":"late"');
    expect(await of(`?at=${time}`)).toBe(snapshot.toString());
    await source.must(200, "DELETE", "/api/v1/namespaces/green/configmaps/late");
  });

  test("is an admin's alone, as is what is made from one", async () => {
    const cluster = await clusterNamed("of-admins");
    const developer = await cluster.asUser("dev", ["developers", "system:nodes"]);
    for (const [method, path] of [
      ["GET", SNAPSHOT],
      ["POST", RESTORE],
      ["POST", FORK],
    ] as const) {
      const body = method === "POST" ? snapshot : undefined;
      expect((await cluster.as("nonsense").call(method, path, body)).code).toBe(401);
      expect((await cluster.as(source.token).call(method, path, body)).code).toBe(401);
      const refused = await developer.call(method, path, body);
      expect([refused.code, refused.body.message]).toEqual([
        403,
        `forbidden: User "dev" cannot ${method.toLowerCase()} path "${path}"`,
      ]);
    }
    await cluster.must(201, "POST", RESTORE, snapshot);
  });

  test.each([
    ["?at=soon", 400, '"soon" is no time'],
    ["?at=2999-01-01T00:00:00Z", 400, "lies in the future"],
  ])("of %s is refused", async (query, code, message) => {
    const answer = await source.call("GET", `${SNAPSHOT}${query}`);
    expect([answer.code, answer.body.message]).toEqual([code, expect.stringContaining(message)]);
  });
});

describe("a snapshot of a busy cluster", () => {
  test("is of one moment in all its namespaces", async () => {
    const busy = await clusterNamed("busy");
    const [first, second] = [await addNamespace(busy, "first"), await addNamespace(busy, "second")];
    const write = async (namespace: string, n: number) =>
      await busy.must(200, "PUT", `${namespace}/configmaps/c`, configMap("c", { n: String(n) }));
    for (const namespace of [first, second])
      await busy.must(201, "POST", `${namespace}/configmaps`, configMap("c", { n: "0" }));
    let written = 0;
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        await write(first, written + 1);
        await write(second, written + 1);
        written++;
      }
    })();
    const numberIn = (text: string, namespace: string): number => {
      const line = text
        .split("\n")
        .find((each) => each.includes('"n":"') && each.includes(`"namespace":"${namespace}"`));
      return Number(/"n":"(\d+)"/.exec(line ?? "")?.[1]);
    };
    try {
      for (let round = 0; round < 10; round++) {
        const acknowledged = written;
        const text = (await busy.call("GET", SNAPSHOT)).bytes.toString();
        // Whoever wrote the second had been told of the first; what had been acknowledged before is there.
        const [inFirst, inSecond] = [numberIn(text, "first"), numberIn(text, "second")];
        expect(inFirst - inSecond).toBeGreaterThanOrEqual(0);
        expect(inFirst - inSecond).toBeLessThanOrEqual(1);
        expect(inSecond).toBeGreaterThanOrEqual(acknowledged);
      }
    } finally {
      isOver = true;
      await writing;
    }
  });

  test("that was forked goes on with what was being deleted", async () => {
    const stuck = await clusterNamed("stuck");
    const going = await addNamespace(stuck, "going");
    const held = { ...configMap("held"), metadata: { name: "held", finalizers: ["example.com/held"] } };
    await stuck.must(201, "POST", `${going}/configmaps`, held);
    await stuck.must(200, "DELETE", going);
    const fork = await clusterNamed("unstuck");
    await fork.must(201, "POST", FORK, { from: "stuck", token: stuck.token });
    expect((await fork.must(200, "GET", going)).status.phase).toBe("Terminating");
    expect((await fork.call("POST", `${going}/configmaps`, configMap("new"))).code).toBe(403);
    const object = await fork.must(200, "GET", `${going}/configmaps/held`);
    await fork.must(200, "PUT", `${going}/configmaps/held`, {
      ...object,
      metadata: { ...object.metadata, finalizers: [] },
    });
    await eventually("the end of the namespace", async () => expect((await fork.call("GET", going)).code).toBe(404));
    expect((await stuck.call("GET", going)).code).toBe(200);
  });
});

describe("a restored cluster", () => {
  let restored: ClusterClient;

  beforeAll(async () => {
    restored = await clusterNamed("restored");
    await restored.must(201, "POST", RESTORE, snapshot);
  });

  test("answers nobody before it is whole", async () => {
    const cluster = await clusterNamed("restored-slowly");
    const asked = Promise.withResolvers<void>();
    const body = Readable.from(
      (async function* () {
        yield snapshot.subarray(0, snapshot.length - 200);
        await asked.promise;
        yield snapshot.subarray(snapshot.length - 200);
      })(),
    );
    const done = cluster.must(201, "POST", RESTORE, body);
    const blue = "/api/v1/namespaces/blue/configmaps";
    await eventually("a restore under way", async () => expect((await cluster.call("GET", blue)).code).toBe(503));
    for (const path of [
      "/api/v1/namespaces",
      "/api/v1/configmaps",
      "/api/v1/configmaps?watch=1",
      `${blue}?watch=1`,
      SNAPSHOT,
      `/coxswain/v1/history${blue}/c1`,
    ]) {
      const { code, headers } = await cluster.call("GET", path);
      expect([path, code, headers["retry-after"]]).toEqual([path, 503, "1"]);
    }
    expect((await cluster.call("POST", blue, configMap("early"))).code).toBe(503);
    asked.resolve();
    await done;
    expect(await contentsAt(cluster, time)).toEqual(await contentsAt(source, time));
    expect((await cluster.call("GET", `${blue}/early`)).code).toBe(404);
  });

  test("goes on from the snapshot's revision", async () => {
    const { revision } = JSON.parse(snapshot.subarray(0, snapshot.indexOf(10)).toString());
    const path = "/api/v1/namespaces/blue/configmaps/c1";
    const before = await restored.must(200, "GET", path);
    const after = await restored.must(200, "PUT", path, { ...before, data: { new: "yes" } });
    expect(Number(after.metadata.resourceVersion)).toBeGreaterThan(revision);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect((await source.must(200, "GET", path)).data).not.toHaveProperty("new");
  });

  test("knows nothing from before the snapshot", async () => {
    const first = JSON.parse(snapshot.toString().split("\n")[2]!).revision as number;
    const watch = await restored.call(
      "GET",
      `/api/v1/namespaces/blue/configmaps?watch=1&timeoutSeconds=1&resourceVersion=${first}`,
    );
    expect(watch.bytes.toString()).toContain('"reason":"Expired"');
    expect((await restored.call("GET", `/at/2025-01-02T00:00:00Z/api/v1/namespaces`)).code).toBe(410);
  });

  test("gives no Service an address or a port that one has", async () => {
    const services = "/api/v1/namespaces/blue/services";
    const { spec } = await restored.must(200, "GET", `${services}/web`);
    const like = (name: string, fields: object) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { type: "NodePort", ports: [{ port: 80 }], ...fields },
    });
    const taken = await restored.call("POST", services, like("same-ip", { clusterIP: spec.clusterIP }));
    expect([taken.code, taken.body.message]).toEqual([422, expect.stringContaining("already allocated")]);
    const port = { ports: [{ port: 80, nodePort: spec.ports[0].nodePort }] };
    expect((await restored.call("POST", services, like("same-port", port))).code).toBe(422);
    await restored.must(201, "POST", services, like("other", {}));
  });

  test("has controllers that go on with what they find", async () => {
    const pods = "/api/v1/namespaces/blue/pods";
    const [pod] = (await restored.must(200, "GET", pods)).items;
    await restored.must(200, "DELETE", `${pods}/${pod.metadata.name}?gracePeriodSeconds=0`);
    await eventually("another pod", async () => {
      const { items } = await restored.must(200, "GET", pods);
      expect(items.filter(({ metadata }: any) => metadata.uid !== pod.metadata.uid)).toHaveLength(2);
    });
  });

  test("can lose a namespace and get a new one", async () => {
    await restored.must(200, "DELETE", "/api/v1/namespaces/green");
    await eventually("the end of green", async () => {
      expect((await restored.call("GET", "/api/v1/namespaces/green")).code).toBe(404);
    });
    await addNamespace(restored, "new");
    await eventually("a service account", async () => {
      await restored.must(200, "GET", "/api/v1/namespaces/new/serviceaccounts/default");
    });
  });

  test("lists and watches all its namespaces together", async () => {
    const { items, metadata } = await restored.must(200, "GET", "/api/v1/secrets");
    expect(items.length).toBeGreaterThan(0);
    const path = `/api/v1/secrets?watch=1&timeoutSeconds=2&resourceVersion=${metadata.resourceVersion}`;
    const watched = restored.call("GET", path);
    await restored.must(200, "DELETE", "/api/v1/namespaces/blue/secrets/s");
    const events = (await watched).bytes
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([["DELETED", "s"]]);
  });

  test("is not restored again", async () => {
    const answer = await restored.call("POST", RESTORE, snapshot);
    expect([answer.code, answer.body.reason, answer.body.message]).toEqual([
      409,
      "AlreadyExists",
      'clusters "restored" already exists',
    ]);
  });
});

describe("what is not a whole snapshot is refused and leaves nothing", () => {
  const damaged = (change: (text: string) => string) => () => Buffer.from(change(snapshot.toString()));
  test.each([
    ["text", () => Buffer.from("hello\n"), "this is not a Coxswain snapshot"],
    ["nothing", () => Buffer.alloc(0), "this is not a Coxswain snapshot: it is empty"],
    ["half of one", () => snapshot.subarray(0, snapshot.length / 2), "the snapshot is truncated"],
    [
      "one without its last line",
      damaged((text) => text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1)),
      "its last line is missing",
    ],
    [
      "one of a newer version",
      damaged((text) => text.replace('"version":1', '"version":9')),
      "a newer Coxswain made it",
    ],
    [
      "one with another value in it",
      damaged((text) => text.replace("29 ß", "28 ß")),
      'the home of namespace "blue" is damaged',
    ],
  ])("%s", async (what, bytes, message) => {
    const cluster = await clusterNamed(`refused-${what.replaceAll(" ", "-")}`);
    const answer = await cluster.call("POST", RESTORE, bytes());
    expect([answer.code, answer.body.message]).toEqual([400, expect.stringContaining(message)]);
    // The name is free: nothing of it is there.
    await cluster.must(201, "POST", RESTORE, snapshot);
  });

  test("that of a client that goes away", async () => {
    const cluster = await clusterNamed("gone-away");
    const body = Readable.from(
      (async function* () {
        yield snapshot.subarray(0, 20_000);
        await sleep(300);
        throw new Error("gone");
      })(),
    );
    await expect(cluster.call("POST", RESTORE, body)).rejects.toThrow("gone");
    await eventually("a free name", async () => {
      await cluster.must(201, "POST", RESTORE, snapshot);
    });
    expect(await contentsAt(cluster, time)).toEqual(await contentsAt(source, time));
  });
});

describe("a crash of the control plane in the middle of a restore", () => {
  async function crash(): Promise<void> {
    const { pid } = controlPlane;
    controlPlane.kill9();
    await eventually("another workerd", () => expect([undefined, pid]).not.toContain(controlPlane.pid));
    await controlPlane.ready();
  }

  /** What is there once it is no longer being restored: everything or nothing. */
  async function outcomeOf(cluster: ClusterClient): Promise<"all" | "nothing"> {
    let configMaps = 0;
    // A namespace's home may be asked whether or not it is there. (A cluster that is asked for its namespaces is there from then on.)
    await eventually("an unsealed home", async () => {
      const { items } = await cluster.must(200, "GET", "/api/v1/namespaces/blue/configmaps");
      configMaps = items.length;
    });
    if (configMaps > 0) await eventually("a cluster", async () => cluster.must(200, "GET", "/api/v1/namespaces"));
    else await eventually("a free name", async () => cluster.must(201, "POST", RESTORE, snapshot));
    expect(await contentsAt(cluster, time)).toEqual(await contentsAt(source, time));
    return configMaps > 0 ? "all" : "nothing";
  }

  test("while it is sent leaves nothing", async () => {
    const cluster = await clusterNamed("crashed-early");
    const body = Readable.from(
      (async function* () {
        yield snapshot.subarray(0, snapshot.length - 200);
        await sleep(60_000, undefined, { ref: false });
      })(),
    );
    const lost = cluster.call("POST", RESTORE, body).catch(() => undefined);
    await eventually("a restore under way", async () => {
      const { code, headers } = await cluster.call("GET", "/api/v1/namespaces/blue/configmaps");
      expect([code, headers["retry-after"]]).toEqual([503, "1"]);
    });
    await crash();
    await lost;
    expect(await outcomeOf(cluster)).toBe("nothing");
  });

  test("at any moment leaves all or nothing", async () => {
    for (const milliseconds of [5, 20, 40, 80]) {
      const cluster = await clusterNamed(`crashed-${milliseconds}`);
      const answered = cluster.call("POST", RESTORE, snapshot).then(
        ({ code }) => code === 201,
        () => false,
      );
      await sleep(milliseconds);
      await crash();
      const wasAcknowledged = await answered;
      const outcome = await outcomeOf(cluster);
      if (wasAcknowledged) expect(outcome).toBe("all");
    }
  });
});

describe("a fork", () => {
  test("holds what its source held at a time", async () => {
    const fork = await clusterNamed("fork");
    const answer = await fork.must(201, "POST", FORK, { from: "source", token: source.token, at: time });
    expect(answer).toMatchObject({ cluster: "fork", homes: 7 });
    expect(await contentsAt(fork, time)).toEqual(await contentsAt(source, time));
  });

  test("goes its own way from then on", async () => {
    const fork = await clusterNamed("fork-now");
    await fork.must(201, "POST", FORK, { from: "source", token: source.token });
    await fork.must(201, "POST", "/api/v1/namespaces/blue/configmaps", configMap("forked"));
    expect((await source.call("GET", "/api/v1/namespaces/blue/configmaps/forked")).code).toBe(404);
  });

  test("takes a credential of its source", async () => {
    const fork = await clusterNamed("fork-of-nobody");
    const developer = await source.asUser("dev", ["developers"]);
    for (const token of [fork.token, developer.token, "nonsense"]) {
      const answer = await fork.call("POST", FORK, { from: "source", token });
      expect([answer.code, answer.body.message]).toEqual([403, 'the token does not open cluster "source" to an admin']);
    }
  });

  test.each([
    [{}, "the body must be"],
    [{ from: "../x", token: "t" }, "the body must be"],
    [{ from: "source", token: "t", at: 5 }, "at: must be a time"],
  ])("that is asked for with %j is refused", async (body, message) => {
    const fork = await clusterNamed("fork-of-nothing");
    const answer = await fork.call("POST", FORK, body);
    expect([answer.code, answer.body.message]).toEqual([400, expect.stringContaining(message)]);
  });

  test("of a cluster into one that is there is refused", async () => {
    const answer = await source.call("POST", FORK, { from: "source", token: source.token });
    expect([answer.code, answer.body.reason]).toEqual([409, "AlreadyExists"]);
  });
});

describe("the past", () => {
  let cluster: ClusterClient;
  let path: string;

  beforeAll(async () => {
    cluster = await clusterNamed("past");
    path = await addNamespace(cluster, "old");
  });

  test("is read as it was recorded", async () => {
    const recorded: [time: string, items: unknown][] = [];
    const record = async () => {
      const { items } = await cluster.must(200, "GET", `${path}/configmaps`);
      recorded.push([await now(), items]);
    };
    for (let n = 0; n < 10; n++) {
      if (n % 3 === 2) await cluster.must(200, "DELETE", `${path}/configmaps/c${n - 1}`);
      else await cluster.must(201, "POST", `${path}/configmaps`, configMap(`c${n}`));
      if (n > 0) await cluster.must(200, "PUT", `${path}/configmaps/c0`, configMap("c0", { n: String(n) }));
      await record();
    }
    for (const [at, items] of recorded) {
      expect((await cluster.must(200, "GET", `/at/${at}${path}/configmaps`)).items).toEqual(items);
      const all = (await cluster.must(200, "GET", `/at/${at}/api/v1/configmaps`)).items;
      expect(all.filter(({ metadata }: any) => metadata.namespace === "old")).toEqual(items);
      const [first] = items as { metadata: { name: string } }[];
      expect(await cluster.must(200, "GET", `/at/${at}${path}/configmaps/${first!.metadata.name}`)).toEqual(first);
    }
  });

  test("has what has gone since, also whole namespaces", async () => {
    const gone = await addNamespace(cluster, "gone");
    await cluster.must(201, "POST", `${gone}/configmaps`, configMap("kept"));
    const at = await now();
    await cluster.must(200, "DELETE", gone);
    await eventually("the end of the namespace", async () => expect((await cluster.call("GET", gone)).code).toBe(404));
    expect((await cluster.must(200, "GET", `/at/${at}${gone}`)).status.phase).toBe("Active");
    expect((await cluster.must(200, "GET", `/at/${at}${gone}/configmaps/kept`)).metadata.name).toBe("kept");
    const names = (await cluster.must(200, "GET", `/at/${at}/api/v1/configmaps`)).items.map(
      ({ metadata }: any) => metadata.name,
    );
    expect(names).toContain("kept");
  });

  test("is watched as it was: what was there, and then nothing", async () => {
    const at = await now();
    const before = (await cluster.must(200, "GET", `${path}/configmaps`)).items;
    for (const of of [`${path}/configmaps`, "/api/v1/configmaps?fieldSelector=metadata.namespace=old"]) {
      const watch = `${of}${of.includes("?") ? "&" : "?"}watch=1&timeoutSeconds=2`;
      const watched = cluster.call("GET", `/at/${at}${watch}`);
      await cluster.must(200, "PUT", `${path}/configmaps/c0`, configMap("c0", { n: `after ${of}` }));
      const events = (await watched).bytes
        .toString()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(events.every(({ type }) => type === "ADDED")).toBe(true);
      expect(events.map(({ object }) => object)).toEqual(before);
    }
  });

  test("has discovery, OpenAPI, health and version", async () => {
    for (const path of ["/api", "/apis", "/api/v1", "/openapi/v3", "/version", "/readyz"])
      expect((await cluster.call("GET", `/at/10s${path}`)).code).toBe(200);
  });

  test("is not written to", async () => {
    for (const [method, at] of [
      ["POST", path],
      ["PUT", `${path}/configmaps/c0`],
      ["PATCH", `${path}/configmaps/c0`],
      ["DELETE", `${path}/configmaps/c0`],
      ["DELETE", `${path}/configmaps`],
      ["POST", "/node-join"],
      ["POST", RESTORE],
    ]) {
      const answer = await cluster.call(method!, `/at/1s${at}`, {});
      expect([answer.code, answer.body.reason, answer.body.message]).toEqual([
        405,
        "MethodNotAllowed",
        "the past is read-only",
      ]);
    }
    for (const subresource of ["log", "exec?command=ls", "attach", "portforward", "proxy"])
      expect((await cluster.call("GET", `/at/1s${path}/pods/web/${subresource}`)).code).toBe(405);
  });

  test.each([
    ["soon", "is no time"],
    ["2999-01-01T00:00:00Z", "lies in the future"],
    ["", "is no time"],
  ])("that is called %j is refused", async (at, message) => {
    const answer = await cluster.call("GET", `/at/${at}/api/v1/namespaces`);
    expect([answer.code, answer.body.message]).toEqual([400, expect.stringContaining(message)]);
  });

  test("is nobody's without a credential", async () => {
    expect((await cluster.as("nonsense").call("GET", "/at/1s/api/v1/namespaces")).code).toBe(401);
  });
});

describe("an object's history", () => {
  test("says who did what", async () => {
    const path = "/api/v1/namespaces/green/configmaps/c3";
    const object = await source.must(200, "GET", path);
    await source.must(200, "PUT", path, { ...object, data: { i: "new" } });
    const history = await source.must(200, "GET", `/coxswain/v1/history${path}`);
    expect(history.kind).toBe("ObjectHistory");
    expect(history.items.map(({ type, author, object }: any) => [type, author, object.data.i])).toEqual([
      ["MODIFIED", "kubernetes-admin", "new"],
      ["ADDED", "kubernetes-admin", '3 ß "\\'],
    ]);
    expect((await source.must(200, "GET", `/coxswain/v1/history${path}?limit=1`)).items).toHaveLength(1);
  });

  test("tells of controllers by their names", async () => {
    const [set] = (await source.must(200, "GET", "/apis/apps/v1/namespaces/blue/replicasets")).items;
    const { items } = await source.must(
      200,
      "GET",
      `/coxswain/v1/history/apis/apps/v1/namespaces/blue/replicasets/${set.metadata.name}`,
    );
    expect(items.at(-1)).toMatchObject({ type: "ADDED", author: expect.stringContaining("deployment") });
  });

  test("of the cluster's own objects is told, too", async () => {
    const { items } = await source.must(200, "GET", "/coxswain/v1/history/api/v1/namespaces/blue");
    expect(items.at(-1)).toMatchObject({ type: "ADDED", author: "kubernetes-admin" });
  });

  test.each([
    ["/api/v1/namespaces/green/configmaps/none", 404],
    ["/api/v1/namespaces/green/configmaps", 404],
    ["/api/v1/namespaces/green/pods/web/log", 404],
    ["/api/v1/configmaps/c1", 404],
    ["/version", 404],
    ["/api/v1/namespaces/green/configmaps/c1?limit=x", 400],
    ["/api/v1/namespaces/green/configmaps/c1?limit=0", 400],
  ])("of %s there is none", async (path, code) => {
    expect((await source.call("GET", `/coxswain/v1/history${path}`)).code).toBe(code);
  });
});
