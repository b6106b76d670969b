import { describe, expect, test } from "vitest";
import { testHome, watchEvents } from "../../test/support/home.ts";

const configMap = (name: string, data: Record<string, string> = {}, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  data,
});

describe("create", () => {
  test("answers the object with what the server adds to it", async () => {
    const { ask } = testHome();
    const { code, body } = await ask("create", "configmaps", { object: configMap("a", { k: "v" }) });
    expect(code).toBe(201);
    expect(body).toEqual({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: {
        name: "a",
        namespace: "default",
        uid: "00000000-0000-4000-8000-000000000001",
        resourceVersion: expect.stringMatching(/^\d+$/),
        creationTimestamp: "2026-11-22T12:00:00Z",
        managedFields: [
          {
            manager: "kube-apiserver",
            operation: "Update",
            apiVersion: "v1",
            time: "2026-11-22T12:00:00Z",
            fieldsType: "FieldsV1",
            fieldsV1: { "f:data": { ".": {}, "f:k": {} } },
          },
        ],
      },
      data: { k: "v" },
    });
    expect((await ask("get", "configmaps/a")).body).toEqual(body);
  });

  test.each([
    ["a name that is taken", configMap("taken"), 409, 'configmaps "taken" already exists'],
    [
      "no name",
      configMap(""),
      422,
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
    [
      "another namespace",
      configMap("b", {}, { namespace: "other" }),
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "a revision",
      configMap("b", {}, { resourceVersion: "5" }),
      500,
      "resourceVersion should not be set on objects to be created",
    ],
    [
      "a name that breaks RFC 1123",
      configMap("Not_This"),
      422,
      `ConfigMap "Not_This" is invalid: metadata.name: Invalid value: "Not_This": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
  ])("refuses %s and stores nothing", async (_, object, code, message) => {
    const { ask, home } = testHome();
    await ask("create", "configmaps", { object: configMap("taken") });
    const { revision } = home.store;
    const answer = await ask("create", "configmaps", { object });
    expect(answer.body).toMatchObject({ kind: "Status", status: "Failure", message, code });
    expect(answer.code).toBe(code);
    expect(home.store.revision).toBe(revision);
  });

  test("draws a name where only its beginning is given", async () => {
    const { ask } = testHome();
    const { body } = await ask("create", "configmaps", { object: configMap("", {}, { generateName: "web-" }) });
    expect(body.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(body.metadata.generateName).toBe("web-");
  });

  test("makes a Job's selector and labels of its uid and its drawn name", async () => {
    const { ask } = testHome();
    const object = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { generateName: "once-" },
      spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "busybox" }] } } },
    };
    const { body } = await ask("create", "batch/v1/jobs", { object });
    const { uid, name } = body.metadata;
    expect(name).toMatch(/^once-.{5}$/);
    expect(body.spec.selector.matchLabels).toEqual({ "batch.kubernetes.io/controller-uid": uid });
    expect(body.spec.template.metadata.labels).toMatchObject({
      "batch.kubernetes.io/controller-uid": uid,
      "batch.kubernetes.io/job-name": name,
    });
  });

  test("with dryRun answers what would be, and stores nothing", async () => {
    const { ask } = testHome();
    const { code, body } = await ask("create", "configmaps", { object: configMap("a"), options: { dryRun: true } });
    expect([code, body.metadata.uid, body.metadata.resourceVersion]).toEqual([201, expect.any(String), undefined]);
    expect((await ask("get", "configmaps/a")).code).toBe(404);
  });

  test("tells of unknown fields, and refuses them where asked to be strict", async () => {
    const { ask } = testHome();
    const object = { ...configMap("a"), extra: 1 };
    expect((await ask("create", "configmaps", { object })).warnings).toEqual(['unknown field "extra"']);
    const strict = await ask("create", "configmaps", {
      object: { ...object, metadata: { name: "b" } },
      options: { fieldValidation: "Strict" },
    });
    expect(strict.body).toMatchObject({
      code: 400,
      reason: "BadRequest",
      message: expect.stringContaining('strict decoding error: unknown field "extra"'),
    });
  });
});

describe("get", () => {
  test("of what is not there names it", async () => {
    const { ask } = testHome();
    expect((await ask("get", "configmaps/a")).body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'configmaps "a" not found',
      reason: "NotFound",
      details: { name: "a", kind: "configmaps" },
      code: 404,
    });
  });

  test("refuses who is not allowed, in upstream's words", async () => {
    const { ask } = testHome();
    const user = { name: "jane", groups: ["system:authenticated"] };
    const { code, body } = await ask("list", "pods", { user });
    expect(code).toBe(403);
    expect(body.message).toBe(
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
    );
    expect((await ask("get", "pods/a", { user })).body.message).toBe(
      'pods "a" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "default"',
    );
  });

  test("of a resource that is not served is the path that is not there", async () => {
    const { ask } = testHome();
    expect((await ask("get", "nonsense/a")).body).toMatchObject({
      code: 404,
      message: "the server could not find the requested resource",
    });
  });
});

describe("list", () => {
  const filled = async (count: number) => {
    const made = testHome();
    for (let i = 0; i < count; i++) {
      await made.ask("create", "configmaps", {
        object: configMap(`c${i}`, {}, { labels: { parity: i % 2 ? "odd" : "even" } }),
      });
    }
    return made;
  };
  const names = (body: any) => body.items.map((item: any) => item.metadata.name);

  test("of nothing is an empty list with a revision to watch from", async () => {
    const { ask } = testHome();
    expect((await ask("list", "configmaps")).body).toEqual({
      kind: "ConfigMapList",
      apiVersion: "v1",
      metadata: { resourceVersion: "1" },
      items: [],
    });
  });

  test("goes on page after page at the revision of the first", async () => {
    const { ask } = await filled(5);
    const first = (await ask("list", "configmaps", { options: { limit: 2 } })).body;
    expect([names(first), first.metadata.remainingItemCount]).toEqual([["c0", "c1"], 3]);
    await ask("delete", "configmaps/c2");
    await ask("update", "configmaps/c3", { object: configMap("c3", { changed: "yes" }) });
    await ask("create", "configmaps", { object: configMap("c9") });
    const second = (await ask("list", "configmaps", { options: { limit: 2, continue: first.metadata.continue } })).body;
    expect(names(second)).toEqual(["c2", "c3"]);
    expect(second.items[1].data).toBeUndefined();
    expect(second.metadata).toMatchObject({ resourceVersion: first.metadata.resourceVersion, remainingItemCount: 1 });
    const third = (await ask("list", "configmaps", { options: { limit: 2, continue: second.metadata.continue } })).body;
    expect([names(third), third.metadata.continue]).toEqual([["c4"], undefined]);
  });

  test("selects by labels and by fields", async () => {
    const { ask } = await filled(5);
    expect(names((await ask("list", "configmaps", { options: { labelSelector: "parity=odd" } })).body)).toEqual([
      "c1",
      "c3",
    ]);
    expect(names((await ask("list", "configmaps", { options: { fieldSelector: "metadata.name=c4" } })).body)).toEqual([
      "c4",
    ]);
    expect(
      names(
        (
          await ask("list", "configmaps", {
            options: { fieldSelector: "metadata.name=c4", labelSelector: "parity=odd" },
          })
        ).body,
      ),
    ).toEqual([]);
    const page = (await ask("list", "configmaps", { options: { labelSelector: "parity=even", limit: 2 } })).body;
    expect([names(page), page.metadata.remainingItemCount, typeof page.metadata.continue]).toEqual([
      ["c0", "c2"],
      undefined,
      "string",
    ]);
    expect((await ask("list", "configmaps", { options: { fieldSelector: "spec.x=1" } })).code).toBe(400);
  });

  test("as it was at an exact revision", async () => {
    const { ask } = await filled(3);
    const { resourceVersion } = (await ask("list", "configmaps")).body.metadata;
    await ask("delete", "configmaps/c1");
    const past = await ask("list", "configmaps", { options: { resourceVersion, resourceVersionMatch: "Exact" } });
    expect(names(past.body)).toEqual(["c0", "c1", "c2"]);
    expect(
      names(
        (await ask("list", "configmaps", { options: { resourceVersion, resourceVersionMatch: "NotOlderThan" } })).body,
      ),
    ).toEqual(["c0", "c2"]);
  });

  test("refuses tokens and revisions that nobody handed out", async () => {
    const { ask } = testHome();
    expect((await ask("list", "configmaps", { options: { continue: "bm9uc2Vuc2U", limit: 1 } })).body).toMatchObject({
      code: 400,
      reason: "BadRequest",
    });
    expect((await ask("list", "configmaps", { options: { resourceVersion: "abc" } })).body).toMatchObject({
      code: 400,
      message:
        'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    });
    expect((await ask("list", "configmaps", { options: { resourceVersion: "9007199254740991" } })).body).toMatchObject({
      code: 504,
      reason: "Timeout",
    });
  });

  test("that is too large for one message is a stream of the same text", async () => {
    const { ask, home } = testHome();
    const filler = "x".repeat(4096);
    for (let i = 0; i < 600; i++) {
      const answered = ask("create", "configmaps", { object: configMap(`c${String(i).padStart(3, "0")}`, { filler }) });
      await answered;
    }
    const answer = await home.handle({
      verb: "list",
      user: { name: "a", groups: ["system:masters"] },
      target: { group: "", version: "v1", resource: "configmaps", namespace: "default", name: "", subresource: "" },
      options: {},
    });
    expect(typeof answer.body).toBe("object");
    const body = JSON.parse(await new Response(answer.body as ReadableStream).text());
    expect(body.items).toHaveLength(600);
    expect(names(body).at(-1)).toBe("c599");
  });
});

describe("watch", () => {
  test("without a revision tells the state, then what is committed", async () => {
    const { ask, watch } = testHome();
    await ask("create", "configmaps", { object: configMap("a") });
    const events = watchEvents(watch("configmaps"));
    expect((await events.take(1)).map(({ type, object }) => [type, object.metadata.name])).toEqual([["ADDED", "a"]]);
    await ask("update", "configmaps/a", { object: configMap("a", { k: "v" }) });
    const deleted = await ask("delete", "configmaps/a");
    expect(deleted.body).toMatchObject({
      kind: "Status",
      status: "Success",
      details: { name: "a", kind: "configmaps" },
    });
    const [modified, gone] = await events.take(2);
    expect([modified.type, modified.object.data]).toEqual(["MODIFIED", { k: "v" }]);
    expect(gone.type).toBe("DELETED");
    expect(Number(gone.object.metadata.resourceVersion)).toBeGreaterThan(
      Number(modified.object.metadata.resourceVersion),
    );
    await events.close();
  });

  test("from a list's revision misses nothing and repeats nothing", async () => {
    const { ask, watch } = testHome();
    await ask("create", "configmaps", { object: configMap("a") });
    const { resourceVersion } = (await ask("list", "configmaps")).body.metadata;
    await ask("create", "configmaps", { object: configMap("b") });
    await ask("create", "secrets", { object: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } } });
    const events = watchEvents(watch("configmaps", { resourceVersion }));
    expect((await events.take(1)).map(({ type, object }) => [type, object.metadata.name])).toEqual([["ADDED", "b"]]);
    await ask("create", "configmaps", { object: configMap("c") });
    expect((await events.take(1)).map(({ type, object }) => [type, object.metadata.name])).toEqual([["ADDED", "c"]]);
    await events.close();
  });

  test("of a selector tells of an object that leaves it as deleted, in its last state that was selected", async () => {
    const { ask, watch } = testHome();
    await ask("create", "configmaps", { object: configMap("a", {}, { labels: { app: "x" } }) });
    const events = watchEvents(watch("configmaps", { labelSelector: "app=x" }));
    await events.take(1);
    const left = await ask("update", "configmaps/a", { object: configMap("a", {}, { labels: { app: "y" } }) });
    const [event] = await events.take(1);
    expect([event.type, event.object.metadata.labels, event.object.metadata.resourceVersion]).toEqual([
      "DELETED",
      { app: "x" },
      left.body.metadata.resourceVersion,
    ]);
    await ask("update", "configmaps/a", { object: configMap("a", { more: "1" }, { labels: { app: "x" } }) });
    expect((await events.take(1))[0].type).toBe("ADDED");
    await events.close();
  });

  test("of a streaming list ends the state with an annotated bookmark, and sends others from time to time", async () => {
    const { ask, watch, settle } = testHome();
    await ask("create", "configmaps", { object: configMap("a") });
    const events = watchEvents(
      watch("configmaps", { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: true }),
    );
    const [added, bookmark] = await events.take(2);
    expect([added.type, bookmark.type]).toEqual(["ADDED", "BOOKMARK"]);
    expect(bookmark.object).toMatchObject({
      kind: "ConfigMap",
      metadata: {
        annotations: { "k8s.io/initial-events-end": "true" },
        resourceVersion: added.object.metadata.resourceVersion,
      },
    });
    await ask("create", "secrets", { object: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } } });
    await settle(50_000);
    const [later] = await events.take(1);
    expect(later.type).toBe("BOOKMARK");
    expect(Number(later.object.metadata.resourceVersion)).toBeGreaterThan(
      Number(bookmark.object.metadata.resourceVersion),
    );
    await events.close();
  });

  test("ends when its time is up", async () => {
    const { watch, settle } = testHome();
    const events = watchEvents(watch("configmaps", { timeoutSeconds: 5 }));
    const rest = events.rest();
    await settle(5_000);
    expect(await rest).toEqual([]);
  });

  test("of a slow reader holds little back, and still misses nothing", async () => {
    const { ask, watch } = testHome();
    const events = watchEvents(watch("configmaps"));
    const filler = "x".repeat(300_000);
    await ask("create", "configmaps", { object: configMap("c00", { filler }) });
    await events.take(1);
    for (let i = 1; i < 30; i++) {
      await ask("create", "configmaps", { object: configMap(`c${String(i).padStart(2, "0")}`, { filler }) });
    }
    const told = await events.take(29);
    expect(told.map(({ object }) => object.metadata.name)).toEqual(
      Array.from({ length: 29 }, (_, i) => `c${String(i + 1).padStart(2, "0")}`),
    );
    await events.close();
  });

  test("from a revision that is compacted is told so by an event, and ends", async () => {
    const { watch, home, platform } = testHome();
    await home.lease.whenOpen();
    const change = () =>
      home.store.write((tx) =>
        tx.put("configmaps", "a", (revision) => `{"metadata":{"name":"a","resourceVersion":"${revision}"}}`),
      );
    for (let i = 0; i < 1_100; i++) change();
    platform.time += 2 * 3_600_000;
    change();
    const events = watchEvents(watch("configmaps", { resourceVersion: "2" }));
    const [error, ...others] = await events.rest();
    expect(error).toMatchObject({
      type: "ERROR",
      object: {
        kind: "Status",
        code: 410,
        reason: "Expired",
        message: `too old resource version: 2 (${home.store.compacted})`,
      },
    });
    expect(others).toEqual([]);
  });
});
