import { describe, expect, test } from "vitest";
import { printMoment } from "../../api/time-travel.ts";
import { ADMIN, readAnswer, targetOf, testHome } from "../../test/support/home.ts";
import { timeOfRevision } from "../revision.ts";
import { history } from "./history.ts";

const JANE = { name: "jane", groups: ["system:masters", "system:authenticated"] };
const configMap = (data: object) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data });

async function homeWithHistory() {
  const it = testHome();
  await it.ask("create", "configmaps", { object: configMap({ n: "1" }) });
  await it.ask("update", "configmaps/a", { object: configMap({ n: "2" }), user: JANE });
  await it.ask("delete", "configmaps/a");
  await it.ask("create", "configmaps", { object: configMap({ n: "3" }), user: JANE });
  const told = async (path: string, { limit = 20, user = ADMIN } = {}) =>
    await readAnswer(history(it.home.scope, { user, target: targetOf(path, "default"), limit }));
  return { ...it, told };
}

describe("an object's history", () => {
  test("says what was done to it, by whom and when, the newest first", async () => {
    const { told } = await homeWithHistory();
    const { code, body } = await told("configmaps/a");
    expect([code, body.kind]).toEqual([200, "ObjectHistory"]);
    expect(body.items.map(({ type, author, object }: any) => [type, author, object.data.n])).toEqual([
      ["ADDED", "jane", "3"],
      ["DELETED", "admin", "2"],
      ["MODIFIED", "jane", "2"],
      ["ADDED", "admin", "1"],
    ]);
    for (const { revision, time, object } of body.items) {
      expect(time).toBe(printMoment(timeOfRevision(revision)));
      expect(object.metadata.resourceVersion).toBe(String(revision));
    }
  });

  test("has no more versions than were asked for", async () => {
    const { told } = await homeWithHistory();
    expect((await told("configmaps/a", { limit: 3 })).body.items.map(({ type }: any) => type)).toEqual([
      "ADDED",
      "DELETED",
      "MODIFIED",
    ]);
  });

  test("has at most a hundred versions, whoever asks for more", async () => {
    const { ask, told } = await homeWithHistory();
    for (let n = 0; n < 110; n++) await ask("update", "configmaps/a", { object: configMap({ n: `x${n}` }) });
    expect((await told("configmaps/a", { limit: 1_000 })).body.items).toHaveLength(100);
  });

  test("is cut short where it would be too long, but has one version always", async () => {
    const { ask, told } = await homeWithHistory();
    const much = "x".repeat(900_000);
    for (let n = 0; n < 12; n++) await ask("update", "configmaps/a", { object: configMap({ n: `${n}`, much }) });
    const { items } = (await told("configmaps/a", { limit: 100 })).body;
    expect(items.length).toBeGreaterThanOrEqual(8);
    expect(items.length).toBeLessThan(12);
    expect(items[0].object.data.n).toBe("11");
  });

  test("is told in the version that was asked for", async () => {
    const { ask, told } = await homeWithHistory();
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e", namespace: "default" },
      involvedObject: { kind: "Pod", name: "web", namespace: "default" },
      reason: "Pulled",
      message: "there",
      type: "Normal",
    };
    await ask("create", "events", { object: event });
    const { body } = await told("events.k8s.io/v1/events/e");
    expect(body.items[0].object).toMatchObject({ apiVersion: "events.k8s.io/v1", note: "there" });
  });

  test("is nobody's who may not get the object", async () => {
    const { told } = await homeWithHistory();
    const { code, body } = await told("configmaps/a", { user: { name: "eve", groups: ["system:authenticated"] } });
    expect([code, body.reason]).toEqual([403, "Forbidden"]);
    expect(body.message).toContain('User "eve" cannot get resource "configmaps"');
  });

  test.each([
    ["configmaps/b", 'configmaps "b" not found'],
    ["secrets/a", 'secrets "a" not found'],
    ["nonsense/a", "the server could not find the requested resource"],
  ])("of %s there is none", async (path, message) => {
    const { told } = await homeWithHistory();
    expect((await told(path)).body).toMatchObject({ code: 404, message });
  });
});
