import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { callApi } from "../cli/api-client.ts";
import { makeAdminToken } from "../cli/control-plane/credentials.ts";
import { TestCluster } from "../test/support/control-plane.ts";
import { eventually } from "../test/support/cox.ts";
import { delay, type Row, rate, round } from "./row.ts";
import { Etcd, type EtcdClient } from "./support/etcd.ts";
import { forkWatchers, preciseNow } from "./support/fork-watchers.ts";
import { drive, driveFor, type Load, percentile, type Server, sendAll } from "./support/load.ts";
import { Reader } from "./support/reader.ts";
import { openWatch } from "./support/watch.ts";

const CLIENTS = [1, 16, 64] as const;
/** etcd and the control plane take turns, so that what else the machine does meets both. */
const TURNS = 2;
const TURN_SECONDS = 3;
const LOADING_CLIENTS = 32;

const NAMESPACES = 200;
const OBJECTS_OF_NAMESPACE = 50;
const FORK_SECONDS_MAX = 120;
const LIST_TURNS = 5;
const LIST_SIZES = [10_000, 30_000] as const;

const BUSY_HOMES = 50;
const BUSY_SECONDS = 10;
/** Each home is written to this often. */
const BUSY_WRITES_PER_SECOND = 4;

const WATCHERS = 1_000;
/** Reading a thousand TLS connections is work for more than one process. */
const WATCHER_PROCESSES = 2;
const WATCHED_EVENTS = 200;
const WATCHED_EVENTS_PER_SECOND = 4;

const DATA = "x".repeat(2000);
const configMap = (name: string, data: Record<string, string> = { text: DATA }) =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
const configMapsOf = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/**
 * `npm run bench -- store`: the store and the Timeline through HTTPS, beside etcd through gRPC, on the same disk in the same run. etcd speaks
 * without TLS, and its values are the texts of the same ConfigMaps: nothing is checked, defaulted or converted there.
 */
export default async function bench(): Promise<Row[]> {
  const etcd = await Etcd.start();
  try {
    const cluster = await TestCluster.start();
    try {
      return await measure(cluster, etcd);
    } finally {
      await cluster.stop();
    }
  } finally {
    await etcd.stop();
  }
}

async function measure(cluster: TestCluster, etcd: Etcd): Promise<Row[]> {
  const server = { url: cluster.url, token: cluster.token, ca: cluster.caCertificate };
  const rows: Row[] = [];
  const part = async (name: string, work: () => Promise<Row[]>) => {
    const start = performance.now();
    rows.push(...(await work()));
    console.error(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  };
  // Delays first: for some seconds after a fork the new cluster's controllers look through all that it has.
  await part("watch of all namespaces", () => watchOfAll(cluster, server));
  await part("many watchers", () => manyWatchers(cluster, server));
  await part("lists of all namespaces", () => listOfAll(cluster, server));
  await part("fork", () => fork(cluster));
  await part("writes", () => writes(cluster, server, etcd));
  await part("lists", () => lists(cluster, server, etcd));
  return rows;
}

/** Puts beside creates: each client has a connection of its own there as here, and sends its next request when it is answered. */
async function writes(cluster: TestCluster, server: Server, etcd: Etcd): Promise<Row[]> {
  const rows: Row[] = [];
  await createNamespaces(cluster, ["writes"]);
  const path = configMapsOf("writes");
  for (const clients of CLIENTS) {
    const ours: Load[] = [];
    const theirs: Load[] = [];
    const byLibrary: Load[] = [];
    for (const turn of numbers(TURNS)) {
      theirs.push(await puts(() => etcd.open(), clients, `writes/${clients}-${turn}`));
      byLibrary.push(await puts(() => etcd.openGrpc(), clients, `writes/${clients}-${turn}-library`));
      ours.push(
        await drive(server, clients, TURN_SECONDS, (client, index) => ({
          method: "POST",
          path,
          body: configMap(`w-${clients}-${turn}-${client}-${index}`),
        })),
      );
    }
    const [our, their, library] = [meanOf(ours), meanOf(theirs), meanOf(byLibrary)];
    rows.push({
      ...rate(
        `creates beside puts by @grpc/grpc-js, ${clients} clients`,
        our.perSecond,
        "a second",
        round(library.perSecond),
      ),
      goal: clients === 64 ? "≥ 0.7 × etcd" : "",
    });
    rows.push({
      ...rate(`creates beside etcd's puts, ${clients} clients`, our.perSecond, "a second", round(their.perSecond)),
      goal: clients === 64 ? "≥ 0.7 × etcd" : "",
    });
    rows.push({
      ...delay(`creates beside etcd's puts, ${clients} clients, p99`, our.p99, "ms", round(their.p99)),
      goal: "",
    });
  }
  // What etcd can do for an API server, whose clients share a connection to it.
  const shared = await puts(() => etcd.open(), 64, "writes/shared", 1);
  rows.push({ name: "etcd's puts, 64 clients over one connection", value: round(shared.perSecond), unit: "a second" });
  const updated = await drive(server, 64, TURN_SECONDS, (client, index) => ({
    method: "PUT",
    path: `${path}/w-64-0-${client}-0`,
    body: configMap(`w-64-0-${client}-0`, { text: DATA, index: String(index) }),
  }));
  rows.push({ name: "updates, 64 clients", value: round(updated.perSecond), unit: "a second" });
  rows.push({ name: "updates, 64 clients, p99", value: round(updated.p99), unit: "ms" });
  return rows;
}

async function puts(
  open: () => Pick<EtcdClient, "put" | "close">,
  clients: number,
  prefix: string,
  connections = clients,
): Promise<Load> {
  const channels = numbers(connections).map(open);
  await Promise.all(channels.map((channel) => channel.put(`${prefix}-open`, Buffer.from(""))));
  const load = await driveFor(clients, TURN_SECONDS, (client, index) => {
    const name = `${prefix}-${client}-${index}`;
    return channels[client % connections]!.put(name, Buffer.from(configMap(name)));
  });
  for (const channel of channels) channel.close();
  return load;
}

async function lists(cluster: TestCluster, server: Server, etcd: Etcd): Promise<Row[]> {
  const rows: Row[] = [];
  await createNamespaces(cluster, ["lists"]);
  const path = configMapsOf("lists");
  const prefix = "lists/";
  const [reader, channel, library] = [new Reader(server), etcd.open(), etcd.openGrpc()];
  let size = 0;
  for (const next of LIST_SIZES) {
    const names = numbers(next - size).map((index) => `l-${String(size + index).padStart(6, "0")}`);
    size = next;
    await sendAll(
      server,
      LOADING_CLIENTS,
      names.map((name) => ({ method: "POST", path, body: configMap(name) })),
    );
    // The same bytes as the control plane stores.
    await putAll(
      etcd,
      names.map((name) => [`${prefix}${name}`, Buffer.from(configMap(name))]),
    );
    const ours: Read[] = [];
    const theirs: Read[] = [];
    const byLibrary: Read[] = [];
    for (const _ of numbers(LIST_TURNS)) {
      theirs.push(await timed(() => channel.range(prefix)));
      byLibrary.push(await timed(() => library.range(prefix)));
      ours.push(await timed(() => reader.read(path)));
    }
    const [our, their, decoded] = [medianOf(ours), medianOf(theirs), medianOf(byLibrary)];
    rows.push({
      ...delay(
        `list of ${size} objects beside etcd's range by @grpc/grpc-js`,
        our.milliseconds,
        "ms",
        round(decoded.milliseconds),
      ),
      goal: size === 10_000 ? "≥ 2 × faster than etcd" : "",
    });
    rows.push({
      ...delay(`list of ${size} objects beside etcd's range`, our.milliseconds, "ms", round(their.milliseconds)),
      goal: size === 10_000 ? "≥ 2 × faster than etcd" : "≤ 500 ms",
    });
    rows.push({
      name: `list of ${size} objects, bytes`,
      value: round(our.bytes / 1e6),
      unit: "MB",
      peer: round(their.bytes / 1e6),
    });
    rows.push({
      ...rate(
        `list of ${size} objects, bytes a second`,
        our.bytes / our.milliseconds / 1000,
        "MB/s",
        round(their.bytes / their.milliseconds / 1000),
      ),
      goal: "",
    });
  }
  reader.close();
  channel.close();
  library.close();
  return rows;
}

async function putAll(etcd: Etcd, values: [string, Buffer][]): Promise<void> {
  const channels = numbers(LOADING_CLIENTS).map(() => etcd.open());
  const left = values.values();
  const run = async (channel: EtcdClient) => {
    for (const [key, value] of left) await channel.put(key, value);
    channel.close();
  };
  await Promise.all(channels.map(run));
}

async function listOfAll(cluster: TestCluster, server: Server): Promise<Row[]> {
  const namespaces = numbers(NAMESPACES).map((index) => `all-${index}`);
  await createNamespaces(cluster, namespaces);
  const requests = namespaces.flatMap((namespace) =>
    numbers(OBJECTS_OF_NAMESPACE).map((index) => ({
      method: "POST",
      path: configMapsOf(namespace),
      body: configMap(`c-${index}`),
    })),
  );
  await sendAll(server, LOADING_CLIENTS, requests);
  const reader = new Reader(server);
  const reads: Read[] = [];
  for (const _ of numbers(LIST_TURNS)) reads.push(await timed(() => reader.read("/api/v1/configmaps")));
  reader.close();
  const { milliseconds, bytes } = medianOf(reads);
  const name = `list across ${NAMESPACES} namespaces × ${OBJECTS_OF_NAMESPACE} objects`;
  return [
    delay(name, milliseconds, "ms", 500),
    {
      name: `${name}, the slowest of ${LIST_TURNS}`,
      value: round(Math.max(...reads.map((read) => read.milliseconds))),
      unit: "ms",
    },
    { name: `${name}, bytes`, value: round(bytes / 1e6), unit: "MB" },
  ];
}

async function fork(cluster: TestCluster): Promise<Row[]> {
  const token = await makeAdminToken(readFileSync(cluster.home.signingKey, "utf8"), "fork");
  const target = { url: cluster.url, caCertificate: cluster.caCertificate, token };
  const start = performance.now();
  const { code, body } = await callApi(
    target,
    "POST",
    "/clusters/fork/coxswain/v1/fork",
    { from: "default", token: cluster.token },
    { timeoutMilliseconds: FORK_SECONDS_MAX * 1000 },
  );
  const seconds = (performance.now() - start) / 1000;
  if (code >= 300) throw new Error(`fork: ${code} ${JSON.stringify(body)}`);
  return [delay(`fork of a cluster of ${body.objects} objects`, seconds, "s", 10)];
}

/** How much later a watcher of all namespaces hears of a change than a watcher of its namespace, while many namespaces are written to. */
async function watchOfAll(cluster: TestCluster, server: Server): Promise<Row[]> {
  const namespaces = numbers(BUSY_HOMES).map((index) => `busy-${index}`);
  await createNamespaces(cluster, namespaces);
  for (const namespace of namespaces) await create(cluster, configMapsOf(namespace), configMap("c"));
  const alone = new Map<string, number>();
  const together = new Map<string, number>();
  const hear = (heard: Map<string, number>) => (event: { object: any }) =>
    void (event.object.data?.sent && heard.set(event.object.metadata.resourceVersion, performance.now()));
  const paths = [...namespaces.map(configMapsOf), "/api/v1/configmaps"];
  const watches = await Promise.all(
    // From now on: who asks for no revision would be told all that there is.
    paths.map(async (path) => {
      const { body } = await cluster.call("GET", `${path}?limit=1`);
      const from = `${path}?watch=1&resourceVersion=${body.metadata.resourceVersion}`;
      return await openWatch(server, from, hear(path === paths.at(-1) ? together : alone));
    }),
  );
  const total = BUSY_SECONDS * BUSY_WRITES_PER_SECOND;
  // Homes are written to on their own, each at another moment.
  await drivePaced(server, BUSY_HOMES, total, 1000 / BUSY_WRITES_PER_SECOND, (home) => ({
    method: "PUT",
    path: `${configMapsOf(namespaces[home]!)}/c`,
    body: configMap("c", { text: DATA, sent: String(preciseNow()) }),
  }));
  await eventually("every change at both watchers", () => {
    const expected = BUSY_HOMES * total;
    if (alone.size < expected || together.size < expected)
      throw new Error(`${alone.size} and ${together.size} of ${expected}`);
  });
  for (const watch of watches) watch.close();
  const behind = [...alone].map(([revision, at]) => together.get(revision)! - at).sort((a, b) => a - b);
  const name = `watch of all namespaces behind those of ${BUSY_HOMES} busy ones`;
  return [
    { name: `${name}, p50`, value: round(percentile(behind, 0.5)), unit: "ms" },
    delay(`${name}, p99`, percentile(behind, 0.99), "ms", 100),
  ];
}

/** From the sending of a change to its arrival at each of a thousand watchers, at a pace that a namespace has in ordinary life. */
async function manyWatchers(cluster: TestCluster, server: Server): Promise<Row[]> {
  await createNamespaces(cluster, ["watched"]);
  const path = configMapsOf("watched");
  await create(cluster, path, configMap("c"));
  const { body } = await cluster.call("GET", `${path}/c`);
  const processes = await Promise.all(
    numbers(WATCHER_PROCESSES).map(() =>
      forkWatchers({
        server,
        path: `${path}?watch=1&resourceVersion=${body.metadata.resourceVersion}`,
        watchers: WATCHERS / WATCHER_PROCESSES,
        events: WATCHED_EVENTS,
      }),
    ),
  );
  try {
    await drivePaced(server, 1, WATCHED_EVENTS, 1000 / WATCHED_EVENTS_PER_SECOND, () => ({
      method: "PUT",
      path: `${path}/c`,
      body: configMap("c", { text: DATA, sent: String(preciseNow()) }),
    }));
    const delays = (await Promise.all(processes.map((each) => each.delays))).flat().sort((a, b) => a - b);
    const name = `${WATCHERS} watchers × ${WATCHED_EVENTS} events, ${WATCHED_EVENTS_PER_SECOND} a second`;
    return [
      { name: `${name}, p50`, value: round(percentile(delays, 0.5)), unit: "ms" },
      delay(`${name}, p99`, percentile(delays, 0.99), "ms", 250),
    ];
  } finally {
    for (const each of processes) each.stop();
  }
}

/** Each client sends `count` requests, one every `milliseconds`; the clients are spread over that time. */
async function drivePaced(
  server: Server,
  clients: number,
  count: number,
  milliseconds: number,
  make: (client: number) => { method: string; path: string; body: string },
): Promise<void> {
  const start = performance.now();
  await Promise.all(
    numbers(clients).map((client) =>
      sendAll(
        server,
        1,
        // Made when it is sent.
        (function* () {
          for (let index = 0; index < count; index++) yield make(client);
        })(),
        (index) => sleep(Math.max(0, start + (index + client / clients) * milliseconds - performance.now())),
      ),
    ),
  );
}

async function createNamespaces(cluster: TestCluster, names: string[]): Promise<void> {
  const server = { url: cluster.url, token: cluster.token, ca: cluster.caCertificate };
  const requests = names.map((name) => ({
    method: "POST",
    path: "/api/v1/namespaces",
    body: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
  }));
  await sendAll(server, LOADING_CLIENTS, requests);
}

async function create(cluster: TestCluster, path: string, text: string): Promise<void> {
  const { code, body } = await cluster.call("POST", path, JSON.parse(text));
  if (code !== 201) throw new Error(`POST ${path}: ${code} ${JSON.stringify(body)}`);
}

interface Read {
  milliseconds: number;
  bytes: number;
}

async function timed(read: () => Promise<number>): Promise<Read> {
  const start = performance.now();
  const bytes = await read();
  return { milliseconds: performance.now() - start, bytes };
}

const medianOf = (reads: Read[]): Read =>
  reads.toSorted((a, b) => a.milliseconds - b.milliseconds)[Math.floor(reads.length / 2)]!;

const meanOf = (loads: Load[]): Load => {
  const mean = (of: (load: Load) => number) => loads.reduce((sum, load) => sum + of(load), 0) / loads.length;
  return { perSecond: mean((load) => load.perSecond), p50: mean((load) => load.p50), p99: mean((load) => load.p99) };
};
