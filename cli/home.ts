import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { Failure } from "./failure.ts";

/** A Unix socket's address holds 108 bytes, the closing zero included; containerd appends ".ttrpc" for a second one. */
const SOCKET_PATH_BYTES_MAX = 107 - ".ttrpc".length;

/** Where everything that a cluster on this machine keeps lies: `COXSWAIN_HOME`. */
export interface Home {
  root: string;
  kubeconfig: string;
  /** Choices that outlive a run: see `Cluster`. */
  cluster: string;
  controlPlane: string;
  caCertificate: string;
  caKey: string;
  serverCertificate: string;
  serverKey: string;
  signingKey: string;
  workerdConfig: string;
  /** The Durable Objects' SQLite files. */
  objects: string;
  nodes: string;
  logs: string;
  lock: string;
  /** What the supervisor runs: see `SupervisorStatus`. */
  processes: string;
  /** Node's cache of compiled modules: saves each process the TypeScript compiler's memory. */
  compileCache: string;
}

/** Where one node keeps its things. */
export interface NodeHome {
  root: string;
  /** The node-agent's own state, its credential among it. */
  agent: string;
  bootstrapToken: string;
  containerdConfig: string;
  containerdRoot: string;
  containerdState: string;
  containerdSocket: string;
  /** CNI network configurations, for the node's own containerd. */
  cni: string;
  /** One folder a registry with a hosts.toml, read by containerd at each pull. */
  registries: string;
}

/** The home that the options and the environment name. */
export function chosenHome(stateDirectory: string | undefined, environment: NodeJS.ProcessEnv): Home {
  return homeAt(resolve(stateDirectory ?? (environment["COXSWAIN_HOME"] || join(homedir(), ".coxswain"))));
}

/** The paths below `root`. */
export function homeAt(root: string): Home {
  const controlPlane = join(root, "control-plane");
  return {
    root,
    kubeconfig: join(root, "kubeconfig"),
    cluster: join(root, "cluster.json"),
    controlPlane,
    caCertificate: join(controlPlane, "ca.crt"),
    caKey: join(controlPlane, "ca.key"),
    serverCertificate: join(controlPlane, "server.crt"),
    serverKey: join(controlPlane, "server.key"),
    signingKey: join(controlPlane, "signing.key"),
    workerdConfig: join(controlPlane, "workerd.capnp"),
    objects: join(controlPlane, "objects"),
    nodes: join(root, "nodes"),
    logs: join(root, "logs"),
    lock: join(root, "lock"),
    processes: join(root, "processes.json"),
    compileCache: join(root, "cache", "compiled"),
  };
}

/** The paths of a node below its cluster's home. */
export function nodeHome(home: Home, node: string): NodeHome {
  const root = join(home.nodes, node);
  const containerd = join(root, "containerd");
  return {
    root,
    agent: join(root, "agent"),
    bootstrapToken: join(root, "bootstrap-token"),
    containerdConfig: join(containerd, "config.toml"),
    containerdRoot: join(containerd, "root"),
    containerdState: join(containerd, "state"),
    containerdSocket: join(containerd, "containerd.sock"),
    cni: join(root, "cni"),
    registries: join(root, "registries"),
  };
}

/** Where a containerd that the user named looks for CNI networks, unless it was told otherwise. */
const USERS_CNI = "/etc/cni/net.d";

/** Where the containerd of a node looks for CNI networks. */
export const cniFolder = (node: NodeHome, userContainerd: string | undefined): string =>
  userContainerd === undefined ? node.cni : USERS_CNI;

/** Makes the folders that every cluster has; nobody else may look into them. */
export function makeHome(home: Home): void {
  try {
    for (const folder of [home.root, home.controlPlane, home.objects, home.nodes, home.logs, home.compileCache]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    chmodSync(home.root, 0o700);
  } catch (error) {
    throw new Failure(
      `cannot use ${home.root} (${(error as Error).message}): set COXSWAIN_HOME or --state to a folder of yours`,
    );
  }
}

/** Makes the folders of a node; those of its containerd only where it has one. */
export function makeNodeHome(node: NodeHome, runtime: "containerd" | "fake"): void {
  const containerd = [node.containerdRoot, node.containerdState, node.cni, node.registries];
  if (runtime === "containerd" && Buffer.byteLength(node.containerdSocket) > SOCKET_PATH_BYTES_MAX) {
    throw new Failure(
      `${node.containerdSocket} is too long for a socket: set COXSWAIN_HOME or --state to a shorter path`,
    );
  }
  for (const folder of [node.agent, ...(runtime === "containerd" ? containerd : [])]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
}

/** Writes a file whole or not at all. Without a mode, only its owner may read it. */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o600): void {
  const draft = `${path}.${process.pid}.new`;
  try {
    writeFileSync(draft, content, { mode });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** A file's text, or undefined where there is no such file. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
