import { expect, test } from "vitest";
import type { PodObject } from "../api/kinds/pod.ts";
import type { ServiceObject } from "../api/kinds/service.ts";
import type { KubeObject } from "../api/object.ts";
import { type EnvironmentContext, environment, expand, serviceEnvironment } from "./env.ts";

const POD: PodObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "shop", uid: "u1", labels: { app: "web" }, annotations: { note: "hi" } },
  spec: { nodeName: "n1", serviceAccountName: "default", containers: [] },
};

const OBJECTS: Record<string, KubeObject> = {
  "configmaps/config": {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "config" },
    data: { color: "red", size: "L" },
  },
  "secrets/keys": {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "keys" },
    data: { password: Buffer.from("pässword").toString("base64") },
  },
};

const context = (more: Partial<EnvironmentContext> = {}): EnvironmentContext => ({
  objects: (resource, name) => OBJECTS[`${resource}/${name}`],
  addresses: { podIps: ["10.0.0.2"], nodeIps: ["192.168.0.1"] },
  allocatable: { cpu: "2", memory: "1000Ki" },
  services: [],
  ...more,
});

const environmentOf = (container: object, more: Partial<EnvironmentContext> = {}) =>
  Object.fromEntries(environment(POD, { name: "app", image: "a", ...container }, context(more)));

test.each([
  ["plain", "plain"],
  ["$(A)", "1"],
  ["$(A)$(B)", "12"],
  ["$(MISSING)", "$(MISSING)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$A", "$A"],
  ["$", "$"],
  ["$(A", "$(A"],
  ["a $(A) b", "a 1 b"],
])("%s expands to %s", (text, expected) => {
  expect(expand(text, (name) => ({ A: "1", B: "2" })[name])).toBe(expected);
});

test("variables refer to those before them, and not to those after", () => {
  const env = [
    { name: "A", value: "$(B)" },
    { name: "B", value: "2" },
    { name: "C", value: "$(A)-$(B)" },
  ];
  expect(environmentOf({ env })).toEqual({ A: "$(B)", B: "2", C: "$(B)-2" });
});

test("envFrom comes first and with its prefix, env wins over it", () => {
  const envFrom = [{ configMapRef: { name: "config" } }, { prefix: "KEY_", secretRef: { name: "keys" } }];
  const env = [{ name: "color", value: "blue" }];
  expect(environmentOf({ envFrom, env })).toEqual({ color: "blue", size: "L", KEY_password: "pässword" });
});

test("keys, fields and resources are resolved", () => {
  const env = [
    { name: "COLOR", valueFrom: { configMapKeyRef: { name: "config", key: "color" } } },
    { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "keys", key: "password" } } },
    { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "LABEL", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
    { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
    { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
    { name: "HOST", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
    { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } },
    { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "requests.memory", divisor: "1Mi" } } },
  ];
  expect(environmentOf({ env, resources: { requests: { memory: "1500Ki" } } })).toEqual({
    COLOR: "red",
    PASSWORD: "pässword",
    POD: "web",
    LABEL: "web",
    NODE: "n1",
    IP: "10.0.0.2",
    HOST: "192.168.0.1",
    CPU: "2000", // Without a limit: what the node has.
    MEMORY: "2", // Rounded up.
  });
});

test.each([
  [{ configMapKeyRef: { name: "none", key: "k" } }, 'configmap "none" not found'],
  [{ configMapKeyRef: { name: "config", key: "none" } }, "couldn't find key none in ConfigMap shop/config"],
  [{ secretKeyRef: { name: "none", key: "k" } }, 'secret "none" not found'],
  [{ secretKeyRef: { name: "keys", key: "none" } }, "couldn't find key none in Secret shop/keys"],
])("what is missing is told in kubelet's words, and ignored if optional", (valueFrom, message) => {
  expect(() => environmentOf({ env: [{ name: "A", valueFrom }] })).toThrow(message);
  const [[kind, reference]] = Object.entries(valueFrom) as [[string, object]];
  expect(environmentOf({ env: [{ name: "A", valueFrom: { [kind]: { ...reference, optional: true } } }] })).toEqual({});
});

test("a missing envFrom source is an error unless it is optional", () => {
  expect(() => environmentOf({ envFrom: [{ configMapRef: { name: "none" } }] })).toThrow('configmap "none" not found');
  expect(environmentOf({ envFrom: [{ secretRef: { name: "none", optional: true } }] })).toEqual({});
});

const service = (name: string, namespace: string, clusterIP: string, ports: object[]): ServiceObject =>
  ({ apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { clusterIP, ports } }) as ServiceObject;

test("services of the namespace, and kubernetes, give their variables", () => {
  const services = [
    service("redis-master", "shop", "10.96.0.7", [{ name: "data", port: 6379, protocol: "TCP" }]),
    service("kubernetes", "default", "10.96.0.1", [{ name: "https", port: 443 }]),
    service("headless", "shop", "None", [{ port: 80 }]),
    service("other", "elsewhere", "10.96.0.9", [{ port: 80 }]),
  ];
  expect(Object.fromEntries(serviceEnvironment(POD, services))).toEqual({
    REDIS_MASTER_SERVICE_HOST: "10.96.0.7",
    REDIS_MASTER_SERVICE_PORT: "6379",
    REDIS_MASTER_SERVICE_PORT_DATA: "6379",
    REDIS_MASTER_PORT: "tcp://10.96.0.7:6379",
    REDIS_MASTER_PORT_6379_TCP: "tcp://10.96.0.7:6379",
    REDIS_MASTER_PORT_6379_TCP_PROTO: "tcp",
    REDIS_MASTER_PORT_6379_TCP_PORT: "6379",
    REDIS_MASTER_PORT_6379_TCP_ADDR: "10.96.0.7",
    KUBERNETES_SERVICE_HOST: "10.96.0.1",
    KUBERNETES_SERVICE_PORT: "443",
    KUBERNETES_SERVICE_PORT_HTTPS: "443",
    KUBERNETES_PORT: "tcp://10.96.0.1:443",
    KUBERNETES_PORT_443_TCP: "tcp://10.96.0.1:443",
    KUBERNETES_PORT_443_TCP_PROTO: "tcp",
    KUBERNETES_PORT_443_TCP_PORT: "443",
    KUBERNETES_PORT_443_TCP_ADDR: "10.96.0.1",
  });
});

test("without service links only kubernetes is told, and a container's own variable wins", () => {
  const services = [
    service("redis", "shop", "10.96.0.7", [{ port: 1 }]),
    service("kubernetes", "default", "10.96.0.1", [{ port: 443 }]),
  ];
  const unlinked = { ...POD, spec: { ...POD.spec, enableServiceLinks: false } };
  expect([...serviceEnvironment(unlinked, services).keys()]).not.toContain("REDIS_SERVICE_HOST");
  const env = [{ name: "KUBERNETES_SERVICE_HOST", value: "mine" }];
  expect(environmentOf({ env }, { services })["KUBERNETES_SERVICE_HOST"]).toBe("mine");
});
