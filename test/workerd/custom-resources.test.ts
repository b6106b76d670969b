import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { timeOfRevision } from "../../durable-objects/revision.ts";
import { TestCluster } from "../support/control-plane.ts";
import { eventually as eventuallyWithin } from "../support/cox.ts";
import { ask } from "../support/http.ts";
import { ClusterClient } from "../support/snapshots.ts";

const SECONDS = 25;
const eventually = (what: string, look: () => Promise<void> | void) => eventuallyWithin(what, look, SECONDS);

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GROUP = "stable.example.com";

let controlPlane: TestCluster;
let cluster: ClusterClient;

const urlOf = ({ name }: ClusterClient) => `${controlPlane.url}/clusters/${name}`;

/** A request with headers of its own. */
async function askAs(method: string, path: string, headers: Record<string, string>, body?: object) {
  const server = { url: urlOf(cluster), caCertificate: controlPlane.caCertificate };
  const authorization = `Bearer ${cluster.token}`;
  return await ask(server, method, path, {
    headers: { authorization, ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
}

async function patch(path: string, operations: object[]): Promise<void> {
  const { code, text } = await askAs("PATCH", path, { "content-type": "application/json-patch+json" }, operations);
  expect(code, text).toBe(200);
}

beforeAll(async () => {
  controlPlane = await TestCluster.start();
  cluster = await ClusterClient.of(controlPlane, "custom");
});

afterAll(async () => {
  await controlPlane?.stop();
});

const schema = {
  openAPIV3Schema: {
    type: "object",
    properties: {
      spec: {
        type: "object",
        properties: { image: { type: "string" }, replicas: { type: "integer", minimum: 0, default: 1 } },
      },
      status: { type: "object", properties: { replicas: { type: "integer" } } },
    },
  },
};

const definition = (plural: string, kind: string, scope = "Namespaced") => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${GROUP}` },
  spec: {
    group: GROUP,
    scope,
    names: { plural, kind },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema,
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
        },
        additionalPrinterColumns: [{ name: "Image", type: "string", jsonPath: ".spec.image" }],
      },
    ],
  },
});

const object = (kind: string, name: string, image = "busybox", metadata: object = {}) => ({
  apiVersion: `${GROUP}/v1`,
  kind,
  metadata: { name, ...metadata },
  spec: { image },
});

const pathOf = (plural: string, namespace?: string) =>
  `/apis/${GROUP}/v1/${namespace ? `namespaces/${namespace}/` : ""}${plural}`;

async function addNamespace(name: string): Promise<void> {
  await cluster.must(201, "POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

/** The lines of a watch as they come. */
function watch(path: string): { lines: any[]; stop(): void } {
  const lines: any[] = [];
  let text = "";
  const asked = request(
    `${urlOf(cluster)}${path}`,
    { ca: controlPlane.caCertificate, headers: { authorization: `Bearer ${cluster.token}` } },
    (answer) => {
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => {
        text += chunk;
        const parts = text.split("\n");
        text = parts.pop() ?? "";
        for (const part of parts) lines.push(JSON.parse(part));
      });
      answer.on("error", () => undefined);
    },
  );
  asked.on("error", () => undefined);
  asked.end();
  return { lines, stop: () => asked.destroy() };
}

async function addDefinition(plural: string, kind: string, scope?: string): Promise<void> {
  await cluster.must(201, "POST", CRDS, definition(plural, kind, scope));
}

async function names(path: string): Promise<string[]> {
  const { items } = await cluster.must(200, "GET", path);
  return items.map(({ metadata }: any) => `${metadata.namespace ?? ""}/${metadata.name}`);
}

describe("custom resources on the real platform", () => {
  test("are there once their definition is created: in every namespace, across them, and in discovery", async () => {
    await addNamespace("blue");
    await cluster.must(200, "GET", "/api/v1/namespaces/blue/configmaps");
    await addDefinition("widgets", "Widget");
    await cluster.must(201, "POST", pathOf("widgets", "default"), object("Widget", "a"));
    await cluster.must(
      201,
      "POST",
      pathOf("widgets", "blue"),
      object("Widget", "b", "nginx", { labels: { app: "b" } }),
    );
    expect(await names(pathOf("widgets", "blue"))).toEqual(["blue/b"]);
    expect(await names(pathOf("widgets"))).toEqual(["blue/b", "default/a"]);
    expect(await names(`${pathOf("widgets")}?labelSelector=app%3Db`)).toEqual(["blue/b"]);
    const groups = (await cluster.must(200, "GET", "/apis")).groups;
    expect(groups.at(-1)).toMatchObject({ name: GROUP, preferredVersion: { groupVersion: `${GROUP}/v1` } });
    const { resources } = await cluster.must(200, "GET", `/apis/${GROUP}/v1`);
    expect(resources.map(({ name }: any) => name)).toEqual(["widgets", "widgets/status", "widgets/scale"]);
    await cluster.must(404, "GET", pathOf("gadgets"));
    await cluster.must(404, "GET", pathOf("gadgets", "default"));
  });

  test("have their own columns in a table", async () => {
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    const { body } = await askAs("GET", pathOf("widgets", "blue"), { accept });
    expect(body.columnDefinitions.map(({ name }: any) => name)).toEqual(["Name", "Image"]);
    expect(body.rows.map(({ cells }: any) => cells)).toEqual([["b", "nginx"]]);
  });

  test("are watched across namespaces, also as they enter and leave a selector", async () => {
    const all = watch(`${pathOf("widgets")}?watch=true`);
    const selected = watch(`${pathOf("widgets")}?watch=true&labelSelector=app%3Db`);
    await eventually("the state", () => {
      expect(all.lines.map(({ object: { metadata } }) => metadata.name).sort()).toEqual(["a", "b"]);
      expect(selected.lines.map(({ type }) => type)).toEqual(["ADDED"]);
    });
    const label = (app: string) => [{ op: "add", path: "/metadata/labels", value: { app } }];
    await patch(`${pathOf("widgets", "blue")}/b`, label("c"));
    await patch(`${pathOf("widgets", "blue")}/b`, label("b"));
    await eventually("both changes", () => {
      expect(all.lines.slice(2).map(({ type }) => type)).toEqual(["MODIFIED", "MODIFIED"]);
      expect(selected.lines.map(({ type }) => type)).toEqual(["ADDED", "DELETED", "ADDED"]);
    });
    all.stop();
    selected.stop();
  });

  test("have status and scale", async () => {
    const path = `${pathOf("widgets", "default")}/a`;
    const widget = await cluster.must(200, "GET", path);
    const put = { ...widget, spec: { image: "other" }, status: { replicas: 4 } };
    const answered = await cluster.must(200, "PUT", `${path}/status`, put);
    expect([answered.spec.image, answered.status]).toEqual(["busybox", { replicas: 4 }]);
    const scale = await cluster.must(200, "GET", `${path}/scale`);
    expect([scale.kind, scale.spec.replicas, scale.status.replicas]).toEqual(["Scale", 1, 4]);
    await cluster.must(200, "PUT", `${path}/scale`, { ...scale, spec: { replicas: 3 } });
    expect((await cluster.must(200, "GET", path)).spec.replicas).toBe(3);
  });

  test("of the cluster's scope are served without a namespace", async () => {
    await addDefinition("planets", "Planet", "Cluster");
    await cluster.must(201, "POST", pathOf("planets"), object("Planet", "earth"));
    expect(await names(pathOf("planets"))).toEqual(["/earth"]);
    await cluster.must(404, "GET", pathOf("planets", "default"));
    await cluster.must(200, "DELETE", `${pathOf("planets")}/earth`);
    await cluster.must(404, "GET", `${pathOf("planets")}/earth`);
  });

  test("are there after workerd was killed, and go by what their definition has become meanwhile", async () => {
    const color = [
      {
        op: "add",
        path: "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/color",
        value: { type: "string", default: "red" },
      },
    ];
    await patch(`${CRDS}/widgets.${GROUP}`, color);
    const { pid } = controlPlane;
    controlPlane.kill9();
    await eventually("another workerd", () => expect([undefined, pid]).not.toContain(controlPlane.pid));
    await controlPlane.ready();
    const { items } = await cluster.must(200, "GET", pathOf("widgets"));
    expect(items.map(({ metadata, spec }: any) => [metadata.name, spec.color])).toEqual([
      ["b", "red"],
      ["a", "red"],
    ]);
    const made = await cluster.must(201, "POST", pathOf("widgets", "blue"), object("Widget", "c"));
    expect(made.spec.color).toBe("red");
  });

  test("come with a fork, and are of the past", async () => {
    const fork = await ClusterClient.of(controlPlane, "fork");
    await fork.must(201, "POST", "/coxswain/v1/fork", { from: "custom", token: cluster.token });
    const { items } = await fork.must(200, "GET", pathOf("widgets"));
    expect(items.map(({ metadata }: any) => metadata.name)).toEqual(["b", "c", "a"]);
    await fork.must(201, "POST", pathOf("widgets", "blue"), object("Widget", "d"));
    const made = await cluster.must(200, "GET", `${pathOf("widgets", "blue")}/c`);
    // After a crash revisions are ahead of the clock for a while.
    const ahead = timeOfRevision(Number(made.metadata.resourceVersion)) - Date.now();
    if (ahead >= 0) await sleep(ahead + 5);
    const at = new Date().toISOString();
    await sleep(5); // What comes next is not within that millisecond.
    await cluster.must(200, "DELETE", `${pathOf("widgets", "blue")}/c`);
    const past = await cluster.must(200, "GET", `/at/${at}${pathOf("widgets", "blue")}`);
    expect(past.items.map(({ metadata }: any) => metadata.name)).toEqual(["b", "c"]);
    const history = await cluster.must(200, "GET", `/coxswain/v1/history${pathOf("widgets", "blue")}/c`);
    expect(history.items[0].type).toBe("DELETED");
  });

  test("go with their definition", async () => {
    await cluster.must(200, "DELETE", `${CRDS}/widgets.${GROUP}`);
    await eventually("the definition's end", async () => {
      expect((await cluster.call("GET", `${CRDS}/widgets.${GROUP}`)).code).toBe(404);
    });
    await cluster.must(404, "GET", pathOf("widgets", "blue"));
    await addDefinition("widgets", "Widget");
    expect(await names(pathOf("widgets"))).toEqual([]);
  });
});
