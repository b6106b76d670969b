import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A network namespace that plays a machine, with one leg (`eth0`) on the bridge of all. */
export interface NetnsHost {
  name: string;
  /** Its address on the bridge. */
  address: string;
  /** A command's standard output; throws with its standard error where it fails. */
  exec(command: string, ...args: string[]): Promise<string>;
  /** Starts a command there; it shares everything but the network with this process. */
  spawn(command: string, args: string[], environment?: NodeJS.ProcessEnv): ChildProcess;
}

export interface NetnsHosts {
  hosts: NetnsHost[];
  /** Removes the namespaces and the bridge, and nothing else. */
  close(): Promise<void>;
}

/**
 * Makes `count` hosts on one link. `name` (at most 8 characters) begins the name of whatever is made, and tells the
 * hosts of one test from those of another; `subnet` is the first three numbers of theirs. Nothing routes out of it.
 */
export async function makeHosts(name: string, subnet: string, count: number): Promise<NetnsHosts> {
  const bridge = `${name}br`;
  const names = Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);
  const close = async () => {
    for (const host of names) await execute("ip", ["netns", "delete", host]).catch(() => {});
    // A namespace goes when its last process does; its leg is to go now.
    for (const host of names) await execute("ip", ["link", "delete", `${host}l`]).catch(() => {});
    await execute("ip", ["link", "delete", bridge]).catch(() => {});
  };
  await close(); // What a run that was killed has left.
  await ip("link", "add", bridge, "type", "bridge");
  await ip("link", "set", bridge, "up");
  for (const [i, host] of names.entries()) {
    await ip("netns", "add", host);
    await ip("link", "add", `${host}l`, "type", "veth", "peer", "name", "eth0", "netns", host);
    await ip("link", "set", `${host}l`, "master", bridge, "up");
    await ip("-n", host, "link", "set", "lo", "up");
    await ip("-n", host, "address", "add", `${subnet}.${i + 1}/24`, "dev", "eth0");
    await ip("-n", host, "link", "set", "eth0", "up");
    // Leads nowhere; but a machine without a default route would not look at its rules for a Service's address.
    await ip("-n", host, "route", "add", "default", "via", `${subnet}.254`);
  }
  return { close, hosts: names.map((host, i) => hostOf(host, `${subnet}.${i + 1}`)) };
}

function hostOf(name: string, address: string): NetnsHost {
  const inside = [`--net=/run/netns/${name}`, "--"];
  return {
    name,
    address,
    async exec(command, ...args) {
      const { stdout } = await execute("nsenter", [...inside, command, ...args], { maxBuffer: 16 << 20 });
      return stdout;
    },
    spawn: (command, args, environment = process.env) =>
      spawn("nsenter", [...inside, command, ...args], { env: environment, stdio: ["pipe", "pipe", "pipe"] }),
  };
}

async function ip(...args: string[]): Promise<void> {
  await execute("ip", args);
}
