import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "../processes.ts";

/** Where Debian keeps the CNI plugins. */
export const CNI_PLUGINS = "/usr/lib/cni";
/** An ordinary user's PATH lacks these. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** A Debian package, and the file by which it is known to be there (a bare name is looked for in PATH). */
interface Package {
  name: string;
  provides: string;
}

const CONTAINERD_PACKAGES: readonly Package[] = [
  { name: "containerd", provides: "containerd" },
  { name: "runc", provides: "runc" },
];
const NETWORK_PACKAGES: readonly Package[] = [
  { name: "iptables", provides: "iptables-restore" },
  { name: "containernetworking-plugins", provides: join(CNI_PLUGINS, "bridge") },
  { name: "conntrack", provides: "conntrack" },
  { name: "iproute2", provides: "ip" },
];

/**
 * The packages that a node with containers lacks.
 * @param ownContainerd false where a containerd is there already and named by its socket
 */
export function missingPackages(ownContainerd: boolean): string[] {
  return [...(ownContainerd ? CONTAINERD_PACKAGES : []), ...NETWORK_PACKAGES]
    .filter(({ provides }) => findProgram(provides) === undefined)
    .map(({ name }) => name);
}

/** A program's path, or undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  if (name.startsWith("/")) return existsSync(name) ? name : undefined;
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SYSTEM_FOLDERS].filter(
    (folder) => folder !== "",
  );
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether this process may install Debian packages here. */
export const canInstallPackages = (): boolean => process.getuid?.() === 0 && findProgram("apt-get") !== undefined;

/**
 * Installs Debian packages; fetches the lists of packages once, where apt does not know the names yet.
 * @returns undefined, or why they cannot be installed, in apt's words
 */
export async function installPackages(
  names: readonly string[],
  report: (text: string) => void,
): Promise<string | undefined> {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () => run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...names], { environment });
  report(`apt-get install ${names.join(" ")}`);
  let result = await install();
  if (result.code === 0) return undefined;
  report("apt-get update");
  await run("apt-get", ["update", "-q"], { environment }); // What it could not fetch, the next attempt names.
  report(`apt-get install ${names.join(" ")}`);
  result = await install();
  if (result.code === 0) return undefined;
  return result.stderr.trim().split("\n").at(-1) || `apt-get: exit code ${result.code}`;
}
