import { describe, expect, test } from "vitest";
import { entriesOf, printHistory } from "./describe-history.ts";
import type { ObjectVersion } from "./object-history.ts";

const NOW = Date.UTC(2026, 0, 31, 12);

function version(
  revision: number,
  type: ObjectVersion["type"],
  fields: Record<string, unknown>,
  author = "kubernetes-admin",
): ObjectVersion {
  const time = new Date(NOW - (100 - revision) * 1000).toISOString();
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "web", resourceVersion: String(revision) },
    ...fields,
  };
  return { revision, time, author, type, object };
}

const print = (versions: ObjectVersion[], { limit = 20, secret = false } = {}) =>
  printHistory(entriesOf(versions, { limit, secret }), NOW);

describe("an object's history", () => {
  test("tells of each version when, who and what, as a table", () => {
    const versions = [
      version(90, "DELETED", { data: { color: "red" } }),
      version(80, "MODIFIED", { data: { color: "red" } }),
      version(70, "MODIFIED", { data: { color: "dark blue" } }, "system:node:vm"),
      version(60, "ADDED", {}, ""),
    ];
    expect(print(versions)).toBe(
      [
        "REVISION   WHEN                                 WHO                WHAT",
        "90         2026-01-31T11:59:50.000Z (10s ago)   kubernetes-admin   deleted",
        '80         2026-01-31T11:59:40.000Z (20s ago)   kubernetes-admin   data.color: "dark blue" → red',
        '70         2026-01-31T11:59:30.000Z (30s ago)   system:node:vm     data: (unset) → {"color":"dark blue"}',
        "60         2026-01-31T11:59:20.000Z (40s ago)   -                  created",
        "",
      ].join("\n"),
    );
  });

  test("says where it does not know what was before, and where nothing that counts has changed", () => {
    const text = print([version(80, "MODIFIED", {}), version(70, "MODIFIED", {})]);
    expect(text).toContain("nothing but bookkeeping");
    expect(text).toContain("changed (history does not keep what it was before)");
  });

  test("shows no more versions than asked for, and knows what the oldest of them changed", () => {
    const versions = [80, 70, 60].map((revision) => version(revision, "MODIFIED", { data: { n: String(revision) } }));
    expect(entriesOf(versions, { limit: 2, secret: false })).toEqual([
      expect.objectContaining({ revision: 80, changes: [{ path: "data.n", from: "70", to: "80" }] }),
      expect.objectContaining({ revision: 70, changes: [{ path: "data.n", from: "60", to: "70" }] }),
    ]);
  });

  test("shortens long values, and counts the changes that are too many", () => {
    const data = (value: string) => Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((key) => [key, value]));
    const text = print([
      version(80, "MODIFIED", { data: data("x".repeat(500)) }),
      version(70, "ADDED", { data: data("y") }),
    ]);
    expect(text).toContain(`data.a: y → ${"x".repeat(39)}…; data.b: `);
    expect(text).toContain("; and 2 more\n");
    expect(text).not.toContain("data.e");
  });

  test("of a secret tells where it changed, and no value, neither as text nor as data", () => {
    const versions = [
      version(80, "MODIFIED", {
        metadata: {
          name: "web",
          annotations: { "kubectl.kubernetes.io/last-applied-configuration": "hunter3", a: "hunter4" },
        },
        data: { password: "hunter2", user: "hunter5" },
      }),
      version(70, "ADDED", { data: { password: "hunter1", old: "hunter6" } }),
    ];
    const entries = entriesOf(versions, { limit: 20, secret: true });
    const text = printHistory(entries, NOW);
    expect(text).toContain("data.password: (hidden) → (hidden)");
    expect(text).toContain("data.user: (unset) → (hidden)");
    expect(entries[0]!.changes).toContainEqual({ path: "data.old", from: "(hidden)" });
    expect(text + JSON.stringify(entries)).not.toContain("hunter");
  });

  test("cannot be made to move the cursor", () => {
    const text = print([
      version(80, "MODIFIED", { data: { "a\u001b[2J": "\u009b2J" } }, "eve\r\n90   forged"),
      version(70, "ADDED", { data: {} }),
    ]);
    expect(text.split("\n")).toHaveLength(4);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});
