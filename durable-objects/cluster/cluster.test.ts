import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/object.ts";
import { TestCluster } from "../../test/support/cluster.ts";
import { objectText } from "../verbs/object-text.ts";

const pod = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "c", image: "busybox" }], ...spec },
});
const service = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { ports: [{ port: 80 }], selector: { app: name }, ...spec },
});
const namespace = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

describe("a new cluster", () => {
  test("has its namespaces, priority classes, and the Service of the API", async () => {
    const cluster = new TestCluster({ apiEndpoint: "192.168.0.1:6443" });
    const { body } = await cluster.ask("", "list", "namespaces");
    expect(body.items.map((item: any) => [item.metadata.name, item.status.phase])).toEqual([
      ["default", "Active"],
      ["kube-node-lease", "Active"],
      ["kube-public", "Active"],
      ["kube-system", "Active"],
    ]);
    void cluster.clusterHome.ready();
    await cluster.settle();
    const { spec } = (await cluster.ask("default", "get", "services/kubernetes")).body;
    expect([spec.clusterIP, spec.ports[0].port]).toEqual(["10.96.0.1", 443]);
    const slice = (await cluster.ask("default", "get", "discovery.k8s.io/v1/endpointslices/kubernetes")).body;
    expect(slice.endpoints[0].addresses).toEqual(["192.168.0.1"]);
    const address = (await cluster.ask("", "get", "networking.k8s.io/v1/ipaddresses/10.96.0.1")).body;
    expect(address.spec.parentRef).toEqual({ resource: "services", namespace: "default", name: "kubernetes" });
    expect((await cluster.ask("", "get", "scheduling.k8s.io/v1/priorityclasses/system-node-critical")).body.value).toBe(
      2_000_001_000,
    );
  });
});

describe("a namespace", () => {
  test("that was created has its default ServiceAccount before its creator is answered, and takes pods", async () => {
    const cluster = new TestCluster({ rootCa: "PEM" });
    expect((await cluster.ask("", "create", "namespaces", { object: namespace("shop") })).code).toBe(201);
    expect((await cluster.ask("shop", "get", "serviceaccounts/default")).code).toBe(200);
    expect((await cluster.ask("shop", "get", "configmaps/kube-root-ca.crt")).body.data).toEqual({ "ca.crt": "PEM" });
    const created = await cluster.ask("shop", "create", "pods", { object: pod("web") });
    expect(created.code).toBe(201);
    expect(created.body.spec).toMatchObject({
      serviceAccountName: "default",
      priority: 0,
      preemptionPolicy: "PreemptLowerPriority",
      tolerations: [
        { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
        { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
      ],
    });
    expect(created.body.status.phase).toBe("Pending");
  });

  test("whose name was generated carries it as a label", async () => {
    const cluster = new TestCluster();
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { generateName: "shop-" } };
    const { metadata } = (await cluster.ask("", "create", "namespaces", { object })).body;
    expect(metadata.labels).toEqual({ "kubernetes.io/metadata.name": metadata.name });
    expect(metadata.name).toMatch(/^shop-.{5}$/);
  });

  test("that is not there reads as empty, and leaves nothing behind that was not there before", async () => {
    const cluster = new TestCluster();
    expect((await cluster.ask("nowhere", "list", "pods")).body.items).toEqual([]);
    expect((await cluster.ask("nowhere", "get", "pods/web")).body.message).toBe('pods "web" not found');
    expect((await cluster.ask("nowhere", "delete", "pods/web")).code).toBe(404);
    expect((await cluster.ask("nowhere", "deletecollection", "pods")).code).toBe(200);
    expect((await cluster.ask("nowhere", "create", "pods", { object: pod("web") })).code).toBe(404);
    expect((await cluster.ask("nowhere", "update", "pods/web", { object: pod("web") })).code).toBe(404);
    await cluster.settle(5_000);
    const { database } = cluster.platformOf("nowhere");
    expect([...database.exec("SELECT name FROM sqlite_master")]).toEqual([]);
    await cluster.ask("", "create", "namespaces", { object: namespace("nowhere") });
    expect((await cluster.ask("nowhere", "create", "pods", { object: pod("web") })).code).toBe(201);
    cluster.kill();
    expect((await cluster.ask("nowhere", "get", "pods/web")).code).toBe(200);
  });

  test("that is not there takes nothing", async () => {
    const cluster = new TestCluster();
    const { body } = await cluster.ask("nowhere", "create", "pods", { object: pod("web") });
    expect(body).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
  });

  test("that is deleted is emptied, tells what remains, refuses creates, and goes", async () => {
    const cluster = new TestCluster();
    await cluster.ask("", "create", "namespaces", { object: namespace("shop") });
    const held = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "held", finalizers: ["example.com/hold"] } };
    await cluster.ask("shop", "create", "configmaps", { object: held });
    const deleted = await cluster.ask("", "delete", "namespaces/shop");
    expect(deleted.body).toMatchObject({ kind: "Namespace", status: { phase: "Terminating" } });
    await cluster.settle(10_000);
    const { conditions } = (await cluster.ask("", "get", "namespaces/shop")).body.status;
    expect(conditions.find((c: any) => c.type === "NamespaceFinalizersRemaining")).toMatchObject({
      status: "True",
      message: "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    });
    const refused = await cluster.ask("shop", "create", "configmaps", {
      object: { ...held, metadata: { name: "late" } },
    });
    expect(refused.body).toMatchObject({
      code: 403,
      message:
        'configmaps "late" is forbidden: unable to create new content in namespace shop because it is being terminated',
      details: { causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }] },
    });
    const merge = { patchType: "merge" as const, object: { metadata: { finalizers: null } } };
    expect((await cluster.ask("shop", "patch", "configmaps/held", merge)).code).toBe(200);
    await cluster.settle(10_000);
    expect((await cluster.ask("", "get", "namespaces/shop")).code).toBe(404);
    expect((await cluster.ask("shop", "list", "configmaps")).body.items).toEqual([]);
    await cluster.ask("", "create", "namespaces", { object: namespace("shop") });
    expect((await cluster.ask("shop", "create", "pods", { object: pod("again") })).code).toBe(201);
  });

  test("that is being deleted is looked at when it holds less, and left alone otherwise", async () => {
    const cluster = new TestCluster();
    await cluster.ask("", "create", "namespaces", { object: namespace("shop") });
    const held = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "held", finalizers: ["example.com/hold"] } };
    await cluster.ask("shop", "create", "configmaps", { object: held });
    const home = cluster.namespace("shop");
    const terminate = home.terminate.bind(home);
    let asked = 0;
    home.terminate = async () => {
      asked++;
      return await terminate();
    };
    await cluster.ask("", "delete", "namespaces/shop");
    await cluster.settle(10_000);
    const before = asked;
    expect(before).toBeGreaterThan(0);
    await cluster.settle(600_000);
    expect(asked).toBe(before);
    await cluster.ask("shop", "patch", "configmaps/held", {
      patchType: "merge",
      object: { metadata: { finalizers: null } },
    });
    await cluster.settle(1_000);
    expect((await cluster.ask("", "get", "namespaces/shop")).code).toBe(404);
  });

  test("is named among those of its time, and among those that were there since", async () => {
    const cluster = new TestCluster();
    const created = await cluster.ask("", "create", "namespaces", { object: namespace("shop") });
    const at = Number(created.body.metadata.resourceVersion);
    await cluster.ask("", "delete", "namespaces/shop");
    await cluster.settle(10_000);
    const system = ["default", "kube-node-lease", "kube-public", "kube-system"];
    const home = cluster.clusterHome;
    expect(await home.listNamespaces()).toEqual({ names: system, expired: false });
    expect(await home.listNamespaces({ at })).toEqual({ names: [...system, "shop"], expired: false });
    expect(await home.listNamespaces({ at: at - 1 })).toEqual({ names: system, expired: false });
    expect(await home.listNamespaces({ since: at })).toEqual({ names: [...system, "shop"], expired: false });
    const gone = home.home.store.revision;
    expect(await home.listNamespaces({ since: gone })).toEqual({ names: system, expired: false });
    const later = gone + 4_000_000;
    expect(await home.listNamespaces({ at: later })).toEqual({ names: system, expired: false });
    const next = await cluster.ask("", "create", "namespaces", { object: namespace("late") });
    expect(Number(next.body.metadata.resourceVersion), "it was said that there is no more to come").toBeGreaterThan(
      later,
    );
  });

  test("keeps what happens in it between its own beginning and its end", async () => {
    const cluster = new TestCluster();
    // A clock that is behind.
    cluster.namespace("shop");
    cluster.platformOf("shop").time -= 60_000;
    const created = await cluster.ask("", "create", "namespaces", { object: namespace("shop") });
    const inside = await cluster.ask("shop", "create", "pods", { object: pod("web") });
    expect(Number(inside.body.metadata.resourceVersion)).toBeGreaterThan(Number(created.body.metadata.resourceVersion));
    cluster.platformOf("shop").time += 120_000;
    await cluster.ask("", "delete", "namespaces/shop");
    await cluster.ask("shop", "delete", "pods/web", { options: { gracePeriodSeconds: 0 } });
    await cluster.settle(10_000);
    expect((await cluster.ask("", "get", "namespaces/shop")).code).toBe(404);
    const last = cluster.namespace("shop").home.store.revision;
    expect(cluster.clusterHome.home.store.revision).toBeGreaterThan(last);
  });

  test("goes on ending after the process was killed", async () => {
    const cluster = new TestCluster();
    await cluster.ask("", "create", "namespaces", { object: namespace("shop") });
    await cluster.ask("", "delete", "namespaces/shop", {});
    cluster.kill();
    await cluster.settle(10_000);
    expect((await cluster.ask("", "get", "namespaces/shop")).code).toBe(404);
  });

  test("of the system is not deleted", async () => {
    const cluster = new TestCluster();
    expect((await cluster.ask("", "delete", "namespaces/kube-system")).body).toMatchObject({
      code: 403,
      message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    });
  });
});

describe("a node that is not ready any more", () => {
  const condition = (type: string, status: string) => ({ type, status, lastTransitionTime: "2026-11-22T12:00:00Z" });
  const ready = async (cluster: TestCluster, name: string, node: string) => {
    await cluster.ask("default", "create", "pods", { object: pod(name, { nodeName: node }) });
    const status = { phase: "Running", podIP: "10.244.0.1", conditions: [condition("Ready", "True")] };
    const merge = { patchType: "merge" as const, object: { status } };
    expect((await cluster.ask("default", "patch", `pods/${name}/status`, merge)).code).toBe(200);
  };

  test("has its pods marked, and theirs alone, with an event of the node controller", async () => {
    const cluster = new TestCluster();
    for (let i = 0; i < 260; i++) await ready(cluster, `lost-${i}`, "n1");
    await ready(cluster, "elsewhere", "n2");
    await cluster.namespace("default").nodeNotReady("n1");
    await cluster.settle();
    const { items } = (await cluster.ask("default", "list", "pods")).body;
    const readyPods = items.filter(({ status }: any) =>
      status.conditions.some((c: any) => c.type === "Ready" && c.status === "True"),
    );
    expect(readyPods.map(({ metadata }: any) => metadata.name)).toEqual(["elsewhere"]);
    const events = (await cluster.ask("default", "list", "events")).body.items;
    expect(events.find((event: any) => event.involvedObject.name === "lost-0")).toMatchObject({
      type: "Warning",
      reason: "NodeNotReady",
      message: "Node is not ready",
      source: { component: "node-controller" },
    });
  });
});

describe("a Service", () => {
  test.each([undefined, "a/b", "A"])("of the name %s is refused, and asks for no address", async (name) => {
    const cluster = new TestCluster();
    cluster.clusterHome.allocateService = async () => expect.unreachable("nothing is to be handed out");
    const object = service("web");
    const metadata = name === undefined ? {} : { name };
    const { code, body } = await cluster.ask("default", "create", "services", { object: { ...object, metadata } });
    expect([code, body.reason]).toEqual([422, "Invalid"]);
  });

  test("whose home was lost between grant and write leaves no address taken", async () => {
    const cluster = new TestCluster({ apiEndpoint: "192.168.0.1:6443" });
    // As an earlier instance of the home did that never got to write what it was granted.
    const ask = { namespace: "default", name: "kubernetes", clusterIP: "10.96.0.1", nodePorts: [] };
    expect(await cluster.clusterHome.allocateService(ask)).toMatchObject({ clusterIP: "10.96.0.1" });
    cluster.kill();
    void cluster.clusterHome.ready();
    await cluster.settle(5_000);
    expect((await cluster.ask("default", "get", "services/kubernetes")).body.spec.clusterIP).toBe("10.96.0.1");
  });

  test("that was granted its address to a home which was lost before it wrote has it taken back, unasked", async () => {
    const cluster = new TestCluster();
    // Not where the API's own Service is published after each start.
    await cluster.ask("", "create", "namespaces", { object: namespace("shop") });
    await cluster.clusterHome.ready();
    await cluster.settle();
    const { clusterHome } = cluster;
    const allocate = clusterHome.allocateService.bind(clusterHome);
    clusterHome.allocateService = async (ask) => {
      await allocate(ask);
      cluster.kill();
      return await new Promise<never>(() => undefined);
    };
    void cluster.ask("shop", "create", "services", { object: service("web") });
    await cluster.settle();
    const addresses = async () =>
      (await cluster.ask("", "list", "networking.k8s.io/v1/ipaddresses")).body.items.map((a: any) => a.metadata.name);
    expect(await addresses()).toHaveLength(2);
    await cluster.settle(10_000);
    expect(await addresses()).toEqual(["10.96.0.1"]);
    expect((await cluster.ask("shop", "create", "services", { object: service("web") })).code).toBe(201);
    cluster.kill();
    await cluster.settle(10_000);
    expect(await addresses()).toHaveLength(2);
  });

  test("keeps its address when others of its namespace are settled while its grant is on the way", async () => {
    const cluster = new TestCluster();
    await cluster.ask("default", "create", "services", { object: service("old") });
    const { allocateService } = cluster.clusterHome;
    let answer = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      answer = resolve;
    });
    cluster.clusterHome.allocateService = async (ask) => {
      const grant = await allocateService.call(cluster.clusterHome, ask);
      await late;
      return grant;
    };
    const object = service("new", { clusterIP: "10.96.0.77" });
    const created = cluster.ask("default", "create", "services", { object });
    await cluster.settle();
    await cluster.ask("default", "delete", "services/old");
    await cluster.settle(1_000);
    answer();
    expect((await created).code).toBe(201);
    cluster.clusterHome.allocateService = allocateService;
    const again = await cluster.ask("default", "create", "services", {
      object: service("other", { clusterIP: "10.96.0.77" }),
    });
    expect(again.body.message).toContain("provided IP is already allocated");
  });

  test("whose grant was not heard is refused, and its address free again", async () => {
    const cluster = new TestCluster();
    const { allocateService } = cluster.clusterHome;
    cluster.clusterHome.allocateService = async (ask) => {
      await allocateService.call(cluster.clusterHome, ask);
      throw new Error("the connection was lost");
    };
    const object = service("web", { clusterIP: "10.96.0.77" });
    expect((await cluster.ask("default", "create", "services", { object })).code).toBe(500);
    cluster.clusterHome.allocateService = allocateService;
    await cluster.settle(1_000);
    expect((await cluster.ask("default", "create", "services", { object })).code).toBe(201);
  });

  test("has an address and a node port that nobody else has, until it is gone", async () => {
    const cluster = new TestCluster();
    const first = (await cluster.ask("default", "create", "services", { object: service("a", { type: "NodePort" }) }))
      .body;
    expect(first.spec).toMatchObject({
      clusterIP: expect.stringMatching(/^10\.96\.0\.\d+$/),
      clusterIPs: [first.spec.clusterIP],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
    });
    const { nodePort } = first.spec.ports[0];
    expect(nodePort).toBeGreaterThanOrEqual(30_086);
    const taken = { clusterIP: first.spec.clusterIP, type: "NodePort", ports: [{ port: 80, nodePort }] };
    const refused = await cluster.ask("kube-public", "create", "services", { object: service("b", taken) });
    expect(refused.code).toBe(422);
    expect(refused.body.details.causes.map(({ field, message }: any) => [field, message])).toEqual([
      [
        "spec.clusterIPs",
        `Invalid value: ["${first.spec.clusterIP}"]: failed to allocate IP ${first.spec.clusterIP}: provided IP is already allocated`,
      ],
      ["spec.ports[0].nodePort", `Invalid value: ${nodePort}: provided port is already allocated`],
    ]);
    await cluster.ask("default", "delete", "services/a");
    await cluster.settle();
    expect((await cluster.ask("", "get", `networking.k8s.io/v1/ipaddresses/${first.spec.clusterIP}`)).code).toBe(404);
    expect((await cluster.ask("kube-public", "create", "services", { object: service("b", taken) })).code).toBe(201);
  });

  test("outside of the ranges is refused", async () => {
    const cluster = new TestCluster();
    const spec = { clusterIP: "10.200.0.1", type: "NodePort", ports: [{ port: 80, nodePort: 80 }] };
    const { body } = await cluster.ask("default", "create", "services", { object: service("a", spec) });
    expect(body.details.causes.map(({ message }: any) => message)).toEqual([
      'Invalid value: ["10.200.0.1"]: failed to allocate IP 10.200.0.1: the provided network does not match the current range',
      "Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
    ]);
  });

  test("that is refused holds nothing", async () => {
    const cluster = new TestCluster();
    const bad = service("a", { clusterIP: "10.96.0.77", sessionAffinity: "Wrong" });
    expect((await cluster.ask("default", "create", "services", { object: bad })).code).toBe(422);
    expect(
      (await cluster.ask("default", "create", "services", { object: service("b", { clusterIP: "10.96.0.77" }) })).code,
    ).toBe(201);
  });

  test("of another type lets go of its node port, by whichever verb", async () => {
    const cluster = new TestCluster();
    await cluster.ask("default", "create", "services", { object: service("a") });
    const merge = (spec: object) => ({ patchType: "merge" as const, object: { spec } });
    const up = (await cluster.ask("default", "patch", "services/a", merge({ type: "NodePort" }))).body;
    const { nodePort } = up.spec.ports[0];
    expect(nodePort).toBeGreaterThanOrEqual(30_000);
    const down = (await cluster.ask("default", "patch", "services/a", merge({ type: "ClusterIP" }))).body;
    expect(down.spec.ports[0].nodePort).toBeUndefined();
    await cluster.settle();
    const other = service("b", { type: "NodePort", ports: [{ port: 80, nodePort }] });
    expect((await cluster.ask("default", "create", "services", { object: other })).code).toBe(201);
  });

  test("that was deleted just before the process was killed is let go of by the next", async () => {
    const cluster = new TestCluster();
    await cluster.ask("default", "create", "services", { object: service("a", { clusterIP: "10.96.0.77" }) });
    await cluster.settle();
    const home = cluster.namespace("default").home;
    home.store.write((tx) => {
      const { object } = tx.get("services", "a")!;
      tx.remove("services", "a", (revision) => objectText(object, revision));
    });
    cluster.kill();
    await cluster.settle(5_000);
    expect(
      (await cluster.ask("default", "create", "services", { object: service("b", { clusterIP: "10.96.0.77" }) })).code,
    ).toBe(201);
  });

  test("without an address, or of another name, is given none", async () => {
    const cluster = new TestCluster();
    const headless = (
      await cluster.ask("default", "create", "services", { object: service("h", { clusterIP: "None" }) })
    ).body;
    expect(headless.spec.clusterIPs).toEqual(["None"]);
    const object = { ...service("e"), spec: { type: "ExternalName", externalName: "example.com" } };
    expect((await cluster.ask("default", "create", "services", { object })).body.spec.clusterIP).toBeUndefined();
  });
});

describe("a pod", () => {
  test("is bound once, and told of by its condition and an event", async () => {
    const cluster = new TestCluster();
    const { metadata } = (await cluster.ask("default", "create", "pods", { object: pod("web") })).body;
    const home = cluster.namespace("default");
    const binding = { name: "web", uid: metadata.uid, node: "n1" };
    const bound = home.bind([binding, { ...binding, name: "gone" }]);
    await cluster.settle();
    expect(await bound).toEqual(["", 'pods "gone" not found']);
    const placed = (await cluster.ask("default", "get", "pods/web")).body;
    expect(placed.spec.nodeName).toBe("n1");
    expect(placed.status.conditions).toMatchObject([{ type: "PodScheduled", status: "True" }]);
    const events = (await cluster.ask("default", "list", "events")).body.items;
    expect(events).toMatchObject([
      {
        reason: "Scheduled",
        message: "Successfully assigned default/web to n1",
        source: { component: "default-scheduler" },
      },
    ]);
    const again = home.bind([{ ...binding, node: "n2" }]);
    await cluster.settle();
    expect(await again).toEqual([
      'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "n1"',
    ]);
  });

  test("is not bound where it is another one of the name, is going, or waits for a gate", async () => {
    const cluster = new TestCluster();
    const create = async (object: KubeObject) =>
      (await cluster.ask("default", "create", "pods", { object })).body.metadata.uid as string;
    const uid = await create(pod("web"));
    const held = pod("going");
    const going = await create({ ...held, metadata: { ...held.metadata, finalizers: ["example.com/hold"] } });
    await cluster.ask("default", "delete", "pods/going");
    const gated = await create(pod("gated", { schedulingGates: [{ name: "example.com/gate" }] }));
    const bound = cluster.namespace("default").bind([
      { name: "web", uid: "of-an-earlier-life", node: "n1" },
      { name: "going", uid: going, node: "n1" },
      { name: "gated", uid: gated, node: "n1" },
    ]);
    await cluster.settle();
    expect(await bound).toEqual([
      expect.stringContaining(`UID in precondition: of-an-earlier-life, UID in object meta: ${uid}`),
      expect.stringContaining("pod going is being deleted, cannot be assigned to a host"),
      expect.stringContaining("pod gated has non-empty .spec.schedulingGates"),
    ]);
    for (const name of ["web", "going", "gated"])
      expect((await cluster.ask("default", "get", `pods/${name}`)).body.spec.nodeName).toBeUndefined();
  });

  test("that fits nowhere says why", async () => {
    const cluster = new TestCluster();
    const { metadata } = (await cluster.ask("default", "create", "pods", { object: pod("web") })).body;
    const message = "0/1 nodes are available: 1 Insufficient cpu.";
    await cluster.namespace("default").markUnschedulable([{ name: "web", uid: metadata.uid, message }]);
    const { status } = (await cluster.ask("default", "get", "pods/web")).body;
    expect(status.conditions).toMatchObject([
      { type: "PodScheduled", status: "False", reason: "Unschedulable", message },
    ]);
    const [event] = (await cluster.ask("default", "list", "events")).body.items;
    expect(event).toMatchObject({ type: "Warning", reason: "FailedScheduling", message });
  });

  test("is evicted gracefully, or at once where its node is gone", async () => {
    const cluster = new TestCluster();
    const home = cluster.namespace("default");
    for (const name of ["a", "b"]) {
      const { metadata } = (await cluster.ask("default", "create", "pods", { object: pod(name) })).body;
      const bound = home.bind([{ name, uid: metadata.uid, node: "n1" }]);
      await cluster.settle();
      await bound;
      const reason = name === "a" ? "TaintManagerEviction" : "DeletionByPodGC";
      await home.evict([{ name, uid: metadata.uid, reason, message: "why", force: name === "b" }]);
    }
    const marked = (await cluster.ask("default", "get", "pods/a")).body;
    expect(marked.metadata.deletionGracePeriodSeconds).toBe(30);
    expect(marked.status.conditions.at(-1)).toMatchObject({
      type: "DisruptionTarget",
      reason: "DeletionByTaintManager",
    });
    expect((await cluster.ask("default", "get", "pods/b")).code).toBe(404);
  });

  test("of a service account or a priority class that is not there is refused", async () => {
    const cluster = new TestCluster();
    expect(
      (await cluster.ask("default", "create", "pods", { object: pod("a", { serviceAccountName: "x" }) })).body.message,
    ).toBe('pods "a" is forbidden: error looking up service account default/x: serviceaccount "x" not found');
    expect(
      (await cluster.ask("default", "create", "pods", { object: pod("a", { priorityClassName: "x" }) })).body.message,
    ).toBe('pods "a" is forbidden: no PriorityClass with name x was found');
    const critical = await cluster.ask("default", "create", "pods", {
      object: pod("a", { priorityClassName: "system-node-critical" }),
    });
    expect(critical.body.spec.priority).toBe(2_000_001_000);
  });
});

describe("a node", () => {
  const user = { name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] };
  const node = (name: string, more: object = {}) => ({ apiVersion: "v1", kind: "Node", metadata: { name }, ...more });
  const ready = {
    conditions: [
      {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        message: "",
        lastTransitionTime: "2026-11-22T12:00:00Z",
      },
    ],
  };

  test("registers itself, is given a pod range, and is believed for as long as it is connected", async () => {
    const cluster = new TestCluster();
    const created = await cluster.ask("", "create", "nodes", { user, object: node("n1", { status: ready }) });
    expect(created.body.spec.taints).toMatchObject([{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
    await cluster.clusterHome.nodePresence("n1", true, cluster.platform.time);
    await cluster.settle(120_000);
    const stored = (await cluster.ask("", "get", "nodes/n1")).body;
    expect([stored.spec.podCIDR, stored.spec.taints]).toEqual(["10.244.0.0/24", undefined]);
    await cluster.clusterHome.nodePresence("n1", false, cluster.platform.time);
    cluster.kill();
    await cluster.settle(60_000);
    const silent = (await cluster.ask("", "get", "nodes/n1")).body;
    expect(silent.status.conditions[0]).toMatchObject({ status: "Unknown", reason: "NodeStatusUnknown" });
    expect(silent.spec.taints).toMatchObject([
      { key: "node.kubernetes.io/unreachable", effect: "NoSchedule" },
      { key: "node.kubernetes.io/unreachable", effect: "NoExecute" },
    ]);
    const [event] = (await cluster.ask("default", "list", "events")).body.items.filter(
      (e: any) => e.reason === "NodeNotReady",
    );
    expect(event.involvedObject.name).toBe("n1");
  });

  test("joins with a bootstrap token of kube-system, and with no other", async () => {
    const cluster = new TestCluster();
    const data = (fields: Record<string, string>) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "bootstrap-token-abcdef" },
      type: "bootstrap.kubernetes.io/token",
      stringData: {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        ...fields,
      },
    });
    const join = async (token: string, name = "n1") => {
      const answered = cluster.clusterHome.join(token, name);
      await cluster.settle();
      return await answered;
    };
    expect(await join("abcdef.0123456789abcdef")).toBe(false);
    await cluster.ask("kube-system", "create", "secrets", { object: data({}) });
    expect(await join("abcdef.0123456789abcdef")).toBe(true);
    expect(await join("abcdef.0123456789abcdee")).toBe(false);
    expect(await join("abcdef")).toBe(false);
    expect(await join("abcdef.0123456789abcdef", "Bad_Name")).toBe(false);
    await cluster.ask("kube-system", "update", "secrets/bootstrap-token-abcdef", {
      object: data({ expiration: "2026-11-22T11:00:00Z" }),
    });
    expect(await join("abcdef.0123456789abcdef")).toBe(false);
  });

  test("sees and reports its own, and nothing else", async () => {
    const cluster = new TestCluster();
    await cluster.ask("", "create", "nodes", { object: node("n1") });
    await cluster.ask("", "create", "nodes", { object: node("n2") });
    for (const name of ["mine", "other"]) {
      const volumes = [{ name: "v", configMap: { name: `of-${name}` } }];
      const { metadata } = (await cluster.ask("default", "create", "pods", { object: pod(name, { volumes }) })).body;
      const bound = cluster
        .namespace("default")
        .bind([{ name, uid: metadata.uid, node: name === "mine" ? "n1" : "n2" }]);
      await cluster.settle();
      await bound;
      await cluster.ask("default", "create", "configmaps", {
        object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `of-${name}` } },
      });
    }
    const code = async (namespace: string, verb: any, path: string, more: any = {}) =>
      (await cluster.ask(namespace, verb, path, { user, ...more })).code;
    const status = { object: { status: { phase: "Running" } }, patchType: "merge" };
    expect(await code("", "get", "nodes/n1")).toBe(200);
    expect(await code("", "get", "nodes/n2")).toBe(403);
    expect(await code("", "patch", "nodes/n1/status", { object: { status: ready }, patchType: "merge" })).toBe(200);
    expect(await code("", "patch", "nodes/n2/status", { object: { status: ready }, patchType: "merge" })).toBe(403);
    expect(
      await code("", "patch", "nodes/n1", {
        object: { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } },
        patchType: "merge",
      }),
    ).toBe(403);
    expect(
      await code("", "patch", "nodes/n1", {
        object: { metadata: { labels: { "x.kubernetes.io/y": "z" } } },
        patchType: "merge",
      }),
    ).toBe(403);
    expect(
      await code("", "patch", "nodes/n1", {
        object: { metadata: { labels: { "kubernetes.io/os": "linux" } } },
        patchType: "merge",
      }),
    ).toBe(200);
    expect(await code("default", "get", "configmaps/of-mine")).toBe(200);
    expect(await code("default", "get", "configmaps/of-other")).toBe(403);
    expect(await code("default", "list", "configmaps")).toBe(403);
    expect(await code("default", "list", "secrets")).toBe(403);
    expect(await code("default", "patch", "pods/mine/status", status)).toBe(200);
    expect(await code("default", "patch", "pods/other/status", status)).toBe(403);
    expect(await code("default", "create", "pods", { object: pod("new") })).toBe(403);
    expect(await code("default", "delete", "pods/other")).toBe(403);
    expect(await code("default", "delete", "pods/mine", { object: { gracePeriodSeconds: 0 } })).toBe(200);
    expect(await code("default", "list", "services")).toBe(200);
    expect(await code("default", "create", "services", { object: service("s") })).toBe(403);
  });
});
