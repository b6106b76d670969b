import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { base64url, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HttpClient } from "../../bench/support/http-client.ts";
import { TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/cox.ts";
import { ask, type HttpAnswer } from "../support/http.ts";

const POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
  - level: None
    nonResourceURLs: ["/readyz*", "/healthz*"]
  - level: Metadata
    resources: [{ group: "", resources: [secrets] }]
  - level: RequestResponse
    resources: [{ group: "", resources: [configmaps] }]
  - level: Metadata
    userGroups: [system:masters, system:unauthenticated]
`;
const DEFAULT = "/api/v1/namespaces/default";
const OBJECTS = 1200;
/** Connections that each have one list under way. */
const FLOOD = 64;
const READS = 20;

let cluster: TestCluster;
let folder: string;
let logFile: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cox-audit-"));
  logFile = join(folder, "audit.log");
  const policy = join(folder, "policy.yaml");
  writeFileSync(policy, POLICY);
  cluster = await TestCluster.start({ audit: { policy, log: logFile } });
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const tokenOf = (name: string, groups: string[]) =>
  new SignJWT({ cluster: "default", groups })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer("coxswain")
    .setSubject(name)
    .setExpirationTime("1h")
    .sign(base64url.decode(readFileSync(cluster.home.signingKey, "utf8").trim()));

const as = async (token: string, path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> =>
  await ask(cluster, "GET", path, { headers: { authorization: `Bearer ${token}`, ...headers } });

const configMap = (name: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data: { text: "kept" },
});

describe("priority and fairness", () => {
  let loud: string;
  let quiet: string;

  beforeAll(async () => {
    [loud, quiet] = (await Promise.all(
      ["loud", "quiet"].map((name) => tokenOf(`system:node:${name}`, ["system:nodes"])),
    )) as [string, string];
    const objects = Array.from({ length: OBJECTS }, (_, i) => i);
    for (let i = 0; i < OBJECTS; i += 50)
      await Promise.all(
        objects.slice(i, i + 50).map(async (index) => {
          const metadata = { name: `e-${index}` };
          const { code } = await cluster.call("POST", `${DEFAULT}/endpoints`, {
            apiVersion: "v1",
            kind: "Endpoints",
            metadata,
          });
          expect(code).toBe(201);
        }),
      );
  });

  test("a flood of lists by one user is not what another's reads wait for", async () => {
    const open = async (token: string) => await HttpClient.open(cluster.url, token, cluster.caCertificate);
    const flood = await Promise.all(Array.from({ length: FLOOD }, () => open(loud)));
    const reader = await open(quiet);
    let lists = 0;
    let isOver = false;
    const codes = new Set<number>();
    const flooding = flood.map(async (connection) => {
      while (!isOver) {
        // Much to look at, and nothing to send.
        codes.add((await connection.request("GET", `${DEFAULT}/endpoints?labelSelector=not=there`)).status);
        lists++;
      }
    });
    await eventually("the flood has begun", () => {
      if (lists < 2 * FLOOD) throw new Error(`${lists} lists`);
    });
    const overtaken: number[] = [];
    for (let i = 0; i < READS; i++) {
      const before = lists;
      expect((await reader.request("GET", `${DEFAULT}/endpoints/e-0`)).status).toBe(200);
      overtaken.push(lists - before);
    }
    isOver = true;
    await Promise.all(flooding);
    for (const connection of [...flood, reader]) connection.close();
    overtaken.sort((a, b) => a - b);
    // Without limits it is all that are under way.
    expect(overtaken[READS / 2]).toBeLessThan(FLOOD / 2);
    // What is too much is told to come again, and nothing worse.
    for (const code of codes) expect([200, 429]).toContain(code);
  });

  test("answers name what they were judged by", async () => {
    const uidOf = async (path: string): Promise<string> =>
      (await cluster.call("GET", `/apis/flowcontrol.apiserver.k8s.io/v1/${path}`)).body.metadata.uid;
    const { headers } = await as(quiet, "/api/v1/nodes/quiet");
    expect(headers["x-kubernetes-pf-flowschema-uid"]).toBe(await uidOf("flowschemas/system-node-high"));
    expect(headers["x-kubernetes-pf-prioritylevel-uid"]).toBe(await uidOf("prioritylevelconfigurations/node-high"));
  });
});

describe("the audit log", () => {
  const events = (): any[] =>
    readFileSync(logFile, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));

  /** Waits for the events of one request. */
  async function eventsOf(auditID: string, count = 1): Promise<any[]> {
    let found: any[] = [];
    await eventually(`events of ${auditID}`, () => {
      found = events().filter((event) => event.auditID === auditID);
      if (found.length < count) throw new Error(`${found.length} events`);
    });
    return found;
  }

  const send = async (method: string, path: string, body?: object, id: string = crypto.randomUUID()) => {
    const answer = await ask(cluster, method, path, {
      headers: {
        authorization: `Bearer ${cluster.token}`,
        "audit-id": id,
        "user-agent": "kubectl/v1.36.0",
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    expect(answer.headers["audit-id"]).toBe(id);
    return await eventsOf(id);
  };

  test("has both bodies where the policy says so, without managed fields", async () => {
    const [event] = await send("POST", `${DEFAULT}/configmaps`, configMap("audited"));
    expect(event).toMatchObject({
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: "RequestResponse",
      stage: "ResponseComplete",
      verb: "create",
      requestURI: `${DEFAULT}/configmaps`,
      userAgent: "kubectl/v1.36.0",
      user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
      objectRef: { resource: "configmaps", namespace: "default", name: "audited", apiVersion: "v1" },
      responseStatus: { metadata: {}, code: 201 },
      requestObject: { data: { text: "kept" } },
      responseObject: { metadata: { name: "audited" }, data: { text: "kept" } },
      annotations: { "authorization.k8s.io/decision": "allow" },
    });
    expect(event.responseObject.metadata.managedFields).toBeUndefined();
    expect(event.requestReceivedTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  test("has no body of a Secret where the policy wants none", async () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "hidden" },
      stringData: { key: "top-secret" },
    };
    const [event] = await send("POST", `${DEFAULT}/secrets`, secret);
    expect(event).toMatchObject({ level: "Metadata", objectRef: { resource: "secrets", name: "hidden" } });
    expect(event.requestObject ?? event.responseObject).toBeUndefined();
    expect(readFileSync(logFile, "utf8")).not.toContain("top-secret");
  });

  test("tells of refusals, also of who is nobody", async () => {
    const [missing] = await send("GET", `${DEFAULT}/configmaps/missing`);
    expect(missing).toMatchObject({
      verb: "get",
      responseStatus: { code: 404, reason: "NotFound", status: "Failure" },
    });
    const id = crypto.randomUUID();
    await ask(cluster, "GET", `${DEFAULT}/pods`, { headers: { "audit-id": id } });
    const [anonymous] = await eventsOf(id);
    expect(anonymous).toMatchObject({
      verb: "list",
      user: { username: "system:anonymous" },
      responseStatus: { code: 403, reason: "Forbidden" },
      annotations: { "authorization.k8s.io/decision": "forbid" },
    });
  });

  test("tells of a watch when it begins and when it ends", async () => {
    const id = crypto.randomUUID();
    await ask(cluster, "GET", `${DEFAULT}/configmaps?watch=true&timeoutSeconds=1`, {
      headers: { authorization: `Bearer ${cluster.token}`, "audit-id": id },
    });
    const found = await eventsOf(id, 2);
    expect(found.map(({ stage, verb, responseStatus }) => [stage, verb, responseStatus.code])).toEqual([
      ["ResponseStarted", "watch", 200],
      ["ResponseComplete", "watch", 200],
    ]);
  });

  test("says nothing of what the policy leaves out", async () => {
    const id = crypto.randomUUID();
    await ask(cluster, "GET", "/readyz", { headers: { "audit-id": id } });
    await send("GET", `${DEFAULT}/configmaps`);
    expect(events().some(({ auditID }) => auditID === id)).toBe(false);
  });
});
