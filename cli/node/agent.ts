import { randomInt } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, callApi } from "../api-client.ts";
import { CLUSTER_DNS_IP } from "../control-plane/prepare.ts";
import { Failure } from "../failure.ts";
import { type Home, nodeHome, writeWhole } from "../home.ts";
import { projectPath } from "../project.ts";
import type { ProcessPlan } from "../supervise.ts";
import { inNamespace } from "./network.ts";

/** kubeadm's: long enough to join, short enough to be worthless afterwards. */
const BOOTSTRAP_TOKEN_HOURS = 1;
const TOKEN_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
const NAMESPACE_WAIT_SECONDS = 10;
const NAMESPACE_POLL_MILLISECONDS = 50;

/** How an agent finds its cluster, and what it runs pods with. */
export interface AgentOptions {
  name: string;
  server: string;
  /** The socket of a CRI runtime; absent: a simulated one. */
  containerd?: string;
  /** With a containerd: where that looks for CNI networks. */
  cni?: string;
  /** How many simulated nodes the process serves, named NAME-0 and so on. */
  simulated?: number;
  namespace?: string;
  address?: string;
  cgroupRoot?: string;
}

/** The node-agent of a node (or of many simulated ones), ready to be started. */
export function agentPlan(home: Home, options: AgentOptions): ProcessPlan {
  const { name, containerd, simulated = 1 } = options;
  const node = nodeHome(home, name);
  const [command, ...args] = inNamespace(options.namespace, [
    process.execPath,
    "--max-semi-space-size=1",
    projectPath("node-agent", "main.ts"),
    ...["--server", options.server, "--node-name", name, "--state", node.agent],
    ...["--bootstrap-token-file", node.bootstrapToken, "--ca-file", home.caCertificate],
    ...(containerd
      ? ["--containerd", containerd, "--cni-conf-dir", options.cni ?? node.cni]
      : ["--fake", "--fake-count", String(simulated)]),
    ...(options.cgroupRoot ? ["--cgroup-root", options.cgroupRoot] : []),
    ...(options.address ? ["--node-ip", options.address] : []),
    ...["--cluster-dns", CLUSTER_DNS_IP],
  ]);
  return {
    name: `node-agent-${name}`,
    role: "node-agent",
    command: command!,
    args,
    environment: {
      NODE_COMPILE_CACHE: home.compileCache,
      PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
    },
    log: join(home.logs, `node-agent-${name}.log`),
    nodes: containerd ? [name] : simulatedNodeNames(name, simulated),
    runtime: containerd ? "containerd" : "fake",
  };
}

/** The names under which an agent joins its simulated nodes. */
export const simulatedNodeNames = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

/** A bootstrap token as a Secret of kube-system, with kubeadm's fields. @returns the token, `abcdef.0123456789abcdef` */
export async function createBootstrapToken(client: ApiClient, now: Date): Promise<string> {
  const id = randomText(6);
  const secret = randomText(16);
  const expiration = new Date(now.getTime() + BOOTSTRAP_TOKEN_HOURS * 3_600_000);
  const data = {
    "token-id": id,
    "token-secret": secret,
    expiration: expiration.toISOString().replace(/\.\d+Z$/, "Z"),
    description: "Joins the nodes that `cox up` starts.",
    "usage-bootstrap-authentication": "true",
    "usage-bootstrap-signing": "true",
    "auth-extra-groups": "system:bootstrappers:coxswain:default-node-token",
  };
  const body = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
    type: "bootstrap.kubernetes.io/token",
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")])),
  };
  // The namespace of a new cluster may be a moment away.
  for (let waited = 0; ; waited += NAMESPACE_POLL_MILLISECONDS) {
    const answer = await callApi(client, "POST", "/api/v1/namespaces/kube-system/secrets", body);
    if (answer.code === 201) return `${id}.${secret}`;
    if (answer.code !== 404 || waited >= NAMESPACE_WAIT_SECONDS * 1000) {
      throw new Failure(`the bootstrap token was refused: ${answer.body?.message ?? `HTTP ${answer.code}`}`);
    }
    await sleep(NAMESPACE_POLL_MILLISECONDS);
  }
}

/** Puts the token where the node's agent looks for it. */
export function writeBootstrapToken(home: Home, node: string, token: string): void {
  writeWhole(nodeHome(home, node).bootstrapToken, `${token}\n`);
}

const randomText = (length: number): string =>
  Array.from({ length }, () => TOKEN_ALPHABET[randomInt(TOKEN_ALPHABET.length)]).join("");

/** Which nodes the API calls Ready; none where it does not answer. */
export async function readyNodes(client: ApiClient): Promise<Set<string>> {
  try {
    const answer = await callApi(client, "GET", "/api/v1/nodes");
    const nodes: any[] = answer.code === 200 ? answer.body.items : [];
    const ready = nodes.filter((node) =>
      node.status?.conditions?.some((condition: any) => condition.type === "Ready" && condition.status === "True"),
    );
    return new Set(ready.map((node) => node.metadata.name as string));
  } catch {
    return new Set();
  }
}
