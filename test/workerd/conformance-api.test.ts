import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CERTIFICATE_REQUEST } from "../support/certificate-request.ts";
import { TestCluster } from "../support/control-plane.ts";
import { ask, type HttpAnswer } from "../support/http.ts";
import { ADMISSION, CONDITION, LIVES, POD_SPEC, TIMED } from "../support/resource-lives.ts";

/**
 * What the conformance tests of Kubernetes v1.36 demand of each resource's life, on the real platform. Each test is called as
 * the conformance test is; docs/conformance.md says which entry is shown where.
 */

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
  for (const namespace of ["life", "other"]) {
    await call("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  }
});

afterAll(async () => {
  await cluster?.stop();
});

type Fields = Record<string, any>;

const send = (method: string, path: string, body?: unknown, type = "application/json"): Promise<HttpAnswer> =>
  ask(cluster, method, path, {
    headers: {
      authorization: `Bearer ${cluster.token}`,
      accept: "application/json",
      ...(body !== undefined && { "content-type": type }),
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

/** As `send`, for what has to succeed. */
async function call(method: string, path: string, body?: unknown, type?: string): Promise<any> {
  const answer = await send(method, path, body, type);
  expect(answer.code, `${method} ${path}: ${answer.text.slice(0, 500)}`).toBeLessThan(300);
  return answer.body;
}

const merge = (path: string, patch: unknown) => call("PATCH", path, patch, "application/merge-patch+json");

const LABEL = "e2e-life";

describe("the life of a resource", () => {
  test.concurrent.each(LIVES)("$entry", async (life) => {
    const { root, resource, object, namespaced } = life;
    const names = life.names ?? (["a", "b", "c"].map((name) => `life-${name}`) as [string, string, string]);
    const collection = `${root}${namespaced ? "/namespaces/life" : ""}/${resource}`;
    const label = `life-${LIVES.indexOf(life)}`;
    const selected = `labelSelector=${LABEL}%3D${label}`;

    const discovered = await call("GET", root);
    const found = discovered.resources.find(({ name }: Fields) => name === resource);
    expect(found?.verbs).toEqual(
      expect.arrayContaining(["create", "get", "list", "watch", "update", "patch", "delete"]),
    );
    expect(discovered.resources.some(({ name }: Fields) => name === `${resource}/status`)).toBe(
      life.status !== undefined,
    );

    const before = (await call("GET", `${collection}?${selected}`)).metadata.resourceVersion;
    for (const name of names) {
      const created = await call("POST", collection, { ...object, metadata: { name, labels: { [LABEL]: label } } });
      expect(created).toMatchObject({ metadata: { name, uid: expect.any(String) }, ...life.created });
    }
    const [first, second, third] = names.map((name) => `${collection}/${encodeURIComponent(name)}`) as [
      string,
      string,
      string,
    ];
    expect((await send("POST", collection, { ...object, metadata: { name: names[0] } })).code).toBe(409);

    const read = await call("GET", first);
    expect(read.metadata.name).toBe(names[0]);
    expect((await call("GET", `${collection}?${selected}`)).items).toHaveLength(3);
    expect((await call("GET", `${root}/${resource}?${selected}`)).items).toHaveLength(3);

    const patched = await merge(first, { metadata: { annotations: { patched: "true" } } });
    expect(patched.metadata.annotations).toMatchObject({ patched: "true" });
    const current = await call("GET", second);
    const { annotations } = current.metadata;
    const updated = await call("PUT", second, {
      ...current,
      metadata: { ...current.metadata, annotations: { ...annotations, updated: "true" } },
    });
    expect(updated.metadata.annotations).toMatchObject({ updated: "true" });
    expect(updated.metadata.uid).toBe(current.metadata.uid);

    if (life.status) {
      const status = await merge(`${third}/status`, {
        metadata: { annotations: { "status-patched": "true" } },
        status: life.status,
      });
      expect(status.metadata.annotations).toMatchObject({ "status-patched": "true" });
      expect(status.status ?? {}).toMatchObject(told(life.status));
      expect((await call("GET", `${third}/status`)).status ?? {}).toMatchObject(told(life.status));
      const put = await putStatus(third, ({ metadata }) => {
        metadata.annotations["status-updated"] = "true";
      });
      expect(put.metadata.annotations).toMatchObject({ "status-updated": "true" });
    }

    await call("DELETE", first);
    expect((await send("GET", first)).code).toBe(404);
    expect((await call("GET", `${collection}?${selected}`)).items).toHaveLength(2);
    await call("DELETE", `${collection}?${selected}`);
    expect((await call("GET", `${collection}?${selected}`)).items).toEqual([]);

    const events = await watched(`${collection}?watch=true&resourceVersion=${before}&timeoutSeconds=1&${selected}`);
    const ofFirst = events.filter(({ object: seen }) => seen.metadata.name === names[0]).map(({ type }) => type);
    // Controllers may have something to say of it, too.
    expect([ofFirst.at(0), ofFirst.at(1), ofFirst.at(-1)]).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    expect(events.filter(({ type }) => type === "DELETED")).toHaveLength(3);
  });
});

/** Empty lists are not stored. */
/** A status with what was said of it; of some kinds a controller tells more conditions. */
const told = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => !Array.isArray(value) || value.length > 0)
      .map(([name, value]) => [
        name,
        name === "conditions"
          ? expect.arrayContaining(value.map((each: Fields) => expect.objectContaining(each)))
          : value,
      ]),
  );

const CONFLICTS_MAX = 5;

/** A read and a write of it, again where a controller comes between. */
async function putStatus(path: string, change: (object: Fields) => void): Promise<Fields> {
  for (let i = 0; ; i++) {
    const object = await call("GET", path);
    change(object);
    const { code, body } = await send("PUT", `${path}/status`, object);
    if (code === 409 && i < CONFLICTS_MAX) continue;
    expect({ code, body }).toMatchObject({ code: 200 });
    return body;
  }
}

/** All events of a watch that ends by itself, but bookmarks. */
async function watched(path: string): Promise<{ type: string; object: Fields }[]> {
  const { text } = await send("GET", path);
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line)).filter(({ type }) => type !== "BOOKMARK");
}

describe("discovery", () => {
  test("Confirm a server version", async () => {
    expect(await call("GET", "/version")).toMatchObject({ major: "1", minor: "36" });
  });

  test("Discovery, confirm the PreferredVersion for each api group", async () => {
    const { groups } = await call("GET", "/apis");
    expect(groups.length).toBeGreaterThan(15);
    for (const { name, preferredVersion, versions } of groups) {
      const group = await call("GET", `/apis/${name}`);
      expect(group.preferredVersion).toEqual(preferredVersion);
      expect(versions).toContainEqual(preferredVersion);
    }
  });

  test("Discovery, confirm the groupVerion and a resourcefrom each apiGroup", async () => {
    const { groups } = await call("GET", "/apis");
    for (const { preferredVersion } of groups) {
      const { groupVersion } = preferredVersion;
      const list = await call("GET", `/apis/${groupVersion}`);
      expect(list).toMatchObject({ kind: "APIResourceList", groupVersion });
      expect(list.resources[0]).toMatchObject({ name: expect.any(String), kind: expect.any(String) });
    }
  });

  test("Aggregated Discovery Interface", async () => {
    const headers = {
      authorization: `Bearer ${cluster.token}`,
      accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    };
    const [core, groups] = [
      await ask(cluster, "GET", "/api", { headers }),
      await ask(cluster, "GET", "/apis", { headers }),
    ];
    const resources = [...core.body.items, ...groups.body.items].flatMap(({ versions }: Fields) =>
      versions.flatMap((version: Fields) => version.resources.map((each: Fields) => each.resource)),
    );
    expect(resources).toEqual(
      expect.arrayContaining(["pods", "deployments", "customresourcedefinitions", "apiservices"]),
    );
  });

  test("Aggregated Discovery Endpoint Accept Headers", async () => {
    for (const path of ["/api", "/apis"]) {
      const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
      const headers = { authorization: `Bearer ${cluster.token}`, accept: `${aggregated},application/json` };
      const answer = await ask(cluster, "GET", path, { headers });
      expect(answer.headers["content-type"]).toBe(aggregated);
      expect(answer.body).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2" });
      const plain = await ask(cluster, "GET", path, { headers: { ...headers, accept: "application/json" } });
      expect(plain.body.kind).toBe(path === "/api" ? "APIVersions" : "APIGroupList");
    }
  });

  test("Admission webhook, discovery document", async () => {
    const { groups } = await call("GET", "/apis");
    const group = groups.find(({ name }: Fields) => name === "admissionregistration.k8s.io");
    expect(group.versions).toContainEqual({ groupVersion: "admissionregistration.k8s.io/v1", version: "v1" });
    const names = (await call("GET", ADMISSION)).resources.map(({ name }: Fields) => name);
    expect(names).toEqual(expect.arrayContaining(["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]));
  });

  test("Custom Resource Definition, discovery", async () => {
    const { groups } = await call("GET", "/apis");
    expect(groups.map(({ name }: Fields) => name)).toContain("apiextensions.k8s.io");
    const names = (await call("GET", "/apis/apiextensions.k8s.io/v1")).resources.map(({ name }: Fields) => name);
    expect(names).toEqual(["customresourcedefinitions", "customresourcedefinitions/status"]);
  });
});

describe("what every cluster has", () => {
  test("Kubernetes Service", async () => {
    expect(await call("GET", "/api/v1/namespaces/default/services/kubernetes")).toMatchObject({
      spec: { ports: [{ name: "https", port: 443 }] },
    });
  });

  test("Find Kubernetes Service in default Namespace", async () => {
    const { items } = await call("GET", "/api/v1/services");
    expect(items).toContainEqual(
      expect.objectContaining({ metadata: expect.objectContaining({ name: "kubernetes", namespace: "default" }) }),
    );
  });
});

describe("namespaces", () => {
  const NAMESPACES = "/api/v1/namespaces";

  test("Namespace patching", async () => {
    await call("POST", NAMESPACES, { metadata: { name: "patched" } });
    await merge(`${NAMESPACES}/patched`, { metadata: { labels: { testLabel: "testValue" } } });
    expect((await call("GET", `${NAMESPACES}/patched`)).metadata.labels).toMatchObject({ testLabel: "testValue" });
  });

  test("Namespace, apply update to a namespace", async () => {
    const namespace = await call("POST", NAMESPACES, { metadata: { name: "updated" } });
    namespace.metadata.labels.updated = "true";
    expect((await call("PUT", `${NAMESPACES}/updated`, namespace)).metadata.labels).toMatchObject({ updated: "true" });
  });

  test("Namespace, apply changes to a namespace status", async () => {
    await call("POST", NAMESPACES, { metadata: { name: "status" } });
    const patched = await merge(`${NAMESPACES}/status/status`, {
      metadata: { annotations: { a: "b" } },
      status: { conditions: [TIMED] },
    });
    expect(patched.status.conditions).toMatchObject([CONDITION]);
    patched.status.conditions.push({ ...TIMED, type: "Updated" });
    const updated = await call("PUT", `${NAMESPACES}/status/status`, patched);
    expect(updated.status.conditions.map(({ type }: Fields) => type)).toEqual(["Tested", "Updated"]);
  });

  test("Namespace, apply finalizer to a namespace", async () => {
    const namespace = await call("POST", NAMESPACES, { metadata: { name: "finalized" } });
    namespace.spec.finalizers.push("e2e.example.com/fake");
    const finalized = await call("PUT", `${NAMESPACES}/finalized/finalize`, namespace);
    expect(finalized.spec.finalizers).toEqual(["kubernetes", "e2e.example.com/fake"]);
    finalized.spec.finalizers.pop();
    const freed = await call("PUT", `${NAMESPACES}/finalized/finalize`, finalized);
    expect(freed.spec.finalizers).toEqual(["kubernetes"]);
  });
});

describe("lists in chunks", () => {
  test("API Chunking, server should return chunks of results for list calls", async () => {
    const templates = "/api/v1/namespaces/other/podtemplates";
    for (let i = 0; i < 40; i++) {
      await call("POST", templates, {
        metadata: { name: `t-${String(i).padStart(2, "0")}` },
        template: { spec: POD_SPEC },
      });
    }
    let seen = 0;
    let version: string | undefined;
    let next = "";
    do {
      const page = await call("GET", `${templates}?limit=17${next && `&continue=${encodeURIComponent(next)}`}`);
      version ??= page.metadata.resourceVersion;
      expect(page.metadata.resourceVersion).toBe(version);
      expect(page.items.length).toBeLessThanOrEqual(17);
      seen += page.items.length;
      next = page.metadata.continue ?? "";
      expect(page.metadata.remainingItemCount ?? 0).toBe(40 - seen);
    } while (next);
    expect(seen).toBe(40);
    expect((await call("GET", templates)).items).toHaveLength(40);
  });
});

describe("watches", () => {
  const MAPS = "/api/v1/namespaces/other/configmaps";
  const create = (name: string, label: string) =>
    call("POST", MAPS, { metadata: { name, labels: { watched: label } } });
  const watchOf = (label: string, from: string) =>
    watched(`${MAPS}?watch=true&timeoutSeconds=1&resourceVersion=${from}&labelSelector=watched%3D${label}`);
  const typesOf = (events: { type: string }[]) => events.map(({ type }) => type);

  test("watch-configmaps-with-multiple-watchers", async () => {
    const from = (await call("GET", MAPS)).metadata.resourceVersion;
    await create("multiple-a", "multiple-a");
    await create("multiple-b", "multiple-b");
    await merge(`${MAPS}/multiple-a`, { data: { mutation: "1" } });
    await call("DELETE", `${MAPS}/multiple-a`);
    await call("DELETE", `${MAPS}/multiple-b`);
    const [a, alsoA, b] = await Promise.all([
      watchOf("multiple-a", from),
      watchOf("multiple-a", from),
      watchOf("multiple-b", from),
    ]);
    expect(typesOf(a)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    expect(alsoA).toEqual(a);
    expect(typesOf(b)).toEqual(["ADDED", "DELETED"]);
  });

  test("watch-configmaps-from-resource-version", async () => {
    await create("version", "version");
    const first = await merge(`${MAPS}/version`, { data: { mutation: "1" } });
    const second = await merge(`${MAPS}/version`, { data: { mutation: "2" } });
    await call("DELETE", `${MAPS}/version`);
    const events = await watchOf("version", first.metadata.resourceVersion);
    expect(typesOf(events)).toEqual(["MODIFIED", "DELETED"]);
    expect(events[0]?.object.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
  });

  test("watch-configmaps-closed-and-restarted", async () => {
    const from = (await call("GET", MAPS)).metadata.resourceVersion;
    await create("restarted", "restarted");
    await merge(`${MAPS}/restarted`, { data: { mutation: "1" } });
    const before = await watchOf("restarted", from);
    expect(typesOf(before)).toEqual(["ADDED", "MODIFIED"]);
    await merge(`${MAPS}/restarted`, { data: { mutation: "2" } });
    await call("DELETE", `${MAPS}/restarted`);
    const after = await watchOf("restarted", before[1]!.object.metadata.resourceVersion);
    expect(typesOf(after)).toEqual(["MODIFIED", "DELETED"]);
  });

  test("watch-configmaps-label-changed", async () => {
    const from = (await call("GET", MAPS)).metadata.resourceVersion;
    await create("labelled", "labelled");
    const label = (watched: string, mutation: string) =>
      merge(`${MAPS}/labelled`, { metadata: { labels: { watched } }, data: { mutation } });
    await label("labelled", "1");
    await label("wrong", "1");
    await label("wrong", "2");
    await label("labelled", "3");
    await call("DELETE", `${MAPS}/labelled`);
    expect(typesOf(await watchOf("labelled", from))).toEqual(["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]);
  });

  test("watch-consistency", async () => {
    const from = (await call("GET", MAPS)).metadata.resourceVersion;
    for (let i = 0; i < 10; i++) {
      await create(`consistent-${i}`, "consistent");
      if (i % 2) await call("DELETE", `${MAPS}/consistent-${i - 1}`);
    }
    const versionsOf = (events: { object: Fields }[]) => events.map(({ object }) => object.metadata.resourceVersion);
    const all = versionsOf(await watchOf("consistent", from));
    expect(all).toHaveLength(15);
    const later = await Promise.all(all.slice(0, 5).map((version) => watchOf("consistent", version)));
    later.forEach((events, i) => {
      expect(versionsOf(events)).toEqual(all.slice(i + 1));
    });
  });
});

describe("what is created, changed and refused", () => {
  const at = (resource: string) => `/api/v1/namespaces/life/${resource}`;

  test.each([
    ["ConfigMap, with empty-key", "configmaps", { data: { "": "value" } }],
    ["Secrets, with empty-key", "secrets", { data: { "": "dmFsdWU=" } }],
  ])("%s", async (_, resource, body) => {
    const answer = await send("POST", at(resource), { metadata: { name: "empty-key" }, ...body });
    expect(answer.body).toMatchObject({ code: 422, reason: "Invalid" });
    expect(answer.body.message).toContain('data[]: Invalid value: ""');
  });

  test("ConfigMap Update", async () => {
    await call("POST", at("configmaps"), { metadata: { name: "update" }, data: { valueName: "value" } });
    await call("PUT", `${at("configmaps")}/update`, { metadata: { name: "update" }, data: { other: "value" } });
    expect((await call("GET", `${at("configmaps")}/update`)).data).toEqual({ other: "value" });
  });

  test("ServiceAccount, update a ServiceAccount", async () => {
    const account = await call("POST", at("serviceaccounts"), { metadata: { name: "update" } });
    account.automountServiceAccountToken = false;
    const updated = await call("PUT", `${at("serviceaccounts")}/update`, account);
    expect(updated.automountServiceAccountToken).toBe(false);
  });

  test("ResourceQuota, update and delete", async () => {
    const quota = await call("POST", at("resourcequotas"), {
      metadata: { name: "update" },
      spec: { hard: { cpu: "1" } },
    });
    quota.spec.hard = { cpu: "2", memory: "1Gi" };
    expect((await call("PUT", `${at("resourcequotas")}/update`, quota)).spec.hard).toEqual({ cpu: "2", memory: "1Gi" });
    await call("DELETE", `${at("resourcequotas")}/update`);
    expect((await send("GET", `${at("resourcequotas")}/update`)).code).toBe(404);
  });

  test("PodTemplate, replace", async () => {
    const template = await call("POST", at("podtemplates"), {
      metadata: { name: "replace" },
      template: { spec: POD_SPEC },
    });
    template.metadata.annotations = { updated: "true" };
    const replaced = await call("PUT", `${at("podtemplates")}/replace`, template);
    expect(replaced.metadata.annotations).toEqual({ updated: "true" });
  });

  test.each([
    ["PodTemplate, delete a collection", "podtemplates", { template: { spec: POD_SPEC } }],
    ["Event, delete a collection", "events", { involvedObject: { namespace: "life" }, reason: "Because" }],
    ["Service, deletes a collection of services", "services", { spec: { ports: [{ port: 80 }] } }],
  ])("%s", async (_, resource, body) => {
    for (const name of ["one", "two", "three"]) {
      await call("POST", at(resource), { metadata: { name, labels: { collected: "true" } }, ...body });
    }
    await call("POST", at(resource), { metadata: { name: "four", labels: { collected: "false" } }, ...body });
    await call("DELETE", `${at(resource)}?labelSelector=collected%3Dtrue`);
    expect((await call("GET", `${at(resource)}?labelSelector=collected`)).items).toMatchObject([
      { metadata: { name: "four" } },
    ]);
  });

  test("New Event resource lifecycle, testing a list of events", async () => {
    const events = "/apis/events.k8s.io/v1/namespaces/life/events";
    const { object } = LIVES.find(({ root, resource }) => root === "/apis/events.k8s.io/v1" && resource === "events")!;
    for (const name of ["n-1", "n-2"])
      await call("POST", events, { ...object, metadata: { name, labels: { listed: "true" } } });
    expect((await call("GET", `${events}?labelSelector=listed%3Dtrue`)).items).toHaveLength(2);
    await call("DELETE", `${events}?labelSelector=listed%3Dtrue`);
    expect((await call("GET", `${events}?labelSelector=listed%3Dtrue`)).items).toEqual([]);
  });

  test("Pods, QOS", async () => {
    const resources = { requests: { cpu: "100m", memory: "100Mi" }, limits: { cpu: "100m", memory: "100Mi" } };
    const pod = await call("POST", at("pods"), {
      metadata: { name: "guaranteed" },
      spec: { containers: [{ ...POD_SPEC.containers[0], resources }] },
    });
    expect(pod.status.qosClass).toBe("Guaranteed");
  });

  test("Sysctls, reject invalid sysctls", async () => {
    const sysctls = ["kernel.shmmax", "foo-", "kernel.shmmax.", "safe_sysctl"].map((name) => ({ name, value: "1" }));
    const answer = await send("POST", at("pods"), {
      metadata: { name: "sysctls" },
      spec: { ...POD_SPEC, securityContext: { sysctls } },
    });
    expect(answer.code).toBe(422);
    const fields = answer.body.details.causes.map(({ field }: Fields) => field);
    expect(fields).toEqual(["spec.securityContext.sysctls[1].name", "spec.securityContext.sysctls[2].name"]);
  });

  test("CSIInlineVolumes should support Pods with inline volumes", async () => {
    const volumes = [{ name: "inline", csi: { driver: "e2e.example.com" } }];
    await call("POST", at("pods"), { metadata: { name: "inline" }, spec: { ...POD_SPEC, volumes } });
    const pod = await merge(`${at("pods")}/inline`, { metadata: { labels: { patched: "true" } } });
    expect(pod.spec.volumes).toMatchObject(volumes);
    await call("DELETE", `${at("pods")}/inline?gracePeriodSeconds=0`);
  });

  test("Pod with the non-existing RuntimeClass is rejected.", async () => {
    const answer = await send("POST", at("pods"), {
      metadata: { name: "no-class" },
      spec: { ...POD_SPEC, runtimeClassName: "never-was" },
    });
    expect(answer.body).toMatchObject({ code: 403, reason: "Forbidden" });
    expect(answer.body.message).toContain('RuntimeClass "never-was" not found');
  });

  test("Pod with the deleted RuntimeClass is rejected.", async () => {
    const classes = "/apis/node.k8s.io/v1/runtimeclasses";
    await call("POST", classes, { metadata: { name: "deleted" }, handler: "runc" });
    const spec = { ...POD_SPEC, runtimeClassName: "deleted" };
    await call("POST", at("pods"), { metadata: { name: "with-class" }, spec });
    await call("DELETE", `${classes}/deleted`);
    const refused = async () => (await send("POST", at("pods"), { metadata: { name: "without-class" }, spec })).code;
    // Other homes hear of it a moment later, as other API servers do.
    await expect.poll(refused, { timeout: 30_000 }).toBe(403);
  });

  test("Server side field validation, typed object", async () => {
    const deployments = "/apis/apps/v1/namespaces/life/deployments?fieldValidation=Strict";
    const text = `{"metadata": {"name": "strict"}, "spec": {"unknownField": 1, "replicas": 1, "replicas": 2,
      "selector": {"matchLabels": {"app": "a"}},
      "template": {"metadata": {"labels": {"app": "a"}}, "spec": ${JSON.stringify(POD_SPEC)}}}}`;
    const answer = await send("POST", deployments, text);
    expect(answer.code).toBe(400);
    expect(answer.body.message).toContain('unknown field "spec.unknownField"');
    expect(answer.body.message).toContain('duplicate field "spec.replicas"');
  });

  test("Server side field validation, typed unknown metadata", async () => {
    const answer = await send("POST", `${at("configmaps")}?fieldValidation=Strict`, {
      metadata: { name: "strict", unknownMeta: "a" },
    });
    expect(answer.code).toBe(400);
    expect(answer.body.message).toContain('unknown field "metadata.unknownMeta"');
  });

  test("CertificateSigningRequest API", async () => {
    const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    await call("POST", requests, {
      metadata: { name: "csr", labels: { signed: "true" } },
      spec: { request: CERTIFICATE_REQUEST, signerName: "example.com/signer", usages: ["client auth"] },
    });
    const approved = await merge(`${requests}/csr/approval`, {
      status: { conditions: [{ type: "Approved", status: "True", reason: "E2E" }] },
    });
    expect(approved.status.conditions).toMatchObject([{ type: "Approved", status: "True", reason: "E2E" }]);
    const issued = await merge(`${requests}/csr/status`, { status: { certificate: "YQ==" } });
    expect(issued.status.certificate).toBe("YQ==");
    await call("DELETE", `${requests}?labelSelector=signed%3Dtrue`);
    expect((await send("GET", `${requests}/csr`)).code).toBe(404);
  });
});
