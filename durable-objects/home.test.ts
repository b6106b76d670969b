import { expect, test, vi } from "vitest";
import { ConfigMap } from "../api/kinds/config-map.ts";
import { Secret } from "../api/kinds/secret.ts";
import { TestPlatform, testHome } from "../test/support/home.ts";
import { defineController } from "./controllers/controller.ts";

const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

/** Gives every ConfigMap a Secret of the same name. */
const twin = defineController({
  name: "twin",
  for: ConfigMap,
  reconcile({ metadata: { name } }, view) {
    if (view.get(Secret, name)) return { writes: [] };
    return {
      writes: [{ op: "create", kind: Secret, object: { apiVersion: "v1", kind: "Secret", metadata: { name } } }],
    };
  },
});

test("controllers act on what was committed", async () => {
  const { ask, settle } = testHome({ controllers: [twin] });
  await ask("create", "configmaps", { object: configMap("a") });
  await settle();
  expect((await ask("get", "secrets/a")).code).toBe(200);
});

test("controllers act on what was committed just before the process was killed, woken by the alarm", async () => {
  const platform = new TestPlatform();
  const { home } = testHome({ controllers: [twin], platform });
  const answered = home.handle({
    verb: "create",
    user: { name: "admin", groups: ["system:masters"] },
    target: { group: "", version: "v1", resource: "configmaps", namespace: "default", name: "", subresource: "" },
    options: {},
    body: JSON.stringify(configMap("a")),
  });
  await home.lease.whenOpen();
  await Promise.resolve();
  while (home.store.revision === 0) platform.step();
  expect((await answered).code).toBe(201);
  expect(home.store.read((tx) => tx.get("secrets", "a"))).toBeUndefined();
  expect(platform.alarmAt).toBeLessThanOrEqual(platform.time + 2_000);
  platform.dropTimers();
  const next = testHome({ controllers: [twin], platform });
  let isOver = false;
  void next.home.alarm().then(() => {
    isOver = true;
  });
  await Promise.resolve();
  expect(isOver, "an alarm that was over too early would be lost with the process").toBe(false);
  await next.settle();
  expect(isOver).toBe(true);
  expect(next.home.store.read((tx) => tx.get("secrets", "a"))).toBeDefined();
});

test("a controller that fails is tried again later, and told of in the log", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  let attempts = 0;
  const failing = defineController({
    name: "failing",
    for: ConfigMap,
    reconcile() {
      if (++attempts < 3) throw new Error("not yet");
      return { writes: [] };
    },
  });
  const { ask, settle, platform, home } = testHome({ controllers: [failing] });
  await ask("create", "configmaps", { object: configMap("a") });
  await settle();
  for (let i = 0; i < 5; i++) {
    await settle(1_000);
    if (platform.alarmAt !== undefined && platform.alarmAt <= platform.time) void home.alarm();
  }
  await settle();
  expect(attempts).toBe(3);
  expect(warn.mock.calls[0]?.[0]).toBe("failing a: attempt 1: not yet");
  warn.mockRestore();
});

test("a bug is a 500 that tells nothing of itself", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  const broken = {
    name: "Broken",
    admit: () => {
      throw new Error("secret detail");
    },
  };
  const { ask, home } = testHome({ admission: [broken] });
  const { code, text } = await ask("create", "configmaps", { object: configMap("a") });
  expect(code).toBe(500);
  expect(text).not.toContain("secret detail");
  expect(home.store.revision).toBe(0);
  error.mockRestore();
});
