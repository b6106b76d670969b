import { afterAll, beforeAll, describe, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { play } from "./program.ts";

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
});

afterAll(async () => {
  await cluster?.stop();
});

describe("a program made with client-go", () => {
  test.each([
    ["writes, reads and removes with types, in protobuf, and knows each error", "typed"],
    ["can list every kind that it has types for, in protobuf", "every-kind"],
    ["writes, applies and watches without types", "dynamic"],
    ["reads and changes metadata alone", "metadata"],
    ["applies what its generated configurations say, and reads back what it owns", "apply"],
    ["loses no count when many write one object", "retry"],
    ["gets and watches tables", "table"],
    ["streams a list, and what comes after it", "watch-list"],
    ["reads a list in pages of one revision", "pages"],
    ["maps names to resources by discovery, and reads the schemas", "discovery"],
    ["elects a leader, who stays so over kill -9 of the control plane", "leader-election"],
    ["has every object in its informers after kill -9 of the control plane", "informers"],
  ])("%s", async (_, scenario) => {
    await play(cluster, "client", scenario);
  });
});

test("an operator made with controller-runtime reconciles its own kind, over kill -9 of the control plane", async () => {
  await play(cluster, "operator", "reconcile");
});
