import { rm } from "node:fs/promises";
import { join } from "node:path";
import { bridgeName, removeCniConfig } from "./cni.ts";
import { type Run, run as runCommand } from "./command.ts";
import { findIptables, type Iptables } from "./iptables.ts";
import { DNS_INTERFACE, removeLink } from "./links.ts";
import { HOST_PORT_CHAIN, hasHostPorts, restoreNothing } from "./restore-text.ts";
import { syncRoutes } from "./route-sync.ts";

export interface NetworkPlaces {
  nodeName: string;
  /** See `NetworkOptions`. */
  cniConfDir: string;
  stateDir: string;
}

/** Where host-local keeps what it has given out. */
export const cniDataDir = (stateDir: string): string => join(stateDir, "cni");

/**
 * Removes all that a node's network has made in the network namespace of this process: rules, routes, interfaces,
 * configuration. No agent may be running there. Doing it twice, or where there is nothing, succeeds.
 */
export async function removeNetwork(places: NetworkPlaces, run: Run = runCommand): Promise<void> {
  // Where no variant works there can be no rules.
  const iptables = await findIptables(run).catch(() => undefined);
  if (iptables) await removeRules(iptables);
  await syncRoutes(run, []);
  await removeCniConfig(places.cniConfDir);
  await removeLink(run, bridgeName(places.nodeName));
  await removeLink(run, DNS_INTERFACE);
  await rm(cniDataDir(places.stateDir), { recursive: true, force: true });
}

async function removeRules(iptables: Iptables): Promise<void> {
  const ours = restoreNothing(await iptables.save());
  if (ours) await iptables.restore(ours);
  const hostPorts = await iptables.save(HOST_PORT_CHAIN);
  const shared = hasHostPorts(hostPorts) ? undefined : restoreNothing(hostPorts);
  if (shared) await iptables.restore(shared);
}
