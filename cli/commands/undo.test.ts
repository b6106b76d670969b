import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answering, FakeControlPlane } from "../../test/support/fake-control-plane.ts";
import { run } from "../processes.ts";

const MAIN = join(import.meta.dirname, "..", "main.ts");
const DISCOVERY = {
  items: [
    {
      metadata: {},
      versions: [
        {
          version: "v1",
          resources: [
            { resource: "configmaps", responseKind: { kind: "ConfigMap" }, scope: "Namespaced", shortNames: ["cm"] },
          ],
        },
      ],
    },
  ],
};
const COLLECTION = "/api/v1/namespaces/blue/configmaps";
const OBJECT = `${COLLECTION}/web`;
const HISTORY = `GET /coxswain/v1/history${OBJECT}?limit=100`;
const PUT = `PUT ${OBJECT}?fieldManager=cox-undo`;

const version = (revision: number, type: string, color: string) => ({
  revision,
  time: "2026-01-31T12:00:00.000Z",
  author: "kubernetes-admin",
  type,
  object: {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "web", namespace: "blue", uid: "1", resourceVersion: String(revision) },
    data: { color },
  },
});
const CHANGED = { kind: "ObjectHistory", items: [version(20, "MODIFIED", "blue"), version(10, "ADDED", "red")] };

let fake: FakeControlPlane;
beforeEach(async () => {
  fake = await FakeControlPlane.start();
  fake.routes["GET /api"] = answering(200, DISCOVERY);
  fake.routes["GET /apis"] = answering(200, { items: [] });
});
afterEach(async () => await fake.stop());

const undo = (...args: string[]) =>
  run(process.execPath, [MAIN, "undo", "cm/web", "-n", "blue", ...args, "--state", fake.home.root]);

describe("cox undo", () => {
  test("puts the object as it was, on condition that it has not changed since", async () => {
    let put: any;
    fake.routes[HISTORY] = answering(200, CHANGED);
    fake.routes[PUT] = async (request, response) => {
      put = await json(request);
      await answering(200, { metadata: { resourceVersion: "30" } })(request, response);
    };
    expect(await undo()).toEqual({
      code: 0,
      stdout: "configmaps/web is again as it was at revision 10 (new revision 30)\n",
      stderr: "",
    });
    expect(put).toMatchObject({ metadata: { uid: "1", resourceVersion: "20" }, data: { color: "red" } });
  });

  test("creates what was deleted anew", async () => {
    fake.routes[HISTORY] = answering(200, { items: [version(30, "DELETED", "blue"), ...CHANGED.items] });
    fake.routes[`POST ${COLLECTION}?fieldManager=cox-undo`] = answering(201, { metadata: { resourceVersion: "40" } });
    expect((await undo()).stdout).toBe("configmaps/web was created anew as it was at revision 20 (new revision 40)\n");
  });

  test.each([
    [
      409,
      "Operation cannot be fulfilled",
      "configmaps/web has changed meanwhile: look at `cox history configmaps/web -n blue`, and try again",
    ],
    [422, "data: Forbidden:\nfield is immutable", "data: Forbidden: field is immutable"],
  ])("says in a line why the API answers %d", async (code, message, why) => {
    fake.routes[HISTORY] = answering(200, CHANGED);
    fake.routes[PUT] = answering(code, { kind: "Status", message });
    expect(await undo()).toEqual({ code: 1, stdout: "", stderr: `cox: ${why}\n` });
  });

  test("writes nothing where there is nothing to go back to", async () => {
    fake.routes[HISTORY] = answering(200, { items: [version(10, "ADDED", "red")] });
    expect(await undo()).toMatchObject({
      code: 1,
      stderr:
        "cox: configmaps/web: history keeps no earlier version of it (see `cox history configmaps/web -n blue`)\n",
    });
    expect(await undo("--to", "10")).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing was done") });
    expect(fake.asked.filter((asked) => !asked.startsWith("GET "))).toEqual([]);
  });
});
