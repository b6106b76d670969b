import { readFile, writeFile } from "node:fs/promises";
import type { Logger } from "pino";
import type { Run } from "./command.ts";

interface Sysctl {
  path: string;
  value: string;
  /** What does not work without it; said where it cannot be set. */
  why: string;
  /** Nothing works without it. */
  required?: boolean;
}

const SYSCTLS: readonly Sysctl[] = [
  { path: "net/ipv4/ip_forward", value: "1", why: "pods reach nothing beyond this node", required: true },
  {
    path: "net/bridge/bridge-nf-call-iptables",
    value: "1",
    why: "a pod cannot reach a pod of the same node through a Service",
  },
  { path: "net/ipv4/conf/all/route_localnet", value: "1", why: "node ports do not answer on 127.0.0.1" },
];

/** Sets what forwarding and Services need, in the network namespace of this process. */
export async function setSysctls(run: Run, log: Logger): Promise<void> {
  // Where the bridge's filter is a module that nobody has loaded yet, its settings appear with it.
  if ((await read("net/bridge/bridge-nf-call-iptables")) === undefined) await run("modprobe", ["br_netfilter"]);
  for (const { path, value, why, required } of SYSCTLS) {
    if ((await read(path)) === value) continue;
    try {
      await writeFile(`/proc/sys/${path}`, value);
    } catch (error) {
      const name = path.replaceAll("/", ".");
      if (required) throw new Error(`sysctl ${name} cannot be set to ${value}: ${why}`, { cause: error });
      log.warn({ sysctl: name, value }, `cannot be set: ${why}`);
    }
  }
}

async function read(path: string): Promise<string | undefined> {
  return readFile(`/proc/sys/${path}`, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}
