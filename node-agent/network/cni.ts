import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Linux' IFNAMSIZ without the closing NUL. */
const INTERFACE_NAME_MAX = 15;
/** Debian's package, and where upstream's releases go. */
const BIN_DIRS = ["/usr/lib/cni", "/opt/cni/bin"];
const PLUGINS_NEEDED = ["bridge", "host-local", "loopback"];
/** Sorted first by containerd, which takes the first file it finds. */
const FILE = "10-coxswain.conflist";

export interface CniFacts {
  bridge: string;
  /** This node's `spec.podCIDRs`, IPv4. */
  podCidrs: readonly string[];
  mtu: number;
  /** Where host-local keeps what it has given out. */
  dataDir: string;
  hasPortmap: boolean;
}

/** The bridge's name: the node's where it fits, else a hash of it, so that nodes in one network namespace differ. */
export function bridgeName(nodeName: string): string {
  const name = `cox-${nodeName}`;
  if (name.length <= INTERFACE_NAME_MAX && /^[a-z0-9-]+$/.test(name)) return name;
  return `cox-${createHash("sha256")
    .update(nodeName)
    .digest("hex")
    .slice(0, INTERFACE_NAME_MAX - 4)}`;
}

/** The CNI configuration list (CNI spec 0.4.0, which Debian 12's plugins speak) as text. */
export function cniConfig({ bridge, podCidrs, mtu, dataDir, hasPortmap }: CniFacts): string {
  const plugins: object[] = [
    {
      type: "bridge",
      bridge,
      mtu,
      isDefaultGateway: true,
      // Masquerading is ours: the plugin would leave a chain for each pod, and mask pods of other nodes too.
      ipMasq: false,
      hairpinMode: true,
      // After a change of the podCIDR the bridge still has its old address.
      forceAddress: true,
      ipam: {
        type: "host-local",
        dataDir,
        ranges: podCidrs.map((subnet) => [{ subnet }]),
      },
    },
  ];
  if (hasPortmap) plugins.push({ type: "portmap", capabilities: { portMappings: true }, snat: true });
  return `${JSON.stringify({ cniVersion: "0.4.0", name: "coxswain", plugins }, undefined, 2)}\n`;
}

/** The folder with the CNI plugins; throws where there is none. */
export async function findCniPlugins(binDirs: readonly string[] = BIN_DIRS): Promise<string> {
  for (const dir of binDirs) {
    const found = await Promise.all(PLUGINS_NEEDED.map((plugin) => exists(join(dir, plugin))));
    if (found.every(Boolean)) return dir;
  }
  throw new Error(
    `no CNI plugins (${PLUGINS_NEEDED.join(", ")}) in ${binDirs.join(" or ")}: install containernetworking-plugins`,
  );
}

export async function hasPlugin(binDir: string, plugin: string): Promise<boolean> {
  return exists(join(binDir, plugin));
}

/** Writes the configuration so that containerd sees it whole or not at all; false where it was there already. */
export async function writeCniConfig(confDir: string, text: string): Promise<boolean> {
  const path = join(confDir, FILE);
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === text) return false;
  await mkdir(confDir, { recursive: true });
  // containerd reads *.conf, *.conflist and *.json alone.
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
  return true;
}

export async function removeCniConfig(confDir: string): Promise<void> {
  await rm(join(confDir, FILE), { force: true });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
