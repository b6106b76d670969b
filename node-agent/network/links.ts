import { networkInterfaces } from "node:os";
import { type Run, runOk } from "./command.ts";

/** Carries the address of the cluster's DNS. A bridge without ports: not every kernel has dummy interfaces. */
export const DNS_INTERFACE = "coxdns0";
const MTU_DEFAULT = 1500;

/** Gives this network namespace an address of its own, on an interface made for it. */
export async function addLocalAddress(run: Run, device: string, address: string): Promise<void> {
  if ((await run("ip", ["link", "show", "dev", device])).code !== 0) {
    await runOk(run, "ip", ["link", "add", device, "type", "bridge"]);
  }
  await runOk(run, "ip", ["address", "replace", `${address}/32`, "dev", device]);
  await runOk(run, "ip", ["link", "set", device, "up"]);
}

/** Removes an interface, and what hangs on it; nothing where there is none. */
export async function removeLink(run: Run, device: string): Promise<void> {
  if ((await run("ip", ["link", "show", "dev", device])).code !== 0) return;
  await runOk(run, "ip", ["link", "delete", device]);
}

/** The MTU of the interface that the node's traffic leaves by: that of the pods must not be larger. */
export async function uplinkMtu(run: Run): Promise<number> {
  const { stdout } = await run("ip", ["-json", "route", "get", "1.1.1.1"]);
  const device = parseJson<{ dev?: string }>(stdout)?.dev ?? firstExternalInterface();
  if (device === undefined) return MTU_DEFAULT;
  const link = await run("ip", ["-json", "link", "show", "dev", device]);
  return parseJson<{ mtu?: number }>(link.stdout)?.mtu ?? MTU_DEFAULT;
}

function firstExternalInterface(): string | undefined {
  return Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some((a) => !a.internal))?.[0];
}

function parseJson<T>(text: string): T | undefined {
  try {
    return (JSON.parse(text) as T[])[0];
  } catch {
    return undefined;
  }
}
