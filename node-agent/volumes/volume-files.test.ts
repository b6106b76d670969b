import { expect, test } from "vitest";
import type { PodObject } from "../../api/kinds/pod.ts";
import type { KubeObject } from "../../api/object.ts";
import { checkedPath, volumeFiles } from "./volume-files.ts";

const POD: PodObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "shop", uid: "u1", labels: { b: "2", a: "1" } },
  spec: { containers: [{ name: "app", image: "a", resources: { limits: { cpu: "1500m" } } }] },
};
const OBJECTS: Record<string, KubeObject> = {
  "configmaps/config": {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "config" },
    data: { "a.txt": "A", "b.txt": "B" },
    binaryData: { bin: Buffer.from([0, 255]).toString("base64") },
  },
  "secrets/keys": {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "keys" },
    data: { pw: Buffer.from("s3").toString("base64") },
  },
};
const CONTEXT = {
  objects: (resource: string, name: string) => OBJECTS[`${resource}/${name}`],
  addresses: { podIps: [], nodeIps: [] },
  allocatable: {},
};
const filesOf = (volume: object) =>
  Object.fromEntries(
    [...volumeFiles(POD, { name: "v", ...volume }, CONTEXT)].map(([path, { data, mode }]) => [
      path,
      `${Buffer.from(data).toString("latin1")} ${mode.toString(8)}`,
    ]),
  );

test("a ConfigMap becomes a file for each key, binary ones included", () => {
  expect(filesOf({ configMap: { name: "config" } })).toEqual({ "a.txt": "A 644", "b.txt": "B 644", bin: "\0\xff 644" });
});

test("items choose keys, their paths and modes", () => {
  const items = [
    { key: "a.txt", path: "deep/er/a" },
    { key: "b.txt", path: "b", mode: 0o400 },
  ];
  expect(filesOf({ configMap: { name: "config", items, defaultMode: 0o600 } })).toEqual({
    "deep/er/a": "A 600",
    b: "B 400",
  });
});

test("a Secret is decoded", () => {
  expect(filesOf({ secret: { secretName: "keys", defaultMode: 0o400 } })).toEqual({ pw: "s3 400" });
});

test("the downward API gives fields and resources", () => {
  const items = [
    { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
    { path: "cpu", resourceFieldRef: { containerName: "app", resource: "limits.cpu", divisor: "1m" } },
  ];
  expect(filesOf({ downwardAPI: { items } })).toEqual({ labels: 'a="1"\nb="2" 644', cpu: "1500 644" });
});

test("a projected volume holds all of its sources", () => {
  const sources = [
    { configMap: { name: "config", items: [{ key: "a.txt", path: "a" }] } },
    { secret: { name: "keys" } },
  ];
  expect(filesOf({ projected: { sources, defaultMode: 0o440 } })).toEqual({ a: "A 440", pw: "s3 440" });
});

test.each([
  [{ configMap: { name: "none" } }, 'configmap "none" not found'],
  [{ secret: { secretName: "none" } }, 'secret "none" not found'],
  [{ configMap: { name: "config", items: [{ key: "none", path: "x" }] } }, "references non-existent config key: none"],
  [{ secret: { secretName: "keys", items: [{ key: "none", path: "x" }] } }, "references non-existent secret key: none"],
  [{ projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }, "cannot project service account tokens"],
])("%j cannot be filled", (volume, message) => {
  expect(() => filesOf(volume)).toThrow(message);
});

test("what is optional may be missing", () => {
  expect(filesOf({ configMap: { name: "none", optional: true } })).toEqual({});
  expect(filesOf({ secret: { secretName: "keys", optional: true, items: [{ key: "none", path: "x" }] } })).toEqual({});
});

test.each(["../x", "a/../../x", "/etc/passwd", "..data", "", "a\0b"])("%j does not stay in the volume", (path) => {
  expect(() => checkedPath(path)).toThrow("invalid path");
});

test("a path is brought to its plain form", () => {
  expect(checkedPath("./a//b")).toBe("a/b");
});
