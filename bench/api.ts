import { readFile } from "node:fs/promises";
import { Cox, eventually } from "../test/support/cox.ts";
import type { Row } from "./row.ts";
import { delay, rate, round } from "./row.ts";
import { drive, percentile, type Server } from "./support/load.ts";
import { openWatch } from "./support/watch.ts";

// The figures held against are those of kube-apiserver 1.26 + etcd 3.4 on a machine of this size (2 cores), over TLS with the same
// 2 KB ConfigMaps, disk included: what they did is in the design, since they are not to be had on every machine.
const CREATES = { 1: { perSecond: 722, p99: 6 }, 16: { perSecond: 1824, p99: 28 }, 64: { perSecond: 2434, p99: 72 } };
const GETS = { 1: 1639, 16: 6009, 64: 6984 };
const CLIENTS = [1, 16, 64] as const;
const SECONDS = 5;
const WATCHERS = 100;
const WATCHED_CHANGES = 50;
const REPLICAS = 100;
const IDLE_SECONDS = 15;

const DATA = "x".repeat(2000);
const configMap = (name: string) =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { text: DATA } });
const PATH = "/api/v1/namespaces/default/configmaps";

/** `npm run bench -- api`: the API over TLS, the store on disk, one simulated node. */
export default async function bench(): Promise<Row[]> {
  const cox = await Cox.up("--simulated", "1");
  try {
    const server = await cox.credentials();
    const rows = [await idle(cox), ...(await requests(server)), ...(await watchDelay(server)), await deployment(cox)];
    rows.push({ ...(await idle(cox)), name: "workerd RSS after the load" });
    return rows;
  } finally {
    await cox.destroy();
  }
}

async function requests(server: Server): Promise<Row[]> {
  const rows: Row[] = [];
  for (const clients of CLIENTS) {
    const load = await drive(server, clients, SECONDS, (client, index) => ({
      method: "POST",
      path: PATH,
      body: configMap(`bench-${clients}-${client}-${index}`),
    }));
    rows.push(rate(`creates, ${clients} clients`, load.perSecond, "a second", CREATES[clients].perSecond));
    rows.push({ name: `creates, ${clients} clients, p50`, value: round(load.p50), unit: "ms" });
    rows.push(delay(`creates, ${clients} clients, p99`, load.p99, "ms", CREATES[clients].p99));
  }
  for (const clients of CLIENTS) {
    const load = await drive(server, clients, SECONDS, () => ({ method: "GET", path: `${PATH}/bench-1-0-0` }));
    rows.push(rate(`gets, ${clients} clients`, load.perSecond, "a second", GETS[clients]));
    rows.push({ name: `gets, ${clients} clients, p50`, value: round(load.p50), unit: "ms" });
    rows.push({ name: `gets, ${clients} clients, p99`, value: round(load.p99), unit: "ms" });
  }
  return rows;
}

/** From the sending of a change to its arrival at each of many watchers. */
async function watchDelay(server: Server): Promise<Row[]> {
  const sentAt = new Map<string, number>();
  const delays: number[] = [];
  const namespace = "/api/v1/namespaces/kube-public/configmaps";
  const watches = await Promise.all(
    Array.from({ length: WATCHERS }, () =>
      openWatch(server, `${namespace}?watch=true`, ({ object }) => {
        const sent = sentAt.get(object.metadata.name);
        if (sent !== undefined) delays.push(performance.now() - sent);
      }),
    ),
  );
  for (let index = 0; index < WATCHED_CHANGES; index++) {
    const name = `watched-${index}`;
    sentAt.set(name, performance.now());
    await drive(server, 1, 0.001, () => ({ method: "POST", path: namespace, body: configMap(name) }));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await eventually("every watcher has every change", () => {
    if (delays.length < WATCHERS * WATCHED_CHANGES) throw new Error(`${delays.length} events`);
  });
  for (const watch of watches) watch.close();
  delays.sort((a, b) => a - b);
  return [
    { name: `watch delay, ${WATCHERS} watchers, p50`, value: round(percentile(delays, 0.5)), unit: "ms" },
    delay(`watch delay, ${WATCHERS} watchers, p99`, percentile(delays, 0.99), "ms", 50),
  ];
}

/** From `create deployment` to every pod bound. */
async function deployment(cox: Cox): Promise<Row> {
  const server = await cox.credentials();
  const bound = new Set<string>();
  let done: (at: number) => void = () => {};
  const allBound = new Promise<number>((resolve) => {
    done = resolve;
  });
  const watch = await openWatch(server, "/api/v1/namespaces/default/pods?watch=true", ({ object }) => {
    if (object.spec.nodeName) bound.add(object.metadata.name);
    if (bound.size === REPLICAS) done(performance.now());
  });
  const labels = { app: "bench" };
  const body = JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "bench" },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "busybox" }] } },
    },
  });
  const sent = performance.now();
  await drive(server, 1, 0.001, () => ({
    method: "POST",
    path: "/apis/apps/v1/namespaces/default/deployments",
    body,
  }));
  const at = await allBound;
  watch.close();
  return {
    ...delay(`Deployment of ${REPLICAS}: all bound`, (at - sent) / 1000, "s", 1),
    peer: 4,
    goal: "≤ 1 s (peer: 4.0 s)",
  };
}

async function idle(cox: Cox): Promise<Row> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000));
  const { workerd } = await cox.status();
  const status = await readFile(`/proc/${workerd.pid}/status`, "utf8");
  const megabytes = Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
  return delay("idle control plane (workerd), RSS", megabytes, "MB", 150);
}
