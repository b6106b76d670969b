import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { fuzz } from "./fuzz.ts";

/** Longer, and with other seeds: `npm run fuzz`. */
const MILLISECONDS = 20_000;
const SEED = 1;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
});

afterAll(async () => {
  await cluster?.stop();
});

test("arbitrary requests get honest answers, each of them, and memory does not grow", async () => {
  const { findings, codes } = await fuzz(cluster, { seed: SEED, milliseconds: MILLISECONDS });
  expect(findings).toEqual([]);
  // It has met more than the first refusal: something was read, stored, refused as invalid and as absent.
  expect(Object.keys(codes)).toEqual(expect.arrayContaining(["200", "201", "400", "404", "422"]));
});
