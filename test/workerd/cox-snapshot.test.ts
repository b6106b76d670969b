import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiClient, callApi } from "../../cli/api-client.ts";
import { TestCluster } from "../support/control-plane.ts";
import { type Ran, run } from "../support/cox.ts";

const BIN = join(import.meta.dirname, "..", "..", "cli", "bin.js");
/** More than the clock's grain: what is written after it is written later. */
const LATER_MILLISECONDS = 50;

let cluster: TestCluster;
let folder: string;

beforeAll(async () => {
  cluster = await TestCluster.start();
  folder = mkdtempSync(join(tmpdir(), "cox-snapshots-"));
  await call("POST", "/api/v1/namespaces", { metadata: { name: "blue" } });
  await call("POST", "/api/v1/namespaces/blue/configmaps", configMap("color", { color: "red" }));
  await call("POST", "/api/v1/namespaces/blue/secrets", { metadata: { name: "door" }, stringData: { key: "hunter1" } });
  await call("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "web" },
    spec: { ports: [{ port: 80 }] },
  });
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cluster?.stop();
});

const configMap = (name: string, data: Record<string, string>, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
  ...more,
});

async function call(method: string, path: string, body?: unknown, client: ApiClient = cluster): Promise<any> {
  const answer = await callApi(client, method, path, body);
  expect(answer.code, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body;
}

const cox = (...args: string[]): Promise<Ran> => run(process.execPath, [BIN, ...args, "--state", cluster.home.root]);

/** Standard output of a command that has to succeed. */
async function coxSays(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cox(...args);
  expect(code, `cox ${args.join(" ")}: ${stderr}`).toBe(0);
  return stdout;
}

/** What the kubeconfig that `cox kubeconfig` prints leads to. */
async function clientOf(...args: string[]): Promise<ApiClient> {
  const config = load(await coxSays("kubeconfig", ...args)) as any;
  return {
    url: config.clusters[0].cluster.server,
    token: config.users[0].user.token,
    caCertificate: cluster.caCertificate,
  };
}

const LISTS = [
  "/api/v1/namespaces",
  "/api/v1/configmaps",
  "/api/v1/secrets",
  "/api/v1/services",
  "/apis/apps/v1/deployments",
];

/** All objects of some resources, as they are stored. */
async function stateOf(client: ApiClient): Promise<unknown> {
  const lists = await Promise.all(LISTS.map(async (path) => (await call("GET", path, undefined, client)).items));
  return Object.fromEntries(LISTS.map((path, i) => [path, lists[i]]));
}

describe("a snapshot", () => {
  test("is saved, verified, and restored into another cluster as it was", async () => {
    const file = join(folder, "default.snapshot");
    const before = await stateOf(cluster);
    const saved = await coxSays("snapshot", "save", file);
    expect(saved).toMatch(/^saved cluster default to .*: revision \d+ of 20.*Z, \d+ homes, \d+ objects, .+\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const status = JSON.parse(await coxSays("snapshot", "status", file, "--json"));
    expect(status).toMatchObject({ cluster: "default", resources: { secrets: expect.any(Number), services: 2 } });
    expect(saved).toContain(`revision ${status.revision} of ${status.time}, `);

    // After the snapshot: must not be in the copy.
    await call("POST", "/api/v1/namespaces/blue/configmaps", configMap("late", {}));
    const restored = await coxSays("snapshot", "restore", file, "--as", "copy");
    expect(restored).toContain(`restored cluster copy: revision ${status.revision}`);
    expect(restored).toContain("`cox kubeconfig --cluster copy`");
    expect(await stateOf(await clientOf("--cluster", "copy"))).toEqual(before);
  });

  test("is not restored over a cluster that is there: another name is suggested", async () => {
    const file = join(folder, "default.snapshot");
    const refusal = (name: string) => `cox: there is a cluster ${name} already: choose another name with --as NAME\n`;
    expect(await cox("snapshot", "restore", file)).toMatchObject({ code: 1, stderr: refusal("default") });
    expect(await cox("snapshot", "restore", file, "--as", "copy")).toMatchObject({ code: 1, stderr: refusal("copy") });
  });

  test("is not restored where its file is damaged, and the name stays free", async () => {
    const damaged = join(folder, "damaged.snapshot");
    const bytes = readFileSync(join(folder, "default.snapshot"));
    writeFileSync(damaged, bytes.subarray(0, bytes.length - 30));
    expect(await cox("snapshot", "restore", damaged, "--as", "free")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("truncated"),
    });
    await coxSays("snapshot", "restore", join(folder, "default.snapshot"), "--as", "free");
  });

  test("is of the time that was asked for", async () => {
    const { metadata } = await call("POST", "/api/v1/namespaces/blue/configmaps", configMap("brief", {}));
    await sleep(LATER_MILLISECONDS);
    const time = new Date().toISOString();
    await sleep(LATER_MILLISECONDS);
    await call("DELETE", "/api/v1/namespaces/blue/configmaps/brief");
    const file = join(folder, "past.snapshot");
    await coxSays("snapshot", "save", file, "--at", time);
    await coxSays("snapshot", "restore", file, "--as", "past");
    const past = await clientOf("--cluster", "past");
    expect((await call("GET", "/api/v1/namespaces/blue/configmaps/brief", undefined, past)).metadata).toEqual(metadata);
  });
});

test("a fork has what the cluster has, and goes its own way", async () => {
  const before = await stateOf(cluster);
  expect(await coxSays("fork", "--as", "other")).toMatch(/^made cluster other: revision \d+, \d+ homes, \d+ objects\n/);
  const other = await clientOf("--cluster", "other");
  expect(await stateOf(other)).toEqual(before);
  await call("DELETE", "/api/v1/namespaces/blue/secrets/door", undefined, other);
  expect(await stateOf(cluster)).toEqual(before);
  expect(await cox("fork", "--as", "other")).toMatchObject({ code: 1, stderr: expect.stringContaining("--as NAME") });
});

test("a kubeconfig leads into the past, for reading alone", async () => {
  await call("POST", "/api/v1/namespaces/blue/configmaps", configMap("then", { color: "red" }));
  await sleep(LATER_MILLISECONDS);
  const past = await clientOf("--at", new Date().toISOString());
  await sleep(LATER_MILLISECONDS);
  await call("PUT", "/api/v1/namespaces/blue/configmaps/then", configMap("then", { color: "blue" }));
  const path = "/api/v1/namespaces/blue/configmaps/then";
  expect((await call("GET", path, undefined, past)).data).toEqual({ color: "red" });
  expect((await call("GET", path)).data).toEqual({ color: "blue" });
  expect((await callApi(past, "DELETE", path)).code).toBe(405);
});

describe("an object's history", () => {
  test("tells who changed what, and undo takes a change back, and that back", async () => {
    const path = "/api/v1/namespaces/blue/configmaps/color";
    await call("PUT", path, configMap("color", { color: "blue" }));
    const lines = (await coxSays("history", "cm/color", "-n", "blue")).split("\n");
    expect(lines[0]).toMatch(/^REVISION +WHEN +WHO +WHAT$/);
    expect(lines[1]).toMatch(/^\d+ +20\S+Z \(\S+ ago\) +kubernetes-admin +data\.color: red → blue$/);
    expect(lines[2]).toMatch(/^\d+ +20\S+Z \(\S+ ago\) +kubernetes-admin +created$/);

    const said = await coxSays("undo", "configmaps/color", "-n", "blue");
    const undone = await call("GET", path);
    expect(undone.data).toEqual({ color: "red" });
    expect(said).toBe(
      `configmaps/color is again as it was at revision ${lines[2]!.split(" ")[0]} (new revision ${undone.metadata.resourceVersion})\n`,
    );
    await coxSays("undo", "configmap/color", "-n", "blue", "--to", lines[1]!.split(" ")[0]!);
    expect((await call("GET", path)).data).toEqual({ color: "blue" });
    expect(await coxSays("undo", "cm/color", "-n", "blue", "--to", lines[1]!.split(" ")[0]!)).toContain(
      "nothing was done",
    );
  });

  test("brings back what was deleted, as a new object", async () => {
    const path = "/api/v1/namespaces/blue/configmaps/lost";
    const { metadata } = await call("POST", "/api/v1/namespaces/blue/configmaps", configMap("lost", { a: "b" }));
    await call("DELETE", path);
    expect(await coxSays("history", "cm/lost", "-n", "blue")).toContain("deleted\n");
    expect(await coxSays("undo", "cm/lost", "-n", "blue")).toContain(
      `created anew as it was at revision ${metadata.resourceVersion}`,
    );
    const back = await call("GET", path);
    expect(back.data).toEqual({ a: "b" });
    expect(back.metadata.uid).not.toBe(metadata.uid);
  });

  test("of a workload skips what its controllers reported", async () => {
    const deployment = (image: string) => ({
      metadata: { name: "web" },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image }] } },
      },
    });
    const path = "/apis/apps/v1/namespaces/default/deployments/web";
    await call("POST", "/apis/apps/v1/namespaces/default/deployments", deployment("web:1"));
    await call("PUT", path, deployment("web:2"));
    await expect
      .poll(async () => (await call("GET", path)).metadata.annotations?.["deployment.kubernetes.io/revision"], {
        timeout: 20_000,
      })
      .toBe("2");
    expect(await coxSays("history", "deploy/web")).toContain("spec.template.spec.containers[web].image: web:1 → web:2");
    await coxSays("undo", "deployments.apps/web");
    expect((await call("GET", path)).spec.template.spec.containers[0].image).toBe("web:1");
  });

  test("of a secret shows no value", async () => {
    const path = "/api/v1/namespaces/blue/secrets/door";
    await call("PUT", path, { metadata: { name: "door" }, stringData: { key: "hunter2" } });
    const told = [
      await coxSays("history", "secret/door", "-n", "blue"),
      await coxSays("history", "secret/door", "-n", "blue", "--json"),
    ];
    expect(told[0]).toContain("data.key: (hidden) → (hidden)");
    for (const value of [
      "hunter",
      Buffer.from("hunter1").toString("base64"),
      Buffer.from("hunter2").toString("base64"),
    ])
      expect(told.join()).not.toContain(value);
  });

  test("cannot undo what the API does not let change, and says so in a line", async () => {
    const path = "/api/v1/namespaces/blue/configmaps/stone";
    await call("POST", "/api/v1/namespaces/blue/configmaps", configMap("stone", { a: "b" }));
    await call("PUT", path, configMap("stone", { a: "c" }, { immutable: true }));
    expect(await cox("undo", "cm/stone", "-n", "blue")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^cox: .*immutable[^\n]*\n$/),
    });
  });

  test.each([
    ["an object that never was", ["history", "cm/none"], 1, "not found"],
    ["a kind that is none", ["undo", "unicorn/x"], 2, "no resource"],
    ["what names no object", ["history", "configmaps"], 2, "KIND/NAME"],
    ["a revision before all that is kept", ["undo", "ns/default", "--to", "1"], 1, "keeps nothing of it before"],
  ])("of %s is refused", async (_, args, code, why) => {
    expect(await cox(...args)).toMatchObject({
      code,
      stderr: expect.stringMatching(new RegExp(`^cox: .*${why}[^\n]*\n$`)),
    });
  });
});
