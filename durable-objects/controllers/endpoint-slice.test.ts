import { describe, expect, test } from "vitest";
import type { EndpointSliceObject } from "../../api/kinds/endpoint-slice.ts";
import type { KubeObject } from "../../api/object.ts";
import { contextAt, viewOf } from "../../test/support/view-of.ts";
import { controlledBy, pod, service } from "../../test/support/workload-objects.ts";
import type { Plan } from "./controller.ts";
import { endpointSlice } from "./endpoint-slice.ts";

const reconcile = (subject: ReturnType<typeof service>, others: KubeObject[]) =>
  endpointSlice.reconcile(subject, viewOf([subject, ...others]), contextAt());
const slicesOf = (plan: Plan) =>
  plan.writes.flatMap((write) =>
    write.op === "create" || write.op === "update" ? [write.object as EndpointSliceObject] : [],
  );
const web = service("web");
const serving = (name: string, ip: string) => pod(name, { node: "n1", ready: 10, ip });

/** What a plan has made, as it would be stored. */
const stored = (plan: Plan): EndpointSliceObject[] =>
  slicesOf(plan).map((slice) => ({ ...slice, metadata: { ...slice.metadata, uid: `uid-${slice.metadata.name}` } }));

describe("a Service", () => {
  test("gets a slice with the pods behind it", () => {
    const plan = reconcile(service("web", {}, { tier: "front" }), [
      serving("a", "10.0.0.1"),
      pod("other", { ip: "10.0.0.9", labels: { app: "db" } }),
    ]);
    expect(plan.writes).toEqual([
      {
        op: "create",
        kind: expect.objectContaining({ kind: "EndpointSlice" }),
        object: {
          apiVersion: "discovery.k8s.io/v1",
          kind: "EndpointSlice",
          metadata: {
            name: "web-00001",
            generateName: "web-",
            namespace: "default",
            labels: {
              tier: "front",
              "kubernetes.io/service-name": "web",
              "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
            ownerReferences: [controlledBy(web)],
          },
          addressType: "IPv4",
          endpoints: [
            {
              addresses: ["10.0.0.1"],
              conditions: { ready: true, serving: true, terminating: false },
              targetRef: { kind: "Pod", namespace: "default", name: "a", uid: "uid-a" },
              nodeName: "n1",
            },
          ],
          ports: [{ name: "http", protocol: "TCP", port: 8080 }],
        },
      },
    ]);
  });

  test("without pods gets one empty slice", () => {
    expect(slicesOf(reconcile(web, []))).toMatchObject([{ endpoints: [] }]);
  });

  test("without a selector, or of type ExternalName, is left alone", () => {
    const pods = [serving("a", "10.0.0.1")];
    expect(reconcile(service("web", { selector: {} }), pods).writes).toEqual([]);
    expect(reconcile(service("web", { type: "ExternalName" }), pods).writes).toEqual([]);
  });

  test("that is headless says so, and gives pods their hostnames", () => {
    const headless = service("db", { clusterIP: "None", ports: [] });
    const named = pod("db-0", { node: "n1", ready: 1, ip: "10.0.0.1", spec: { hostname: "db-0", subdomain: "db" } });
    expect(slicesOf(reconcile(headless, [named]))).toMatchObject([
      { metadata: { labels: { "service.kubernetes.io/headless": "" } }, endpoints: [{ hostname: "db-0" }], ports: [] },
    ]);
  });
});

describe("conditions", () => {
  test.each([
    ["a ready pod", { ready: 5 }, { ready: true, serving: true, terminating: false }],
    ["one that is not ready", { unready: true }, { ready: false, serving: false, terminating: false }],
    ["one that serves while it ends", { ready: 5, deleted: true }, { ready: false, serving: true, terminating: true }],
  ])("of %s", (_, options, conditions) => {
    const plan = reconcile(web, [pod("a", { node: "n1", ip: "10.0.0.1", ...options })]);
    expect(slicesOf(plan)[0]?.endpoints?.[0]?.conditions).toEqual(conditions);
  });

  test("publishNotReadyAddresses makes all of them ready", () => {
    const plan = reconcile(service("web", { publishNotReadyAddresses: true }), [
      pod("a", { ip: "10.0.0.1", unready: true }),
    ]);
    expect(slicesOf(plan)[0]?.endpoints?.[0]?.conditions).toEqual({ ready: true, serving: false, terminating: false });
  });

  test("pods without address, and pods that have ended, are not endpoints", () => {
    const plan = reconcile(web, [pod("a"), pod("b", { ip: "10.0.0.2", phase: "Failed" })]);
    expect(slicesOf(plan)[0]?.endpoints).toEqual([]);
  });
});

describe("changes", () => {
  test("that change nothing write nothing", () => {
    const pods = [serving("a", "10.0.0.1"), serving("b", "10.0.0.2")];
    expect(reconcile(web, [...pods, ...stored(reconcile(web, pods))]).writes).toEqual([]);
    expect(reconcile(web, stored(reconcile(web, []))).writes).toEqual([]);
  });

  test("leave the other endpoints where they are", () => {
    const before = stored(reconcile(web, [serving("b", "10.0.0.2"), serving("c", "10.0.0.3")]));
    const plan = reconcile(web, [serving("a", "10.0.0.1"), serving("c", "10.0.0.3"), ...before]);
    expect(plan.writes.map(({ op }) => op)).toEqual(["update"]);
    expect(slicesOf(plan)[0]?.endpoints?.map(({ addresses }) => addresses[0])).toEqual(["10.0.0.3", "10.0.0.1"]);
  });

  test("fill slices of a hundred, touching the fewest", () => {
    const pods = Array.from({ length: 250 }, (_, i) =>
      serving(`p${String(i).padStart(3, "0")}`, `10.0.${Math.floor(i / 100)}.${i % 100}`),
    );
    const first = reconcile(web, pods);
    expect(slicesOf(first).map(({ endpoints }) => endpoints?.length)).toEqual([100, 100, 50]);
    const more = reconcile(web, [...pods, serving("q", "10.1.0.1"), ...stored(first)]);
    expect(more.writes.map(({ op }) => op)).toEqual(["update"]);
    const fewer = reconcile(web, [...pods.slice(0, 200), ...stored(first)]);
    expect(fewer.writes.map(({ op }) => op)).toEqual(["delete"]);
  });

  test("that leave no pod leave the slice, without ports", () => {
    const before = stored(reconcile(web, [serving("a", "10.0.0.1")]));
    const plan = reconcile(web, before);
    expect(plan.writes.map(({ op }) => op)).toEqual(["update"]);
    expect(slicesOf(plan)).toMatchObject([{ metadata: { name: before[0]!.metadata.name }, endpoints: [], ports: [] }]);
    expect(reconcile(web, stored(plan)).writes).toEqual([]);
  });

  test("of the ports change the slice that is there", () => {
    const before = stored(reconcile(web, [serving("a", "10.0.0.1")]));
    const moved = service("web", { ports: [{ name: "http", port: 80, targetPort: 9999 }] });
    const plan = reconcile(moved, [serving("a", "10.0.0.1"), ...before]);
    expect(plan.writes.map(({ op }) => op)).toEqual(["update"]);
    expect(slicesOf(plan)).toMatchObject([{ metadata: { name: before[0]!.metadata.name }, ports: [{ port: 9999 }] }]);
  });

  test("a named port that pods have at different numbers makes a slice for each", () => {
    const other = pod("b", {
      ready: 5,
      ip: "10.0.0.2",
      spec: { containers: [{ name: "web", ports: [{ name: "http", containerPort: 9090 }] }] } as never,
    });
    const ports = slicesOf(reconcile(web, [serving("a", "10.0.0.1"), other])).map((slice) => slice.ports?.[0]?.port);
    expect(ports).toEqual([8080, 9090]);
  });

  test("a slice of a family that the Service no longer has is deleted", () => {
    const v4 = stored(reconcile(web, [serving("a", "10.0.0.1")]));
    const plan = reconcile(service("web", { ipFamilies: ["IPv6"] }), [serving("a", "10.0.0.1"), ...v4]);
    expect(plan.writes.map(({ op }) => op)).toEqual(["create", "delete"]);
  });
});

test("a pod concerns the Services that select it now or did before", () => {
  const view = viewOf([web, service("db", { selector: { app: "db" } }), service("manual", { selector: {} })]);
  const concerns = endpointSlice.watches![0]!.concerns;
  expect(concerns(pod("a"), undefined, view)).toEqual(["web"]);
  expect(concerns(pod("a", { labels: { app: "db" } }), pod("a"), view)).toEqual(["db", "web"]);
  expect(concerns(pod("a", { labels: {} }), undefined, view)).toEqual([]);
});
