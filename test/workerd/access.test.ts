import { readFileSync } from "node:fs";
import { base64url, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeAdminToken } from "../../cli/control-plane/credentials.ts";
import { TestCluster } from "../support/control-plane.ts";
import { ask } from "../support/http.ts";

let cluster: TestCluster;
let signingKey: string;

beforeAll(async () => {
  cluster = await TestCluster.start();
  signingKey = readFileSync(cluster.home.signingKey, "utf8").trim();
});

afterAll(async () => {
  await cluster?.stop();
});

const as = (token: string | undefined, method: string, path: string, body?: object, contentType = "application/json") =>
  ask(cluster, method, path, {
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { "content-type": contentType }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });

const tokenOf = (name: string, groups: string[], clusterName = "default") =>
  new SignJWT({ cluster: clusterName, groups })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer("coxswain")
    .setSubject(name)
    .setExpirationTime("1h")
    .sign(base64url.decode(signingKey));

describe("clusters", () => {
  test("are kept apart: a credential opens its own and no other", async () => {
    const blue = await makeAdminToken(signingKey, "blue");
    const created = await as(blue, "POST", "/clusters/blue/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "only-blue" },
    });
    expect(created.code).toBe(201);
    expect((await as(blue, "GET", "/clusters/blue/api/v1/namespaces/only-blue")).code).toBe(200);
    expect((await as(cluster.token, "GET", "/api/v1/namespaces/only-blue")).code).toBe(404);

    for (const [token, path] of [
      [blue, "/api/v1/namespaces"],
      [cluster.token, "/clusters/blue/api/v1/namespaces"],
      [blue, "/clusters/red/api/v1/namespaces"],
    ] as const)
      expect((await as(token, "GET", path)).body).toMatchObject({ kind: "Status", code: 401, reason: "Unauthorized" });
  });

  test("the default cluster is also reached by its name", async () => {
    expect((await as(cluster.token, "GET", "/clusters/default/api/v1/namespaces/default")).code).toBe(200);
  });
});

describe("without a credential", () => {
  test.each(["/healthz", "/livez", "/readyz", "/version"])("%s is public", async (path) => {
    expect((await as(undefined, "GET", path)).code).toBe(200);
  });

  test.each([
    ["/api", 'forbidden: User "system:anonymous" cannot get path "/api"'],
    [
      "/api/v1/namespaces/default/pods",
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      "/api/v1/nodes",
      'nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group "" at the cluster scope',
    ],
  ])("%s is forbidden", async (path, message) => {
    expect((await as(undefined, "GET", path)).body).toMatchObject({ code: 403, reason: "Forbidden", message });
  });

  test("a user whom nothing allows anything is forbidden", async () => {
    const jane = await tokenOf("jane", ["devs"]);
    expect((await as(jane, "GET", "/api/v1/namespaces/default/secrets")).body.message).toBe(
      'secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"',
    );
    expect((await as(jane, "GET", "/api/v1/pods")).body.message).toBe(
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope',
    );
  });
});

describe("joining", () => {
  test.each([
    ["no token", undefined],
    ["a token that is none", "nonsense"],
    ["a token that is not known", "abcdef.0123456789abcdef"],
    ["the admin's own token", "admin"],
  ])("is refused with %s", async (_, token) => {
    const bearer = token === "admin" ? cluster.token : token;
    expect((await as(bearer, "POST", "/node-join", { nodeName: "n1" })).code).toBe(401);
  });
});

describe("a node's credential", () => {
  const node = (name: string) => ({ apiVersion: "v1", kind: "Node", metadata: { name } });
  const pod = (name: string, nodeName?: string, secret?: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      ...(nodeName && { nodeName }),
      containers: [{ name: "c", image: "busybox" }],
      ...(secret && { volumes: [{ name: "s", secret: { secretName: secret } }] }),
    },
  });
  const secret = (name: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { name } });
  const DEFAULT = "/api/v1/namespaces/default";
  let n1: string;

  beforeAll(async () => {
    n1 = await tokenOf("system:node:n1", ["system:nodes"]);
    for (const name of ["n1", "n2"]) expect((await cluster.call("POST", "/api/v1/nodes", node(name))).code).toBe(201);
    for (const name of ["mine", "others"])
      expect((await cluster.call("POST", `${DEFAULT}/secrets`, secret(name))).code).toBe(201);
    for (const body of [pod("on-n1", "n1", "mine"), pod("on-n2", "n2", "others")])
      expect((await cluster.call("POST", `${DEFAULT}/pods`, body)).code).toBe(201);
  });

  test.each<[string, string, object?]>([
    ["GET", "/api/v1/nodes/n1"],
    ["GET", `${DEFAULT}/pods/on-n1`],
    ["GET", `${DEFAULT}/secrets/mine`],
    ["PATCH", `${DEFAULT}/pods/on-n1/status`, { status: { phase: "Running" } }],
    ["PATCH", "/api/v1/nodes/n1/status", { status: { nodeInfo: {} } }],
  ])("may %s %s", async (method, path, body) => {
    expect((await as(n1, method, path, body, "application/merge-patch+json")).code).toBe(200);
  });

  test.each<[string, string, object?]>([
    ["GET", `${DEFAULT}/secrets/others`],
    ["GET", `${DEFAULT}/secrets`],
    ["GET", "/api/v1/secrets"],
    ["GET", `${DEFAULT}/configmaps/kube-root-ca.crt`],
    ["GET", `${DEFAULT}/pods/on-n2`],
    ["DELETE", `${DEFAULT}/pods/on-n2`],
    ["PATCH", `${DEFAULT}/pods/on-n2/status`, { status: { phase: "Failed" } }],
    ["PATCH", `${DEFAULT}/pods/on-n1`, { metadata: { labels: { a: "b" } } }],
    ["PATCH", "/api/v1/nodes/n2/status", { status: { nodeInfo: {} } }],
    ["PATCH", "/api/v1/nodes/n2", { metadata: { labels: { a: "b" } } }],
    ["DELETE", "/api/v1/nodes/n2"],
    ["DELETE", `${DEFAULT}/pods`],
    ["GET", "/api/v1/namespaces/kube-system/secrets"],
  ])("may not %s %s", async (method, path, body) => {
    expect((await as(n1, method, path, body, "application/merge-patch+json")).body).toMatchObject({ code: 403 });
  });

  test.each<[string, string, object]>([
    ["a pod", `${DEFAULT}/pods`, pod("smuggled", "n1")],
    ["another node", "/api/v1/nodes", node("n3")],
    ["a secret", `${DEFAULT}/secrets`, secret("smuggled")],
  ])("may not create %s", async (_, path, body) => {
    expect((await as(n1, "POST", path, body)).code).toBe(403);
  });

  test("opens no other cluster and no other node's link", async () => {
    expect((await as(n1, "GET", "/clusters/blue/api/v1/nodes/n1")).code).toBe(401);
    expect((await as(cluster.token, "GET", "/node-link")).code).toBe(403);
  });
});
