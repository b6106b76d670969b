import { expect, test } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import type { ClusterHomeNamespaceRpc } from "../protocol.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "../store/sql.ts";
import { Store } from "../store/store.ts";
import { ServiceSettling } from "./service-settling.ts";

/** An instance of a namespace's home, its store on `database`. */
function instanceOn(database: SqlDatabase) {
  let settled = 0;
  let historyReads = 0;
  const counting: SqlDatabase = {
    exec<Row extends SqlRow>(query: string, ...bindings: SqlValue[]) {
      if (/^\s*SELECT h\./.test(query)) historyReads++;
      return database.exec<Row>(query, ...bindings);
    },
    transaction: (work) => database.transaction(work),
  };
  const store = new Store({
    database: counting,
    clock: { now: () => 0, nextRevision: (last) => last + 1, timeOf: (revision) => revision },
    defer: (work) => work(),
  });
  const cluster: Partial<ClusterHomeNamespaceRpc> = {
    settleServices: async () => {
      settled++;
    },
  };
  const services = new ServiceSettling({
    store,
    namespace: "a",
    cluster: cluster as ClusterHomeNamespaceRpc,
    uuid: () => "reservation",
    later: (_, work) => work(),
    guard: () => undefined,
  });
  const put = (resource: string, json: string) => store.write((tx) => tx.put(resource, "a", () => json));
  return { services, put, settled: () => settled, historyReads: () => historyReads };
}

const SERVICE = JSON.stringify({ metadata: { name: "a" }, spec: { clusterIPs: [], ports: [] } });
const answered = () => new Promise((resolve) => setImmediate(resolve));

test("the whole history is looked through once, however often the alarm rings", async () => {
  const database = nodeSql();
  instanceOn(database).put("configmaps", "{}");
  const { services, put, settled, historyReads } = instanceOn(database);
  for (let round = 0; round < 3; round++) {
    services.wake();
    await answered();
    put("configmaps", "{}");
  }
  expect(historyReads()).toBe(1);
  expect(settled()).toBe(0);
});

test("what an earlier instance did not tell is told by the next, and what changes after that as well", async () => {
  const database = nodeSql();
  instanceOn(database).put("services", SERVICE);
  const { services, put, settled } = instanceOn(database);
  services.wake();
  await answered();
  expect(settled()).toBe(1);
  put("services", SERVICE);
  await answered();
  expect(settled()).toBe(2);
});
