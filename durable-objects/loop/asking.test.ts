import { expect, test, vi } from "vitest";
import { ConfigMap } from "../../api/kinds/config-map.ts";
import { Secret } from "../../api/kinds/secret.ts";
import { forbidden } from "../../api/status.ts";
import { testHome } from "../../test/support/home.ts";
import type { Admission, AdmissionPlugin } from "../admission/plugin.ts";
import { defineController } from "../controllers/controller.ts";

/** For each ConfigMap as many Secrets as it says, with names that are drawn. */
const copier = defineController({
  name: "copier",
  for: ConfigMap,
  reconcile(map, view, { suffix }) {
    const missing = Number(map.data?.["copies"] ?? 0) - view.list(Secret).length;
    return {
      writes: Array.from({ length: Math.max(missing, 0) }, () => ({
        op: "create" as const,
        kind: Secret,
        object: { apiVersion: "v1", kind: "Secret", metadata: { name: `copy-${suffix()}` } },
      })),
    };
  },
});

/** As a mutating and then a validating webhook, both asked outside of the transaction. */
function asking(asked: unknown[], answer: (admission: Admission) => unknown = () => undefined): AdmissionPlugin {
  const ask = (admission: Admission, key: string): unknown => {
    if (admission.served.resource !== "secrets") return undefined;
    const { object } = admission;
    return admission.answers.to({
      key,
      ask: JSON.parse(JSON.stringify(object)),
      answer: async () => {
        asked.push(`${key} ${object.metadata.name} ${object.metadata.uid ? "with uid" : "without"}`);
        await Promise.resolve();
        return { value: answer(admission) ?? "label" };
      },
    });
  };
  return {
    name: "Asking",
    admit(admission) {
      const label = ask(admission, "mutating");
      if (typeof label === "string") admission.object.metadata.labels = { label };
    },
    validate: (admission) => void ask(admission, "validating"),
  };
}

const configMap = (copies: number) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "map" },
  data: { copies: String(copies) },
});

test("a controller's writes are asked about elsewhere, all of a plan together, and carried out as they were asked about", async () => {
  const asked: string[] = [];
  const { ask, settle } = testHome({ controllers: [copier], admission: [asking(asked)] });
  await ask("create", "configmaps", { object: configMap(2) });
  for (let i = 0; i < 5; i++) await settle(100);
  const { items } = (await ask("list", "secrets")).body;
  const names = items.map(({ metadata }: any) => metadata.name).sort();
  expect(items.map(({ metadata }: any) => metadata.labels)).toEqual([{ label: "label" }, { label: "label" }]);
  expect(asked.slice(0, 2).sort()).toEqual(names.map((name: string) => `mutating ${name} without`));
  expect(asked.slice(2).sort()).toEqual(names.map((name: string) => `validating ${name} with uid`));
});

test("what is refused elsewhere is tried again later, and leaves nothing", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const asked: string[] = [];
  let isRefused = true;
  const plugin = asking(asked, ({ served, name }) => {
    if (isRefused) throw forbidden(served.groupResource, name, "not now");
  });
  const { ask, settle, home } = testHome({ controllers: [copier], admission: [plugin] });
  await ask("create", "configmaps", { object: configMap(1) });
  await settle();
  await settle();
  expect((await ask("list", "secrets")).body.items).toEqual([]);
  isRefused = false;
  for (let i = 0; i < 5; i++) {
    await settle(400);
    void home.alarm();
    await settle();
  }
  expect((await ask("list", "secrets")).body.items).toHaveLength(1);
  warn.mockRestore();
});

test("an instance that is lost while it asks is made up for by the next", async () => {
  const first = testHome({ controllers: [copier], admission: [asking([], () => new Promise(() => undefined))] });
  await first.ask("create", "configmaps", { object: configMap(1) });
  await first.settle();
  first.platform.dropTimers();
  const { ask, settle, home } = testHome({ controllers: [copier], admission: [asking([])], platform: first.platform });
  void home.alarm();
  for (let i = 0; i < 5; i++) await settle(100);
  expect((await ask("list", "secrets")).body.items).toHaveLength(1);
});
