import { readFile } from "node:fs/promises";
import { join as joinPath } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { type Logger, pino } from "pino";
import { type Agent, startAgent } from "./agent.ts";
import { fileSystemCgroups, noCgroups } from "./cgroups.ts";
import { join, readCredential, saveCredential } from "./link/join.ts";
import { startNetwork } from "./network/network.ts";
import { nodeAddress } from "./node/machine.ts";
import { agentPaths } from "./paths.ts";
import { criRuntime } from "./runtime/cri.ts";
import { fakeRuntime } from "./runtime/fake.ts";
import { diskVolumes, noVolumes } from "./volumes/pod-volumes.ts";

/** Simulated nodes in one process. */
const FAKE_NODES_MAX = 5000;
/** Nodes that join at the same moment. */
const JOINS_MAX = 20;

interface Flags {
  server: string;
  cluster: string;
  nodeName: string;
  nodeIp?: string;
  state: string;
  bootstrapTokenFile?: string;
  caFile?: string;
  containerd?: string;
  fake?: boolean;
  fakeCount: number;
  fakeStartDelay: number;
  clusterDns?: string;
  clusterDomain: string;
  clusterCidr: string;
  cniConfDir?: string;
  cniBinDir?: string;
  cgroupRoot: string;
  network: boolean;
  logLevel: string;
}

const count = (max: number) => (text: string) => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > max)
    throw new InvalidArgumentError(`must be a number from 0 to ${max}`);
  return number;
};

const program = new Command("node-agent")
  .description("Runs this machine (or simulated ones) as a node of a Coxswain cluster.")
  .requiredOption("--server <url>", "the cluster's API server, https://HOST:PORT")
  .option("--cluster <name>", "the cluster's name", "default")
  .requiredOption("--node-name <name>", "this node's name")
  .option("--node-ip <address>", "the address that other nodes reach this one at; else that of the first interface")
  .requiredOption("--state <dir>", "folder for credential, volumes and logs; survives restarts")
  .option("--bootstrap-token-file <file>", "token to join with, where there is no credential in the state folder yet")
  .option("--ca-file <file>", "PEM of the authority that signed the server's certificate")
  .option("--containerd <socket>", "containerd's socket")
  .addOption(new Option("--fake", "simulate containers instead of running them").conflicts("containerd"))
  .option(
    "--fake-count <n>",
    "simulated nodes in this process, named NAME-0 and so on; 0: one, named NAME",
    count(FAKE_NODES_MAX),
    0,
  )
  .option("--fake-start-delay <ms>", "what starting a simulated sandbox or container takes", count(600_000), 0)
  .option("--cluster-dns <address>", "the cluster's name server; none: pods get the node's resolv.conf")
  .option("--cluster-domain <domain>", "the cluster's DNS domain", "cluster.local")
  .option("--cluster-cidr <cidr>", "the addresses of all pods", "10.244.0.0/16")
  .option("--cni-conf-dir <dir>", "where containerd looks for CNI configuration; else cni below the state folder")
  .option("--cni-bin-dir <dir>", "where the CNI plugins are")
  .option("--cgroup-root <path>", "the cgroup around all pods", "/coxswain")
  .option("--no-network", "leave pod network and Service rules to somebody else")
  .option("--log-level <level>", "trace, debug, info, warn or error", "info");

async function main(): Promise<void> {
  const flags = program.parse().opts<Flags>();
  if (!flags.fake && flags.containerd === undefined) program.error("error: give --containerd SOCKET, or --fake");
  const log = pino({ level: flags.logLevel, base: { node: flags.nodeName } }, pino.destination({ fd: 2, sync: true }));
  const agents: Agent[] = [];
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping; containers go on");
    await Promise.all(agents.map((agent) => agent.stop()));
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  if (flags.fake) agents.push(...(await startFakes(flags, log)));
  else agents.push(await startReal(flags, log));
  log.info({ nodes: agents.length }, "running");
}

const serverOf = ({ server, cluster }: Flags): string =>
  cluster === "default"
    ? server.replace(/\/$/, "")
    : `${server.replace(/\/$/, "")}/clusters/${encodeURIComponent(cluster)}`;

const readCa = async ({ caFile }: Flags): Promise<string | undefined> =>
  caFile === undefined ? undefined : readFile(caFile, "utf8");

/** The node's own credential: kept from an earlier run, or got for the bootstrap token. */
async function credential(flags: Flags, nodeName: string, file: string, ca: string | undefined): Promise<string> {
  const kept = await readCredential(file);
  if (kept !== undefined) return kept;
  if (flags.bootstrapTokenFile === undefined) {
    throw new Error(`there is no credential in ${flags.state}: give --bootstrap-token-file to join the cluster`);
  }
  const bootstrapToken = (await readFile(flags.bootstrapTokenFile, "utf8")).trim();
  const token = await join({ server: serverOf(flags), nodeName, bootstrapToken, ...(ca !== undefined && { ca }) });
  await saveCredential(file, token);
  return token;
}

async function startReal(flags: Flags, log: Logger): Promise<Agent> {
  const paths = agentPaths(flags.state);
  const ca = await readCa(flags);
  const token = await credential(flags, flags.nodeName, paths.credential, ca);
  const dns = flags.clusterDns === undefined ? {} : { dns: { address: flags.clusterDns, domain: flags.clusterDomain } };
  const network = flags.network
    ? await startNetwork({
        nodeName: flags.nodeName,
        clusterCidr: flags.clusterCidr,
        cniConfDir: flags.cniConfDir ?? joinPath(flags.state, "cni"),
        ...(flags.cniBinDir !== undefined && { cniBinDir: flags.cniBinDir }),
        stateDir: flags.state,
        ...dns,
        log: log.child({ part: "network" }),
      })
    : undefined;
  return startAgent({
    server: serverOf(flags),
    token,
    ...(ca !== undefined && { ca }),
    nodeName: flags.nodeName,
    nodeIps: [flags.nodeIp ?? nodeAddress()],
    stateDir: flags.state,
    runtime: criRuntime(flags.containerd!),
    volumes: (where) => diskVolumes({ paths: where, clusterDomain: flags.clusterDomain, log }),
    cgroups: await fileSystemCgroups(log),
    cgroupRoot: flags.cgroupRoot,
    clusterDns: { ...(flags.clusterDns !== undefined && { address: flags.clusterDns }), domain: flags.clusterDomain },
    ...(network && { network }),
    simulated: false,
    log,
  });
}

async function startFakes(flags: Flags, log: Logger): Promise<Agent[]> {
  const ca = await readCa(flags);
  const names =
    flags.fakeCount === 0
      ? [flags.nodeName]
      : Array.from({ length: flags.fakeCount }, (_, index) => `${flags.nodeName}-${index}`);
  const agents: Agent[] = [];
  const rest = names.entries();
  const worker = async () => {
    for (const [index, nodeName] of rest) agents.push(await startFake(flags, nodeName, index, ca, log));
  };
  await Promise.all(Array.from({ length: Math.min(JOINS_MAX, names.length) }, worker));
  return agents;
}

async function startFake(
  flags: Flags,
  nodeName: string,
  index: number,
  ca: string | undefined,
  log: Logger,
): Promise<Agent> {
  const stateDir = joinPath(flags.state, nodeName);
  const token = await credential(flags, nodeName, agentPaths(stateDir).credential, ca);
  const delay = flags.fakeStartDelay;
  return startAgent({
    server: serverOf(flags),
    token,
    ...(ca !== undefined && { ca }),
    nodeName,
    // 100.64.0.0/10 is nobody's: simulated nodes and pods cannot be mistaken for real ones.
    nodeIps: [`100.64.${index >> 8}.${index & 255}`],
    stateDir,
    runtime: fakeRuntime({ network: `100.${65 + (index % 62)}`, delays: { runSandbox: delay, startContainer: delay } }),
    volumes: () => noVolumes,
    cgroups: noCgroups,
    cgroupRoot: flags.cgroupRoot,
    clusterDns: { domain: flags.clusterDomain },
    simulated: true,
    log: log.child({ node: nodeName }),
  });
}

main().catch((error: Error) => {
  process.stderr.write(`node-agent: ${error.message}\n`);
  process.exit(1);
});
