import { describe, expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import { tableOf } from "../table.ts";
import { Service } from "./service.ts";
import type { ServiceObject } from "./service-object.ts";

const { rules } = Service;

const service = (spec: object = {}, status?: object): ServiceObject => {
  const object = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s", namespace: "default", creationTimestamp: "2025-01-01T00:00:00Z" },
    spec: { ports: [{ port: 80 }], ...spec },
    ...(status && { status }),
  } as unknown as ServiceObject;
  rules.setDefaults?.(object);
  return object;
};
/** As it is once its addresses are allocated. */
const allocated = (spec: object = {}): ServiceObject =>
  service({
    clusterIP: "10.96.0.9",
    clusterIPs: ["10.96.0.9"],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    ...spec,
  });
const complaints = (object: ServiceObject): string[] => rules.validate!(object).map(describeFieldError);

describe("defaults of a service", () => {
  test("are upstream's", () => {
    expect(
      service({
        ports: [{ port: 80 }, { name: "b", port: 81, targetPort: 0 }, { name: "c", port: 82, targetPort: "http" }],
      }).spec,
    ).toEqual({
      ports: [
        { port: 80, protocol: "TCP", targetPort: 80 },
        { name: "b", port: 81, protocol: "TCP", targetPort: 81 },
        { name: "c", port: 82, protocol: "TCP", targetPort: "http" },
      ],
      type: "ClusterIP",
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
    });
  });

  test("follow its type and its affinity", () => {
    expect(service({ type: "NodePort" }).spec).toMatchObject({ externalTrafficPolicy: "Cluster" });
    expect(service({ type: "LoadBalancer" }).spec).toMatchObject({ allocateLoadBalancerNodePorts: true });
    expect(service({ type: "ExternalName" }).spec).not.toHaveProperty("internalTrafficPolicy");
    expect(service({ sessionAffinity: "ClientIP" }).spec.sessionAffinityConfig).toEqual({
      clientIP: { timeoutSeconds: 10800 },
    });
    expect(service({ sessionAffinityConfig: { clientIP: {} } }).spec).not.toHaveProperty("sessionAffinityConfig");
  });
});

describe("a service", () => {
  test.each<[string, object]>([
    ["a plain one", {}],
    ["a headless one without ports", { clusterIP: "None", clusterIPs: ["None"], ports: [] }],
    [
      "a name",
      {
        type: "ExternalName",
        externalName: "example.com.",
        ports: undefined,
        clusterIP: undefined,
        clusterIPs: undefined,
        ipFamilies: undefined,
        ipFamilyPolicy: undefined,
      },
    ],
    ["a node port", { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] }],
    [
      "two protocols on a port",
      {
        ports: [
          { name: "a", port: 53 },
          { name: "b", port: 53, protocol: "UDP" },
        ],
      },
    ],
  ])("is fine: %s", (_, spec) => expect(complaints(allocated(spec))).toEqual([]));

  test.each<[string, object]>([
    ["spec.ports: Required value", { ports: [] }],
    ["spec.ports[0].name: Required value", { ports: [{ port: 80 }, { name: "b", port: 81 }] }],
    [
      'spec.ports[1].name: Duplicate value: "a"',
      {
        ports: [
          { name: "a", port: 80 },
          { name: "a", port: 81 },
        ],
      },
    ],
    [
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
      {
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 80 },
        ],
      },
    ],
    [
      "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
      { ports: [{ port: 0, targetPort: 1 }] },
    ],
    [
      'spec.ports[0].targetPort: Invalid value: "1": must contain at least one letter (a-z)',
      { ports: [{ port: 1, targetPort: "1" }] },
    ],
    [
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
      { ports: [{ port: 1, nodePort: 30000 }] },
    ],
    [
      "spec.ports[1].nodePort: Duplicate value: 30000",
      {
        type: "NodePort",
        ports: [
          { name: "a", port: 1, nodePort: 30000 },
          { name: "b", port: 2, nodePort: 30000 },
        ],
      },
    ],
    [
      'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      { type: "X" },
    ],
    ['spec.sessionAffinity: Unsupported value: "X": supported values: "ClientIP", "None"', { sessionAffinity: "X" }],
    ["spec.externalName: Required value", { type: "ExternalName" }],
    [
      "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
      { type: "ExternalName", externalName: "a" },
    ],
    [
      "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
      { type: "NodePort", clusterIP: "None", clusterIPs: ["None"] },
    ],
    ['spec.clusterIPs: Invalid value: ["10.96.0.9"]: first value must match `clusterIP`', { clusterIP: "10.96.0.8" }],
    ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address', { clusterIP: "x", clusterIPs: ["x"] }],
    [
      'spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`',
      { ipFamilies: ["IPv6"] },
    ],
    [
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      { externalIPs: ["127.0.0.1"], externalTrafficPolicy: "Cluster" },
    ],
    [
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      { externalTrafficPolicy: "Local" },
    ],
    [
      "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      { loadBalancerSourceRanges: ["10.0.0.0/8"] },
    ],
    ["spec.healthCheckNodePort: Required value", { type: "LoadBalancer", externalTrafficPolicy: "Local" }],
    ['spec.selector: Invalid value: "-": a valid label must be', { selector: { a: "-" } }],
    ['spec.trafficDistribution: Unsupported value: "x"', { trafficDistribution: "x" }],
  ])("is refused: %s", (message, spec) => {
    const all = complaints(allocated(spec));
    expect(
      all.some((complaint) => complaint.startsWith(message)),
      all.join("\n"),
    ).toBe(true);
  });
});

describe("an update of a service", () => {
  const prepared = (next: object, previous: object = {}) => {
    const [is, was] = [service(next), allocated(previous)];
    rules.prepareForUpdate?.(is, was);
    return is.spec;
  };

  test("that does not speak of addresses keeps them", () => {
    expect(prepared({})).toMatchObject({ clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], ipFamilies: ["IPv4"] });
    const ports = [{ port: 80, nodePort: 30080 }];
    expect(prepared({ type: "NodePort" }, { type: "NodePort", ports }).ports?.[0]?.nodePort).toBe(30080);
  });

  test("of its type lets go of what the new one has not", () => {
    const ports = [{ port: 80, nodePort: 30080 }];
    const spec = prepared({ type: "ClusterIP", ports, externalTrafficPolicy: "Cluster" }, { type: "NodePort", ports });
    expect(spec.ports?.[0]).not.toHaveProperty("nodePort");
    expect(spec).not.toHaveProperty("externalTrafficPolicy");
    const external = prepared({
      type: "ExternalName",
      externalName: "a",
      clusterIP: "10.96.0.9",
      clusterIPs: ["10.96.0.9"],
    });
    expect(external).not.toHaveProperty("clusterIP");
  });

  test.each<[string, object]>([
    [
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.10"]: may not change once set',
      { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"] },
    ],
    ["spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset", { clusterIP: "", clusterIPs: [] }],
    ['spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set', { ipFamilies: ["IPv6"] }],
  ])("is refused: %s", (message, next) => {
    expect(rules.validateUpdate!(allocated(next), allocated()).map(describeFieldError)).toContain(message);
  });

  test("may add a second family", () => {
    const dual = {
      clusterIPs: ["10.96.0.9", "fd00::9"],
      ipFamilies: ["IPv4", "IPv6"],
      ipFamilyPolicy: "PreferDualStack",
    };
    expect(rules.validateUpdate!(allocated(dual), allocated())).toEqual([]);
    expect(complaints(allocated(dual))).toEqual([]);
  });

  test("at its creation brings clusterIP and clusterIPs together", () => {
    const created = service({ clusterIP: "None" }, { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } });
    rules.prepareForCreate?.(created);
    expect(created.spec.clusterIPs).toEqual(["None"]);
    expect(created.status).toEqual({ loadBalancer: {} });
  });
});

test.each<[object, object | undefined, string[]]>([
  [{}, undefined, ["ClusterIP", "10.96.0.9", "<none>", "80/TCP"]],
  [
    { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] },
    undefined,
    ["NodePort", "10.96.0.9", "<none>", "80:30080/TCP"],
  ],
  [{ type: "LoadBalancer" }, undefined, ["LoadBalancer", "10.96.0.9", "<pending>", "80/TCP"]],
  [
    { type: "LoadBalancer" },
    { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } },
    ["LoadBalancer", "10.96.0.9", "1.2.3.4", "80/TCP"],
  ],
  [{ clusterIP: "None", clusterIPs: ["None"], ports: [] }, undefined, ["ClusterIP", "None", "<none>", "<none>"]],
  [
    { type: "ExternalName", externalName: "a.b", clusterIPs: undefined, ports: [] },
    undefined,
    ["ExternalName", "<none>", "a.b", "<none>"],
  ],
])("%j is printed as kubectl has it", (spec, status, expected) => {
  const object = allocated(spec);
  if (status) object.status = status;
  const table = tableOf(rules, [object], { now: Date.UTC(2025, 0, 1, 0, 1) });
  expect(table.columnDefinitions.map(({ name }) => name)).toEqual([
    "Name",
    "Type",
    "Cluster-IP",
    "External-IP",
    "Port(s)",
    "Age",
    "Selector",
  ]);
  expect(table.rows[0]?.cells).toEqual(["s", ...expected, "60s", "<none>"]);
});
