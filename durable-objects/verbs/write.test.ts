import { expect, test } from "vitest";
import { testHome } from "../../test/support/home.ts";
import type { AdmissionPlugin } from "../admission/plugin.ts";
import type { Answer } from "./answers.ts";

const MINUTE = 60_000;

/** Asks elsewhere, and is answered when the test says so. */
function asking() {
  const { promise, resolve: answer } = Promise.withResolvers<Answer>();
  const plugin: AdmissionPlugin = {
    name: "Asking",
    admit: ({ answers }) => answers.to({ key: "webhook", ask: {}, answer: () => promise }),
  };
  return { plugin, answer };
}

const OBJECT = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "map" } };

test("a write that waits for others for a minute is given up, and what is answered later is given back", async () => {
  const { plugin, answer } = asking();
  const { ask, settle } = testHome({ admission: [plugin] });
  const answered = ask("create", "configmaps", { object: OBJECT });
  await settle();
  await settle(MINUTE);
  expect(await answered).toMatchObject({
    code: 504,
    body: { reason: "Timeout", message: "Timeout: request did not complete within the allotted timeout" },
  });
  const returned: string[] = [];
  answer({ value: "late", release: async () => void returned.push("late") });
  await settle();
  expect(returned).toEqual(["late"]);
  expect((await ask("get", "configmaps/map")).code).toBe(404);
});

test("a write that is answered in time is carried out", async () => {
  const { plugin, answer } = asking();
  const { ask, settle } = testHome({ admission: [plugin] });
  const answered = ask("create", "configmaps", { object: OBJECT });
  await settle();
  await settle(MINUTE / 2);
  answer({ value: "in time" });
  await settle();
  expect((await answered).code).toBe(201);
});
