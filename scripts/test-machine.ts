import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { canInstallPackages, findProgram, installPackages, missingPackages } from "../cli/node/packages.ts";

/** What tests use beyond a node's own packages: a registry to pull from, a static program to make images of. */
const TEST_PACKAGES = [
  { name: "docker-registry", isThere: () => findProgram("docker-registry") !== undefined },
  {
    name: "busybox-static",
    isThere: () => existsSync("/var/lib/dpkg/info/busybox-static.list") || findProgram("busybox") !== undefined,
  },
  { name: "kubernetes-client", isThere: () => findProgram("kubectl") !== undefined },
];

const missing = (): string[] => [
  ...missingPackages(true),
  ...TEST_PACKAGES.filter(({ isThere }) => !isThere()).map(({ name }) => name),
];

/** Installs what kubectl and container tests need, where this user may; what it cannot install, the stages tell. */
export async function installForTests(): Promise<void> {
  if (missing().length === 0 || !canInstallPackages()) return;
  const problem = await installPackages(missing(), (text) => console.log(text));
  if (problem !== undefined) console.error(problem);
}

/** Why the tests with kubectl cannot run here. */
export function whyNoKubectl(): string | undefined {
  return findProgram("kubectl") ? undefined : "there is no kubectl (Debian: apt-get install kubernetes-client)";
}

/** Why the tests with containers cannot run here. */
export function whyNoContainers(): string | undefined {
  if (process.platform !== "linux") return "containers need Linux";
  if (process.getuid?.() !== 0) return "containers need root";
  return missing().length > 0 ? `this machine lacks ${missing().join(", ")}` : undefined;
}

/** A proxy that does not answer is one that is not there. */
const DOWNLOAD_MILLISECONDS_MAX = 90_000;
const GO_MODULE = join(import.meta.dirname, "..", "test", "clients", "go");

/** Go, also where its own archive puts it; undefined where it is not installed. */
export const findGo = (): string | undefined => findProgram("go") ?? findProgram("/usr/local/go/bin/go");

/** Why programs that are made with Go's clients cannot be built here. */
export function whyNoGo(): string | undefined {
  const go = findGo();
  if (!go) return "there is no Go";
  const { status, stderr } = spawnSync(go, ["mod", "download"], {
    cwd: GO_MODULE,
    encoding: "utf8",
    timeout: DOWNLOAD_MILLISECONDS_MAX,
  });
  return status === 0 ? undefined : `the modules of test/clients/go cannot be had: ${stderr.trim().split("\n").at(-1)}`;
}
