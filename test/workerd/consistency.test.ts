import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { printMoment } from "../../api/time-travel.ts";
import { sendAll } from "../../bench/support/load.ts";
import { lastRevisionAt, timeOfRevision } from "../../durable-objects/revision.ts";
import { TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/cox.ts";
import { checkLinearizable } from "../support/linearizability.ts";
import { type RecordedChange, RecordedHistory } from "../support/recorded-history.ts";
import { configMapsOf, isOfLoad, itemsOf, WriteLoad } from "../support/write-load.ts";
import { ResumingWatch, readChanges } from "../support/write-load-watch.ts";

const NAMESPACES = Array.from({ length: 200 }, (_, index) => `ns-${index}`);
const NAMES = 50;
const CLIENTS = 8;
const PAGE = 700;
/** Some of the revisions that the past is read at, and some namespaces that it is read of. */
const SAMPLES = 8;
const SEED = 7;
const PREPARATION_MILLISECONDS = 300_000;

let cluster: TestCluster;
let load: WriteLoad;
let watches: ResumingWatch[];
/** All that was committed, as the homes' histories have it once everything is over. */
let history: RecordedHistory;

/** Clients write while others list all namespaces, in one answer and in pages, and watch them; what they saw is looked at below. */
beforeAll(async () => {
  cluster = await TestCluster.start();
  const server = { url: cluster.url, token: cluster.token, ca: cluster.caCertificate };
  const namespaces = NAMESPACES.map((name) => ({
    method: "POST",
    path: "/api/v1/namespaces",
    body: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
  }));
  await sendAll(server, CLIENTS, namespaces);
  const begun = new Map<string, number>();
  for (const namespace of NAMESPACES) begun.set(namespace, (await listed(configMapsOf(namespace))).revision);
  const { revision } = await listed(configMapsOf());
  watches = [
    new ResumingWatch(server, revision),
    new ResumingWatch(server, revision, { bookmarks: true }),
    new ResumingWatch(server, begun.get("ns-0")!, { namespace: "ns-0" }),
  ];

  load = new WriteLoad(server, { clients: CLIENTS, namespaces: NAMESPACES, names: NAMES, lists: 0, seed: SEED });
  await load.fill();
  load.start();
  for (let i = 0; i < 3; i++) {
    await load.list();
    await load.list(undefined, PAGE);
    await load.list("ns-1");
    // A watcher of all that was away for a moment.
    watches[1]!.disconnect();
  }
  await load.pause();

  const changes: RecordedChange[] = [];
  let last = 0;
  for (const namespace of NAMESPACES) {
    const { outcome } = await load.write(namespace, "marker", "create");
    last = (outcome as { revision: number }).revision;
    changes.push(...(await readChanges(server, namespace, begun.get(namespace)!, last)));
  }
  history = new RecordedHistory(changes);
  await eventually("the watchers of all namespaces at the end", () => {
    for (const { namespace, position, complaints } of watches) {
      expect(complaints).toEqual([]);
      if (namespace === undefined) expect(position).toBeGreaterThanOrEqual(last);
    }
  });
  for (const watch of watches) watch.stop();
}, PREPARATION_MILLISECONDS);

afterAll(async () => {
  for (const watch of watches ?? []) watch.stop();
  await load?.stop();
  await cluster?.stop();
});

async function listed(path: string): Promise<{ revision: number; items: ReturnType<typeof itemsOf> }> {
  const { code, body } = await cluster.call("GET", path);
  expect(code, JSON.stringify(body).slice(0, 300)).toBe(200);
  return { revision: Number(body.metadata.resourceVersion), items: itemsOf(body) };
}

describe("200 namespaces of 50 objects that are written to", () => {
  test("have a history that agrees with what the writers were told", () => {
    expect(history.complaints()).toEqual([]);
    expect(history.complaintsAboutWrites(load.operations, isOfLoad)).toEqual([]);
    expect(load.refused).toEqual(new Map());
    // They were full, and then changed.
    expect(history.changes.length).toBeGreaterThan(NAMESPACES.length * NAMES + 200);
  });

  test("are linearizable, object by object", () => {
    expect(checkLinearizable(load.operations)).toEqual({ ok: true });
  });

  test("are listed as they were at one revision, in one answer as in pages", () => {
    const all = load.lists.filter(({ namespace }) => namespace === undefined);
    expect(all.length).toBe(6);
    for (const list of load.lists) expect(history.complaintsAboutList(list, load.operations)).toEqual([]);
    // Others wrote while they were read.
    expect(new Set(all.map(({ revision }) => revision)).size).toBe(all.length);
  });

  test("are watched together: every change once, in the order of the revisions, also by who was away", () => {
    expect(watches[1]!.connections).toBeGreaterThan(1);
    const last = history.changes.at(-1)!.revision;
    for (const { namespace, from, changes, position } of watches) {
      const upTo = namespace === undefined ? last : position;
      expect(changes.length).toBeGreaterThan(NAMES);
      expect(
        history.complaintsAboutWatch({ ...(namespace !== undefined && { namespace }), from, upTo, changes }),
      ).toEqual([]);
    }
  });
});

describe("the past", () => {
  /** Revisions of changes from the first to the last. */
  const samples = () =>
    Array.from(
      { length: SAMPLES },
      (_, index) => history.changes[Math.floor(((index + 0.5) / SAMPLES) * history.changes.length)]!.revision,
    );

  test("of all namespaces is as it was recorded", async () => {
    for (const revision of samples()) {
      const time = timeOfRevision(revision);
      const { items } = await listed(`/at/${printMoment(time)}${configMapsOf()}`);
      expect(history.complaintsAboutList({ revision: lastRevisionAt(time), items })).toEqual([]);
    }
  });

  test("of one namespace is as it was recorded, before and after a change", async () => {
    for (const { revision, namespace } of history.changes.filter((_, index) => index % 500 === 0)) {
      for (const time of [timeOfRevision(revision) - 1, timeOfRevision(revision)]) {
        const { items } = await listed(`/at/${printMoment(time)}${configMapsOf(namespace)}`);
        expect(history.complaintsAboutList({ namespace, revision: lastRevisionAt(time), items })).toEqual([]);
      }
    }
  });

  test("of one object is as it was recorded", async () => {
    for (const revision of samples()) {
      const time = timeOfRevision(revision);
      const state = history.stateAt(lastRevisionAt(time));
      const { namespace, name } = history.changes.find((change) => change.revision === revision)!;
      const { code, body } = await cluster.call("GET", `/at/${printMoment(time)}${configMapsOf(namespace)}/${name}`);
      const there = state.get(`${namespace}/${name}`);
      expect([code, code === 200 ? body.data.value : undefined]).toEqual([there ? 200 : 404, there?.value]);
    }
  });

  test("of a moment ago is one whole state", async () => {
    const { revision, items } = await listed(`/at/1s${configMapsOf()}`);
    expect(history.complaintsAboutList({ revision, items })).toEqual([]);
  });

  test("is what Exact and NotOlderThan lists of its revision show", async () => {
    for (const revision of samples()) {
      const exact = await listed(`${configMapsOf()}?resourceVersion=${revision}&resourceVersionMatch=Exact`);
      expect(exact.revision).toBe(revision);
      expect(history.complaintsAboutList(exact)).toEqual([]);
      const later = await listed(`${configMapsOf()}?resourceVersion=${revision}&resourceVersionMatch=NotOlderThan`);
      expect(later.revision).toBeGreaterThanOrEqual(revision);
      expect(history.complaintsAboutList(later)).toEqual([]);
    }
  });
});
