import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe } from "vitest";
import { startContainerd, type TestContainerd } from "../support/containerd.ts";
import { makeBusyboxImage } from "../support/images.ts";
import { runtimeContract } from "../support/runtime-contract.ts";

const IMAGE = "localhost/shell:1";
/** Nothing listens there: a pull fails at once. */
const MISSING = "127.0.0.1:9/nowhere/none:1";
const BRIDGE = "coxcontract0";

let containerd: TestContainerd;

beforeAll(async () => {
  containerd = await startContainerd();
  await containerd.load(await makeBusyboxImage(IMAGE, [], {}));
  await mkdir(containerd.cniConfDir, { recursive: true });
  const ipam = { type: "host-local", ranges: [[{ subnet: "10.98.78.0/24" }]], dataDir: join(containerd.logs, "ipam") };
  const bridge = { type: "bridge", bridge: BRIDGE, isGateway: true, ipam };
  const config = { cniVersion: "0.4.0", name: "contract", plugins: [bridge] };
  await writeFile(join(containerd.cniConfDir, "10-contract.conflist"), JSON.stringify(config));
  await networkReady();
});

afterAll(async () => {
  await containerd?.close();
  await promisify(execFile)("ip", ["link", "delete", BRIDGE]).catch(() => {});
  // The parents that sandboxes named are whoever's who named them: containerd leaves them.
  const folders = ["/sys/fs/cgroup", "-depth", "-path", "*/coxswain-test*", "-type", "d"];
  await promisify(execFile)("find", [...folders, "-exec", "rmdir", "{}", ";"]).catch(() => {});
});

/** containerd watches the folder of CNI configurations. */
async function networkReady(): Promise<void> {
  for (let look = 0; look < 100; look++) {
    const conditions = await containerd.runtime.conditions();
    if (conditions.every(({ status }) => status)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("containerd did not take the CNI configuration");
}

describe("containerd", () => {
  runtimeContract(async () => ({
    runtime: containerd.runtime,
    image: IMAGE,
    missingImage: MISSING,
    logDirectory: containerd.logs,
  }));
});
