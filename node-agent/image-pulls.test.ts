import { expect, test } from "vitest";
import { imageNameProblem, pullPolicy, registryAuth, registryOf } from "./image-pulls.ts";

test.each([
  ["busybox", "Always"],
  ["busybox:latest", "Always"],
  ["busybox:1", "IfNotPresent"],
  ["localhost:5000/a/b", "Always"],
  ["localhost:5000/a/b:1", "IfNotPresent"],
  [`busybox@sha256:${"a".repeat(64)}`, "IfNotPresent"],
])("%s is by default pulled %s", (image, expected) => {
  expect(pullPolicy({ name: "a", image })).toBe(expected);
});

test("a policy that is set stands", () => {
  expect(pullPolicy({ name: "a", image: "busybox", imagePullPolicy: "Never" })).toBe("Never");
});

test.each(["busybox", "a/b-c.d:V_1.2", "localhost:5000/a/b:1", "127.0.0.1:9/no:1", `x.io/y@sha256:${"0".repeat(64)}`])(
  "%s is an image's name",
  (image) => {
    expect(imageNameProblem(image)).toBeUndefined();
  },
);

test.each(["", "UPPER", "a b", "a:b:c", "a:", "/a", "a//b", "a@sha256:zz", "http://x/y", "-a"])(
  "%j is none",
  (image) => {
    expect(imageNameProblem(image)).toMatch(/^invalid reference format/);
  },
);

test.each([
  ["busybox:1", "docker.io"],
  ["library/busybox", "docker.io"],
  ["localhost/x", "localhost"],
  ["reg.io:5000/x:1", "reg.io:5000"],
])("%s comes from %s", (image, registry) => {
  expect(registryOf(image)).toBe(registry);
});

const secret = (auths: object) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "pull" },
  data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") },
});

test("credentials are those of the image's registry", () => {
  const secrets = [
    secret({ "other.io": { username: "no" }, "https://reg.io:5000/v2/": { username: "me", password: "pw" } }),
  ];
  expect(registryAuth("reg.io:5000/x:1", secrets)).toEqual({ username: "me", password: "pw" });
  expect(registryAuth("elsewhere.io/x:1", secrets)).toBeUndefined();
});

test("Docker Hub's own address counts for names without a registry", () => {
  expect(registryAuth("busybox", [secret({ "https://index.docker.io/v1/": { auth: "abc" } })])).toEqual({
    auth: "abc",
  });
});

test("a secret that is no JSON gives none", () => {
  const broken = { ...secret({}), data: { ".dockerconfigjson": "bm90IGpzb24=" } };
  expect(registryAuth("busybox", [broken])).toBeUndefined();
});
