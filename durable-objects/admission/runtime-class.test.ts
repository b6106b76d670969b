import { expect, test } from "vitest";
import { TestCluster } from "../../test/support/cluster.ts";

async function clusterWith(runtimeClass: object) {
  const cluster = new TestCluster({ controllers: [] });
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  await cluster.ask("default", "create", "serviceaccounts", { object: account });
  const object = {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: { name: "slow" },
    handler: "slow",
    ...runtimeClass,
  };
  expect((await cluster.ask("", "create", "node.k8s.io/v1/runtimeclasses", { object })).code).toBe(201);
  return (spec: object) =>
    cluster.ask("default", "create", "pods", {
      object: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "p" },
        spec: { containers: [{ name: "c", image: "i" }], ...spec },
      },
    });
}

test("a pod gets its runtime's overhead, and the places where that runtime is", async () => {
  const create = await clusterWith({
    overhead: { podFixed: { cpu: "100m" } },
    scheduling: {
      nodeSelector: { runtime: "slow" },
      tolerations: [{ key: "slow", operator: "Exists" }],
    },
  });
  const { body } = await create({
    runtimeClassName: "slow",
    nodeSelector: { own: "x" },
    tolerations: [{ key: "slow", operator: "Equal", value: "v", effect: "NoSchedule" }],
  });
  expect(body.spec.overhead).toEqual({ cpu: "100m" });
  expect(body.spec.nodeSelector).toEqual({ own: "x", runtime: "slow" });
  expect(body.spec.tolerations).toContainEqual({ key: "slow", operator: "Exists" });
  expect(body.spec.tolerations.filter(({ key }: any) => key === "slow")).toHaveLength(1);
});

test.each([
  [{ runtimeClassName: "absent" }, 'pods "p" is forbidden: pod rejected: RuntimeClass "absent" not found'],
  [
    { overhead: { cpu: "1" } },
    'pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
  ],
  [
    { runtimeClassName: "slow", overhead: { cpu: "1" } },
    `pods "p" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead`,
  ],
  [
    { runtimeClassName: "slow", nodeSelector: { runtime: "other" } },
    'pods "p" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[runtime] = slow; pod.spec.nodeSelector[runtime] = other',
  ],
])("a pod that contradicts it is refused: %j", async (spec, message) => {
  const create = await clusterWith({
    overhead: { podFixed: { cpu: "100m" } },
    scheduling: { nodeSelector: { runtime: "slow" } },
  });
  const { code, body } = await create(spec);
  expect([code, body.message]).toEqual([403, message]);
});
