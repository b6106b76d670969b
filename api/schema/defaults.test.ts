import { expect, test } from "vitest";
import { findKind } from "../kinds.ts";
import { decodeValue } from "./decode.ts";
import { applyDefaults } from "./defaults.ts";

const defaulted = (group: string, version: string, resource: string, value: unknown) => {
  const info = findKind(group, version, resource)!;
  const { object } = decodeValue(info, value);
  applyDefaults(info, object);
  return object;
};

test("defaults of the schema are set wherever their parent is", () => {
  const pod = defaulted("", "v1", "pods", {
    spec: {
      containers: [
        {
          ports: [{ containerPort: 80 }, { containerPort: 53, protocol: "UDP" }],
          livenessProbe: { grpc: { port: 1 } },
        },
      ],
    },
  });
  const [container] = pod["spec"].containers;
  expect(container.ports.map((port: { protocol: string }) => port.protocol)).toEqual(["TCP", "UDP"]);
  expect(container.livenessProbe.grpc).toEqual({ port: 1, service: "" });
  expect(container.readinessProbe).toBeUndefined();
});

test("a zero that is given stays where zero is not absence", () => {
  const controller = (spec: unknown) => defaulted("", "v1", "replicationcontrollers", { spec })["spec"].replicas;
  expect(controller({})).toBe(1);
  expect(controller({ replicas: 0 })).toBe(0);
});

test("a kind without defaults in its schema is left as it is", () => {
  expect(defaulted("", "v1", "configmaps", { data: { a: "b" } })).toEqual({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {},
    data: { a: "b" },
  });
});
