import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
