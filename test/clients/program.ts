import { spawn } from "node:child_process";
import { join } from "node:path";
import { inject } from "vitest";
import type { TestCluster } from "../support/control-plane.ts";

/**
 * Runs one scenario of a program of `test/clients/go` in a new namespace. Where the scenario asks for a crash, workerd is killed.
 * Rejects with what the program says is not as it should be.
 */
export async function play(cluster: TestCluster, program: "client" | "operator", scenario: string): Promise<void> {
  const { code, body } = await cluster.call("POST", "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: scenario },
  });
  if (code !== 201) throw new Error(JSON.stringify(body));
  const child = spawn(join(inject("programs"), program), [scenario, scenario], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  child.stdout.on("data", (chunk) => {
    if (!String(chunk).includes("crash\n")) return;
    cluster.kill9();
    child.stdin.write("\n");
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (status !== 0) throw new Error(`${program} ${scenario} exited with ${status}: ${said}`);
}
