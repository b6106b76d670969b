import { describe, expect, test } from "vitest";
import { podPort, serviceEndpoints, splitSchemeNamePort } from "./service-endpoint.ts";

test.each([
  ["web", { scheme: "", name: "web", port: "" }],
  ["web:80", { scheme: "", name: "web", port: "80" }],
  ["https:web:tls", { scheme: "https", name: "web", port: "tls" }],
  ["https:web:", { scheme: "https", name: "web", port: "" }],
  [":web:80", { scheme: "", name: "web", port: "80" }],
  ["ftp:web:80", undefined],
  ["a:b:c:d", undefined],
  [":80", undefined],
  ["", undefined],
])("%j is read as upstream does", (id, expected) => {
  expect(splitSchemeNamePort(id)).toEqual(expected);
});

const service = (...ports: object[]): any => ({ metadata: { name: "web", namespace: "shop" }, spec: { ports } });
const endpoint = (name: string, more: object = {}) => ({
  addresses: ["10.244.0.9"],
  conditions: { ready: true },
  nodeName: "n1",
  targetRef: { kind: "Pod", namespace: "shop", name, uid: `uid-${name}` },
  ...more,
});
const slice = (ports: object[], ...endpoints: object[]): any => ({ ports, endpoints });

describe("the endpoints of a Service's port", () => {
  const two = service({ name: "http", port: 80 }, { name: "tls", port: 443 });
  const slices = [
    slice(
      [
        { name: "http", port: 8080 },
        { name: "tls", port: 8443 },
      ],
      endpoint("one"),
      endpoint("two"),
    ),
  ];

  test("are found by its number and by its name", () => {
    const expected = ["one", "two"].map((name) => ({
      node: "n1",
      port: 8443,
      pod: { namespace: "shop", name, uid: `uid-${name}` },
    }));
    expect(serviceEndpoints(two, slices, "443")).toEqual(expected);
    expect(serviceEndpoints(two, slices, "tls")).toEqual(expected);
  });

  test("without a port are those of the port without a name", () => {
    expect(serviceEndpoints(two, slices, "")).toEqual([]);
    const plain = [slice([{ name: "", port: 8080 }], endpoint("one"))];
    expect(serviceEndpoints(service({ port: 80 }), plain, "")).toHaveLength(1);
  });

  test("are ready pods of the namespace that are on a node", () => {
    const others = slice(
      [{ name: "http", port: 8080 }],
      endpoint("unready", { conditions: { ready: false } }),
      endpoint("nowhere", { nodeName: undefined }),
      endpoint("address", { targetRef: undefined }),
      endpoint("foreign", { targetRef: { kind: "Pod", namespace: "other", name: "x", uid: "x" } }),
    );
    expect(
      serviceEndpoints(two, [others, slice([], endpoint("one")), { ports: null, endpoints: null } as any], "80"),
    ).toEqual([]);
  });

  test("are none where the Service has no such port", () => {
    expect(() => serviceEndpoints(two, slices, "81")).toThrow('no service port 81 found for service "web"');
    expect(serviceEndpoints(two, slices, "metrics")).toEqual([]);
  });
});

describe("the port of a pod", () => {
  const pod = (...ports: object[]): any => ({ spec: { containers: [{}, { ports }] } });
  const id = (port: string, scheme: "" | "https" = "") => ({ scheme, name: "p", port });

  test("is the first of its containers', unless one is given", () => {
    expect(podPort(pod({ containerPort: 8080 }, { containerPort: 9 }), id(""))).toBe(8080);
    expect(podPort(pod({ containerPort: 8080 }), id("99"))).toBe(99);
    expect(podPort(pod(), id(""))).toBe(80);
    expect(podPort(pod(), id("", "https"))).toBe(443);
  });

  test.each(["0", "65536", "-1", "http", "1e3"])("is a number: not %s", (port) => {
    expect(() => podPort(pod(), id(port))).toThrow(`invalid port "${port}"`);
  });
});
