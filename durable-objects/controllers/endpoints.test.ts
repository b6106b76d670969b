import { expect, test } from "vitest";
import type { EndpointsObject } from "../../api/kinds/endpoints.ts";
import type { KubeObject } from "../../api/object.ts";
import { contextAt, viewOf } from "../../test/support/view-of.ts";
import { pod, service } from "../../test/support/workload-objects.ts";
import type { Plan } from "./controller.ts";
import { ADDRESSES_MAX, endpoints } from "./endpoints.ts";

const reconcile = (subject: ReturnType<typeof service>, others: KubeObject[]) =>
  endpoints.reconcile(subject, viewOf([subject, ...others]), contextAt());
const objectOf = (plan: Plan) =>
  plan.writes.flatMap((write) => ("object" in write ? [write.object as EndpointsObject] : []))[0];
const web = service("web");

test("a Service gets Endpoints of its name, ready and not ready apart", () => {
  const plan = reconcile(web, [
    pod("a", { node: "n1", ready: 5, ip: "10.0.0.1" }),
    pod("b", { node: "n1", unready: true, ip: "10.0.0.2" }),
  ]);
  expect(objectOf(plan)).toEqual({
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      name: "web",
      namespace: "default",
      labels: { "endpoints.kubernetes.io/managed-by": "endpoint-controller" },
    },
    subsets: [
      {
        addresses: [
          { ip: "10.0.0.1", nodeName: "n1", targetRef: { kind: "Pod", namespace: "default", name: "a", uid: "uid-a" } },
        ],
        notReadyAddresses: [
          { ip: "10.0.0.2", nodeName: "n1", targetRef: { kind: "Pod", namespace: "default", name: "b", uid: "uid-b" } },
        ],
        ports: [{ name: "http", protocol: "TCP", port: 8080 }],
      },
    ],
  });
});

test("pods on their way out are left out, unless all are to be published", () => {
  const leaving = pod("a", { node: "n1", ready: 5, ip: "10.0.0.1", deleted: true });
  expect(objectOf(reconcile(web, [leaving]))?.subsets).toBeUndefined();
  expect(objectOf(reconcile(service("web", { publishNotReadyAddresses: true }), [leaving]))?.subsets).toHaveLength(1);
});

test("nothing is written where nothing has changed", () => {
  const pods = [pod("a", { ready: 5, ip: "10.0.0.1" })];
  expect(reconcile(web, [...pods, objectOf(reconcile(web, pods))!]).writes).toEqual([]);
});

test("beyond a thousand addresses the rest is cut, and the annotation tells it", () => {
  const pods = Array.from({ length: ADDRESSES_MAX + 1 }, (_, i) =>
    pod(`p${i}`, { ready: 5, ip: `10.0.${Math.floor(i / 250)}.${i % 250}` }),
  );
  const object = objectOf(reconcile(web, pods));
  expect(object?.subsets?.[0]?.addresses).toHaveLength(ADDRESSES_MAX);
  expect(object?.metadata.annotations).toEqual({ "endpoints.kubernetes.io/over-capacity": "truncated" });
  const fewer = reconcile(web, [...pods.slice(1), object!]);
  expect(objectOf(fewer)?.metadata.annotations).toEqual({});
});

test("a Service without selector is left alone, and the Endpoints of one that is gone are deleted", () => {
  expect(reconcile(service("web", { selector: {} }), []).writes).toEqual([]);
  const left = objectOf(reconcile(web, []))!;
  expect(endpoints.forget!("web", viewOf([left]), contextAt()).writes).toMatchObject([{ op: "delete", name: "web" }]);
  expect(endpoints.forget!("web", viewOf([]), contextAt()).writes).toEqual([]);
});
