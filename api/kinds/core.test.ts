import { describe, expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import type { Kind } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import { tableOf } from "../table.ts";
import { decodeText } from "./base64.ts";
import { ConfigMap } from "./config-map.ts";
import { EndpointSlice } from "./endpoint-slice.ts";
import { Endpoints } from "./endpoints.ts";
import { Event } from "./event.ts";
import { Namespace } from "./namespace.ts";
import { Node } from "./node.ts";
import { Secret } from "./secret.ts";

const object = (kind: Kind<any>, more: object = {}): any => {
  const made = {
    apiVersion: "v1",
    kind: kind.kind,
    metadata: {
      name: "a",
      creationTimestamp: "2025-01-01T00:00:00Z",
      ...(kind.namespaced && { namespace: "default" }),
    },
    ...more,
  } as KubeObject;
  kind.rules.setDefaults?.(made);
  return made;
};
const complaints = (kind: Kind<any>, more: object): string[] =>
  kind.rules.validate!(object(kind, more)).map(describeFieldError);
const updated = (kind: Kind<any>, next: object, previous: object): string[] =>
  kind.rules.validateUpdate!(object(kind, next), object(kind, previous)).map(describeFieldError);
const cells = (kind: Kind<any>, more: object) => {
  const table = tableOf(kind.rules, [object(kind, more)], { now: Date.UTC(2025, 0, 1, 0, 1) });
  return Object.fromEntries(table.columnDefinitions.map(({ name }, i) => [name, table.rows[0]!.cells[i]]));
};
const MIB = 1024 * 1024;

describe("ConfigMap", () => {
  test("of any text is fine", () =>
    expect(complaints(ConfigMap, { data: { "a.b": "é" }, binaryData: { c: "AAA=" } })).toEqual([]));

  test.each<[string, object]>([
    ['data[a b]: Invalid value: "a b": a valid config key must consist of', { data: { "a b": "" } }],
    ["binaryData[..]: Invalid value: \"..\": must not be '..'", { binaryData: { "..": "" } }],
    ['data[a]: Invalid value: "a": duplicate of key present in binaryData', { data: { a: "" }, binaryData: { a: "" } }],
    [": Too long: may not be more than 1048576 bytes", { data: { a: "a".repeat(MIB + 1) } }],
    [": Too long: may not be more than 1048576 bytes", { data: { a: "é".repeat(MIB / 2 + 1) } }],
  ])("is refused: %s", (message, more) => expect(complaints(ConfigMap, more)[0]).toContain(message));

  test("of one MiB is not too long", () => expect(complaints(ConfigMap, { data: { a: "a".repeat(MIB) } })).toEqual([]));

  test("that is immutable stays so", () => {
    const previous = { data: { a: "1" }, immutable: true };
    expect(updated(ConfigMap, { data: { a: "1" }, immutable: true }, previous)).toEqual([]);
    expect(updated(ConfigMap, { data: { a: "2" } }, previous)).toEqual([
      "immutable: Forbidden: field is immutable when `immutable` is set",
      "data: Forbidden: field is immutable when `immutable` is set",
    ]);
    expect(updated(ConfigMap, { data: { a: "2" } }, { data: { a: "1" } })).toEqual([]);
  });
});

describe("Secret", () => {
  test("keeps what was written as text as data, over what data says", () => {
    const secret = object(Secret, { data: { a: "b2xk", b: "Yg==" }, stringData: { a: "new é" } });
    expect(secret).not.toHaveProperty("stringData");
    expect(secret.type).toBe("Opaque");
    expect(decodeText(secret.data.a)).toBe("new é");
    expect(secret.data.b).toBe("Yg==");
  });

  test.each<[string, object]>([
    [
      "metadata.annotations[kubernetes.io/service-account.name]: Required value",
      { type: "kubernetes.io/service-account-token" },
    ],
    ["data[tls.crt]: Required value", { type: "kubernetes.io/tls", stringData: { "tls.key": "" } }],
    ["data[.dockerconfigjson]: Required value", { type: "kubernetes.io/dockerconfigjson" }],
    [
      'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>"',
      { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "hush" } },
    ],
    ["data[username]: Required value", { type: "kubernetes.io/basic-auth" }],
    ["data[ssh-privatekey]: Required value", { type: "kubernetes.io/ssh-auth" }],
    ["data: Too long: may not be more than 1048576 bytes", { stringData: { a: "a".repeat(MIB + 1) } }],
  ])("is refused: %s", (message, more) => {
    const [complaint] = complaints(Secret, more);
    expect(complaint).toContain(message);
    expect(complaint).not.toContain("hush");
  });

  test("of each sort is fine with its keys", () => {
    expect(complaints(Secret, { type: "kubernetes.io/tls", stringData: { "tls.crt": "", "tls.key": "" } })).toEqual([]);
    expect(complaints(Secret, { type: "kubernetes.io/basic-auth", stringData: { password: "" } })).toEqual([]);
    expect(
      complaints(Secret, { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "{}" } }),
    ).toEqual([]);
    expect(complaints(Secret, { type: "example.com/mine" })).toEqual([]);
  });

  test("keeps its type", () => {
    expect(updated(Secret, { type: "b" }, { type: "a" })).toEqual(['type: Invalid value: "b": field is immutable']);
  });
});

describe("Namespace", () => {
  test("begins active, with its name as a label and Kubernetes' finalizer", () => {
    const namespace = object(Namespace);
    Namespace.rules.prepareForCreate?.(namespace);
    expect(namespace).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": "a" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
    expect(complaints(Namespace, { spec: { finalizers: ["mine"] } })).toEqual([
      'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ]);
  });

  test("keeps finalizers and status through an update", () => {
    const next = object(Namespace, { spec: {}, status: { phase: "Terminating" } });
    Namespace.rules.prepareForUpdate?.(
      next,
      object(Namespace, { spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } }),
    );
    expect(next).toMatchObject({ spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
  });

  test("is terminating when it is being deleted, and only then", () => {
    const check = (namespace: object) =>
      Namespace.rules.validateStatusUpdate!(object(Namespace, namespace), object(Namespace)).map(describeFieldError);
    expect(check({ status: { phase: "Active" } })).toEqual([]);
    expect(check({ status: { phase: "Terminating" } })[0]).toContain(
      "may only be 'Active' if `deletionTimestamp` is empty",
    );
  });
});

describe("Node", () => {
  const ready = (status: string) => ({
    conditions: [{ type: "Ready", status }],
    nodeInfo: { kubeletVersion: "v1.36.0" },
  });

  test.each<[string, object]>([
    ["Ready", { spec: {}, status: ready("True") }],
    ["NotReady", { spec: {}, status: ready("Unknown") }],
    ["Unknown", { spec: {} }],
    ["Ready,SchedulingDisabled", { spec: { unschedulable: true }, status: ready("True") }],
  ])("is printed %s", (status, more) => expect(cells(Node, more)["Status"]).toBe(status));

  test("is printed with roles and addresses", () => {
    const metadata = { name: "n", labels: { "node-role.kubernetes.io/b": "", "kubernetes.io/role": "a" } };
    const status = { ...ready("True"), addresses: [{ type: "InternalIP", address: "10.0.0.1" }] };
    expect(cells(Node, { metadata, spec: {}, status })).toMatchObject({
      Roles: "a,b",
      Version: "v1.36.0",
      "Internal-IP": "10.0.0.1",
      "External-IP": "<none>",
      "OS-Image": "<unknown>",
    });
    expect(cells(Node, { spec: {} })["Roles"]).toBe("<none>");
  });

  test("allocates what it has, unless it says otherwise", () => {
    expect(object(Node, { status: { capacity: { cpu: "2000m" } } }).status.allocatable).toEqual({ cpu: "2" });
  });

  test.each<[string, object]>([
    ["metadata.taints[0].effect: Required value", { taints: [{ key: "a" }] }],
    [
      'metadata.taints[0].effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      { taints: [{ key: "a", effect: "x" }] },
    ],
    [
      "taints must be unique by key and effect pair",
      {
        taints: [
          { key: "a", effect: "NoExecute" },
          { key: "a", effect: "NoExecute", value: "b" },
        ],
      },
    ],
    ["spec.podCIDRs[0]: Invalid value", { podCIDRs: ["x"] }],
    ["may specify no more than one CIDR for each IP family", { podCIDRs: ["10.0.0.0/24", "10.0.1.0/24"] }],
  ])("is refused: %s", (message, spec) => expect(complaints(Node, { spec })[0]).toContain(message));

  test("keeps its pod network and its provider's name", () => {
    const previous = { spec: { podCIDRs: ["10.0.0.0/24"], providerID: "a" } };
    expect(updated(Node, { spec: { podCIDRs: ["10.0.1.0/24"], providerID: "b" } }, previous)).toEqual([
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ]);
    expect(updated(Node, previous, { spec: {} })).toEqual([]);
  });
});

describe("Event", () => {
  const involvedObject = { kind: "Pod", name: "p", namespace: "default", fieldPath: "spec.containers{c}" };

  test("is printed as kubectl has it", () => {
    const event = {
      involvedObject,
      type: "Normal",
      reason: "Pulled",
      message: " done\n",
      source: { component: "kubelet", host: "n1" },
      firstTimestamp: "2025-01-01T00:00:00Z",
      lastTimestamp: "2025-01-01T00:00:30Z",
      count: 3,
    };
    expect(cells(Event, event)).toEqual({
      "Last Seen": "30s",
      Type: "Normal",
      Reason: "Pulled",
      Object: "pod/p",
      Subobject: "spec.containers{c}",
      Source: "kubelet, n1",
      Message: "done",
      "First Seen": "60s",
      Count: 3,
      Name: "a",
    });
    expect(cells(Event, { involvedObject, eventTime: "2025-01-01T00:00:50.000000Z" })).toMatchObject({
      "Last Seen": "10s",
      Count: 1,
    });
  });

  test("lives where its object lives", () => {
    expect(complaints(Event, { involvedObject })).toEqual([]);
    expect(complaints(Event, { involvedObject: { kind: "Node", name: "n" } })).toEqual([]);
    expect(complaints(Event, { involvedObject: { ...involvedObject, namespace: "other" } })).toEqual([
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ]);
  });
});

describe("Endpoints and EndpointSlice", () => {
  const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];

  test("are printed with three addresses at most", () => {
    const subsets = [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ port: 80 }] }];
    expect(cells(Endpoints, { subsets })["Endpoints"]).toBe("10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...");
    expect(cells(Endpoints, {})["Endpoints"]).toBe("<none>");
    const slice = {
      addressType: "IPv4",
      endpoints: addresses.map((ip) => ({ addresses: [ip] })),
      ports: [{ port: 80 }],
    };
    expect(cells(EndpointSlice, slice)).toMatchObject({
      Ports: "80",
      Endpoints: "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...",
    });
    expect(cells(EndpointSlice, { addressType: "IPv4", endpoints: [] })["Endpoints"]).toBe("<unset>");
  });

  test.each<[string, Kind<any>, object]>([
    ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`", Endpoints, { subsets: [{}] }],
    [
      'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address',
      Endpoints,
      { subsets: [{ addresses: [{ ip: "x" }] }] },
    ],
    ["addressType: Required value", EndpointSlice, { endpoints: [] }],
    [
      "endpoints[0].addresses: Required value: must contain at least 1 address",
      EndpointSlice,
      { addressType: "IPv4", endpoints: [{ addresses: [] }] },
    ],
    [
      'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address',
      EndpointSlice,
      { addressType: "IPv4", endpoints: [{ addresses: ["fd00::1"] }] },
    ],
    [
      "endpoints: Too many: 1001: must have at most 1000 items",
      EndpointSlice,
      { addressType: "IPv4", endpoints: Array(1001).fill({ addresses: ["10.0.0.1"] }) },
    ],
    [
      'ports[1].name: Duplicate value: ""',
      EndpointSlice,
      { addressType: "IPv4", endpoints: [], ports: [{ port: 1 }, { port: 2 }] },
    ],
  ])("are refused: %s", (message, kind, more) => expect(complaints(kind, more)[0]).toContain(message));
});
