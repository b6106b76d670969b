import { expect, test } from "vitest";
import { TestPlatform, testHome, watchEvents } from "../../test/support/home.ts";
import type { RequestOptions } from "../protocol.ts";

const configMap = (name: string, value: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels: { value } },
});

test("everybody who has caught up is told a commit as they see it: all alike, and each who selects", async () => {
  const { ask, watch, settle } = testHome();
  const open = (options: RequestOptions) => watchEvents(watch("configmaps", { timeoutSeconds: 60, ...options })).rest();
  const asked: RequestOptions[] = [
    {},
    {},
    { labelSelector: "value=x" },
    { fieldSelector: "metadata.name=b" },
    { allowWatchBookmarks: true },
  ];
  const told = asked.map(open);
  await settle();
  await ask("create", "configmaps", { object: configMap("a", "x") });
  await ask("create", "configmaps", { object: configMap("b", "y") });
  await ask("update", "configmaps/a", { object: configMap("a", "y") });
  await ask("delete", "configmaps/b");
  await settle(60_000);
  const shown = (await Promise.all(told)).map((events) =>
    events
      .filter(({ type }) => type !== "BOOKMARK")
      .map(({ type, object }) => `${type} ${object.metadata.name} ${object.metadata.labels.value}`),
  );
  const all = ["ADDED a x", "ADDED b y", "MODIFIED a y", "DELETED b y"];
  expect(shown).toEqual([all, all, ["ADDED a x", "DELETED a x"], ["ADDED b y", "DELETED b y"], all]);
});

test("from now on means from when the watch was opened, not from when it is first read", async () => {
  const { ask, watch, settle } = testHome();
  await ask("create", "configmaps", { object: configMap("before", "x") });
  const answer = watch("configmaps", {
    sendInitialEvents: false,
    resourceVersionMatch: "NotOlderThan",
    timeoutSeconds: 60,
  });
  await ask("create", "configmaps", { object: configMap("after", "x") });
  const events = watchEvents(answer).rest();
  await settle(60_000);
  expect((await events).map(({ object }) => object.metadata.name)).toEqual(["after"]);
});

test("what a bookmark says is over is over, also where the revision came from a home whose clock is ahead", async () => {
  const { ask, watch, home, settle } = testHome();
  await ask("create", "configmaps", { object: configMap("a", "x") });
  const ahead = home.store.revision + 1_000_000;
  await home.lease.stayAbove(ahead);
  const answer = watch("configmaps", {
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    resourceVersion: String(ahead),
    allowWatchBookmarks: true,
    timeoutSeconds: 10,
  });
  const told = watchEvents(answer).rest();
  await settle();
  await ask("create", "configmaps", { object: configMap("b", "x") });
  await settle(10_000);
  const [, bookmark, added] = await told;
  expect([bookmark.type, bookmark.object.metadata.resourceVersion]).toEqual(["BOOKMARK", String(ahead)]);
  expect(added.object.metadata.name).toBe("b");
  expect(Number(added.object.metadata.resourceVersion)).toBeGreaterThan(ahead);
});

test("what is not on the disk yet is told to nobody, and no bookmark says that it is over", async () => {
  const flushes: (() => void)[] = [];
  const platform = Object.assign(new TestPlatform(), { onDisk: (work: () => void) => void flushes.push(work) });
  const { ask, watch, settle } = testHome({ platform });
  const [early, late] = [[] as any[], [] as any[]];
  const follow = async (into: any[]) => {
    const events = watchEvents(watch("configmaps", { resourceVersion: "1", allowWatchBookmarks: true }));
    for (;;) into.push(...(await events.take(1)));
  };
  void follow(early);
  const first = Number(
    (await ask("create", "configmaps", { object: configMap("a", "x") })).body.metadata.resourceVersion,
  );
  await settle();
  expect(early).toEqual([]);
  // Its answer leaves when that is on the disk: it may be told.
  void follow(late);
  await settle(51_000);
  expect(early.map(({ type }) => type)).toEqual(["BOOKMARK"]);
  expect(Number(early[0].object.metadata.resourceVersion)).toBeLessThan(first);
  flushes.shift()!();
  await settle();
  expect(early[1]).toMatchObject({ type: "ADDED", object: { metadata: { name: "a" } } });
  expect(late.filter(({ type }) => type === "ADDED")).toHaveLength(1);
  expect(flushes).toEqual([]);
});
