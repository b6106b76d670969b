import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { expect, test } from "vitest";
import { homeAt } from "../home.ts";
import { clientOfHome, kubeconfig } from "./kubeconfig.ts";

test("what a kubeconfig says is read back from it; without one there is no client", () => {
  const folder = mkdtempSync(join(tmpdir(), "cox-kubeconfig-"));
  try {
    const home = homeAt(folder);
    expect(clientOfHome(home)).toBeUndefined();
    const client = {
      url: "https://127.0.0.1:6443",
      token: "a.b.c",
      caCertificate: "-----BEGIN CERTIFICATE-----\nAA==\n",
    };
    writeFileSync(home.kubeconfig, kubeconfig(client));
    expect(clientOfHome(home)).toEqual(client);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  [{}, "coxswain", "kubernetes-admin", ""],
  [{ cluster: "blue" }, "coxswain-blue", "kubernetes-admin-blue", ""],
  [
    { at: "2026-01-31T12:00:00.000Z" },
    "coxswain@2026-01-31T12:00:00.000Z",
    "kubernetes-admin",
    "/at/2026-01-31T12:00:00.000Z",
  ],
  [
    { cluster: "blue", at: "2026-01-31T12:00:00.000Z" },
    "coxswain-blue@2026-01-31T12:00:00.000Z",
    "kubernetes-admin-blue",
    "/at/2026-01-31T12:00:00.000Z",
  ],
])("the names of a kubeconfig of %j clash with no other's", (scope, context, user, path) => {
  const client = { url: "https://127.0.0.1:6443", token: "a.b.c", caCertificate: "PEM" };
  expect(load(kubeconfig(client, scope))).toMatchObject({
    clusters: [{ name: context, cluster: { server: `https://127.0.0.1:6443${path}` } }],
    users: [{ name: user, user: { token: "a.b.c" } }],
    contexts: [{ name: context, context: { cluster: context, user } }],
    "current-context": context,
  });
});
