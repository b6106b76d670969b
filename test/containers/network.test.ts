import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SandboxConfig } from "../../node-agent/runtime/runtime.ts";
import { startContainerd, type TestContainerd } from "../support/containerd.ts";
import { eventually } from "../support/cox.ts";
import { type Image, makeWebImage, WEB_PORT } from "../support/images.ts";
import { makeHosts, type NetnsHost, type NetnsHosts } from "../support/netns.ts";

// The nodes' network alone, without a control plane: two hosts, real pods, what the control plane would say of them.

const AGENT = fileURLToPath(new URL("../support/network-agent.ts", import.meta.url));
const DNS = "10.96.0.10";
const OWN_NAMESPACES = { network: "pod", pid: "container", ipc: "pod" } as const;

interface TestNode {
  host: NetnsHost;
  containerd: TestContainerd;
  agent: { send(command: object): Promise<void> };
  pods: Map<string, { container: string; ip: string }>;
}

let network: NetnsHosts;
let folder: string;
let image: Image;
let nodes: TestNode[] = [];
const first = () => nodes[0]!;
const second = () => nodes[1]!;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coxswain-network-"));
  network = await makeHosts("coxnet", "172.30.77", 2);
  image = await makeWebImage("web:v1", "ahoy");
  for (const host of network.hosts) nodes.push(await startNode(host));
  await tellNodesAndServices();
  await tell("endpointslices.discovery.k8s.io", []);
  await settle();
  for (const node of nodes) for (const name of ["web", "client"]) await startPod(node, name);
  await tellEndpoints(nodes);
});

afterAll(async () => {
  const failures: unknown[] = [];
  for (const { agent, containerd } of nodes) {
    await containerd.close().catch((error) => failures.push(error));
    await agent.send({ close: { cleanup: true } }).catch((error) => failures.push(error));
  }
  nodes = [];
  await network?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
  expect(failures).toEqual([]);
});

const service = (name: string, clusterIP: string, spec: object = {}) => ({
  metadata: { name, namespace: "default" },
  spec: { clusterIP, ports: [{ name: "http", port: 80, protocol: "TCP", ...(spec as any).port }], ...spec },
});
const services = [
  service("web", "10.96.1.1", { type: "NodePort", port: { nodePort: 30080 } }),
  service("local", "10.96.1.2", { type: "NodePort", externalTrafficPolicy: "Local", port: { nodePort: 30081 } }),
  service("empty", "10.96.1.3"),
  service("sticky", "10.96.1.4", { sessionAffinity: "ClientIP" }),
];

async function startNode(host: NetnsHost): Promise<TestNode> {
  const containerd = await startContainerd(host);
  await containerd.load(image);
  return { host, containerd, agent: await startAgent(host, containerd), pods: new Map() };
}

async function startAgent(host: NetnsHost, containerd: TestContainerd): Promise<TestNode["agent"]> {
  const options = {
    nodeName: host.name,
    clusterCidr: "10.244.0.0/16",
    cniConfDir: containerd.cniConfDir,
    stateDir: join(folder, host.name),
    dns: { address: DNS, domain: "cluster.local", resolvConf: "/dev/null" },
  };
  const child = host.spawn(process.execPath, [AGENT, JSON.stringify(options)]);
  child.stderr!.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the network agent has ended");
    const { error } = JSON.parse(value);
    if (error) throw new Error(error);
  };
  await answer();
  const send = async (command: object) => {
    child.stdin!.write(`${JSON.stringify(command)}\n`);
    await answer();
    if ("close" in command && child.exitCode === null) await once(child, "exit");
  };
  return { send };
}

async function tell(resource: string, objects: object[]): Promise<void> {
  const events = objects.map((object) => ({ type: "ADDED", object }));
  const update = { type: "watch", resource, reset: true, synced: true, events };
  for (const { agent } of nodes) await agent.send({ update });
}

async function tellNodesAndServices(): Promise<void> {
  const nodeObjects = nodes.map(({ host }, i) => ({
    metadata: { name: host.name },
    spec: { podCIDR: `10.244.${i + 1}.0/24` },
    status: { addresses: [{ type: "InternalIP", address: host.address }] },
  }));
  await tell("nodes", nodeObjects);
  await tell("services", services);
}

async function settle(): Promise<void> {
  for (const { agent } of nodes) await agent.send({ settle: true });
}

/** All Services but `empty` lead to the web pods of these nodes. */
async function tellEndpoints(to: readonly TestNode[], conditions: object = { ready: true }): Promise<void> {
  const endpoints = to.map(({ host, pods }) => ({ addresses: [pods.get("web")!.ip], conditions, nodeName: host.name }));
  const slices = ["web", "local", "sticky"].map((name) => ({
    metadata: { name: `${name}-1`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", port: WEB_PORT, protocol: "TCP" }],
    endpoints,
  }));
  await tell("endpointslices.discovery.k8s.io", slices);
  await settle();
}

async function startPod(node: TestNode, name: string): Promise<void> {
  const { runtime, logs } = node.containerd;
  const sandbox: SandboxConfig = {
    name: `${name}-${node.host.name}`,
    namespace: "default",
    uid: `${name}-${node.host.name}`,
    attempt: 0,
    hostname: `${name}-${node.host.name}`,
    logDirectory: logs,
    dns: { servers: [DNS], searches: ["default.svc.cluster.local", "svc.cluster.local"], options: ["ndots:5"] },
    portMappings: name === "web" ? [{ protocol: "TCP", containerPort: WEB_PORT, hostPort: 8888, hostIp: "" }] : [],
    labels: {},
    annotations: {},
    cgroupParent: "",
    sysctls: {},
    namespaces: OWN_NAMESPACES,
    privileged: false,
    supplementalGroups: [],
  };
  const id = await runtime.runSandbox(sandbox);
  const container = await runtime.createContainer(
    id,
    {
      name,
      attempt: 0,
      image: image.name,
      command: name === "web" ? [] : ["sleep", "1000000"],
      args: [],
      workingDir: "",
      env: [],
      mounts: [],
      labels: {},
      annotations: {},
      logPath: `${name}.log`,
      stdin: false,
      stdinOnce: false,
      tty: false,
      resources: { cpuPeriod: 0, cpuQuota: 0, cpuShares: 0, memoryLimitBytes: 0, oomScoreAdj: 0 },
      security: {
        privileged: false,
        addCapabilities: [],
        dropCapabilities: [],
        namespaces: OWN_NAMESPACES,
        readonlyRootfs: false,
        supplementalGroups: [],
        noNewPrivileges: false,
        maskedPaths: [],
        readonlyPaths: [],
      },
    },
    sandbox,
  );
  await runtime.startContainer(container);
  const ip = (await runtime.sandboxStatus(id))!.ips[0]!;
  node.pods.set(name, { container, ip });
}

/** Runs a shell command in a pod; its output, or its complaint. */
async function inPod(node: TestNode, pod: string, command: string): Promise<string> {
  const { stdout, stderr } = await node.containerd.runtime.execSync(
    node.pods.get(pod)!.container,
    ["sh", "-c", command],
    30,
  );
  return `${stdout}${stderr}`;
}

const fetchIn = (node: TestNode, pod: string, url: string) =>
  inPod(node, pod, `timeout 3 wget -O - ${url} 2>&1 | grep -v -e "^Connecting" -e ETA -e "writ.* to stdout"`);
const fetchOn = (node: TestNode, url: string) =>
  node.host.exec("busybox", "timeout", "3", "busybox", "wget", "-q", "-O", "-", url);

describe("the nodes' network", () => {
  test("a pod reaches a pod of the other node, which sees its own address", async () => {
    const { ip } = second().pods.get("web")!;
    await eventually(
      "an answer",
      async () => expect(await fetchIn(first(), "client", `${ip}:${WEB_PORT}`)).toContain("ahoy"),
      10,
    );
    expect(await second().host.exec("conntrack", "-L", "-p", "tcp")).not.toContain(`src=${first().host.address}`);
  });

  test("a Service is answered by the pods of both nodes, on either node, by address and by name", async () => {
    for (const node of nodes) {
      const answers = new Set<string>();
      for (let i = 0; i < 24; i++) answers.add(await fetchIn(node, "client", i % 2 ? "10.96.1.1" : "web"));
      expect([...answers].sort()).toEqual(nodes.map(({ host }) => `ahoy\nweb-${host.name}\n`));
    }
  });

  test("a pod reaches itself through its Service", async () => {
    for (let i = 0; i < 12; i++) expect(await fetchIn(first(), "web", "10.96.1.1")).toContain("ahoy");
  });

  test("a node port answers on every address of every node, loopback included", async () => {
    for (const node of nodes) {
      for (const address of ["127.0.0.1", first().host.address, second().host.address]) {
        for (let i = 0; i < 4; i++) expect(await fetchOn(node, `http://${address}:30080`)).toContain("ahoy");
      }
    }
  });

  test("externalTrafficPolicy Local keeps to the node asked, and shows the pod its client's address", async () => {
    for (let i = 0; i < 6; i++) {
      expect(await fetchOn(first(), `http://${second().host.address}:30081`)).toContain(second().host.name);
    }
    expect(await second().host.exec("conntrack", "-L", "-p", "tcp", "--orig-port-dst", "30081")).toMatch(
      new RegExp(`src=${second().pods.get("web")!.ip} dst=${first().host.address}`),
    );
  });

  test("session affinity sends a client to the same pod each time", async () => {
    const answers = new Set<string>();
    for (let i = 0; i < 12; i++) answers.add(await fetchIn(first(), "client", "10.96.1.4"));
    expect(answers.size).toBe(1);
  });

  test("a Service without endpoints refuses at once", async () => {
    expect(await fetchIn(first(), "client", "10.96.1.3")).toContain("Connection refused");
  });

  test("a host port leads to its pod", async () => {
    expect(await fetchOn(second(), `http://${first().host.address}:8888`)).toContain(first().host.name);
  });

  test("names: unknown ones are denied, known ones told", async () => {
    expect(await inPod(first(), "client", "nslookup -type=a web.default.svc.cluster.local")).toContain("10.96.1.1");
    expect(await inPod(first(), "client", "nslookup -type=a absent.default.svc.cluster.local")).toContain("NXDOMAIN");
    expect(await inPod(first(), "client", "nslookup -type=ptr 1.1.96.10.in-addr.arpa")).toContain(
      "web.default.svc.cluster.local",
    );
  });

  test("no request is lost when the endpoints change under them", async () => {
    let asking = true;
    const answers: string[] = [];
    const client = async (node: TestNode) => {
      while (asking) answers.push(await fetchIn(node, "client", "10.96.1.1"));
    };
    const clients = Promise.all(nodes.map(client));
    for (let round = 0; round < 6; round++) {
      await tellEndpoints([nodes[round % 2]!]);
      await sleep(200);
    }
    // Nobody is ready: those that terminate and still serve are used.
    await tellEndpoints(nodes, { ready: false, serving: true, terminating: true });
    await sleep(200);
    asking = false;
    await clients;
    expect(answers.filter((answer) => !answer.startsWith("ahoy"))).toEqual([]);
    expect(answers.length).toBeGreaterThan(20);
    await tellEndpoints(nodes);
  });

  test("rules that somebody has flushed are written anew after the agent's restart, and stale ones removed", async () => {
    const { host, agent } = first();
    await agent.send({ close: { cleanup: false } });
    expect(await fetchIn(second(), "client", `${host.address}:30080`)).toContain("ahoy");
    await host.exec("iptables", "-t", "nat", "-N", "KUBE-SVC-STALE");
    await host.exec("iptables", "-t", "nat", "-F", "KUBE-SERVICES");
    first().agent = await startAgent(host, first().containerd);
    await tellNodesAndServices();
    await tellEndpoints(nodes);
    expect(await host.exec("iptables-save", "-t", "nat")).not.toContain("KUBE-SVC-STALE");
    expect(await fetchIn(first(), "client", "web")).toContain("ahoy");
  });

  test("cleaned up, it leaves no rule, route or interface", async () => {
    const { host, agent, containerd } = second();
    await containerd.close();
    await agent.send({ close: { cleanup: true } });
    nodes.pop();
    const rules = (await host.exec("iptables-save")).split("\n").filter((line) => /KUBE-|COX-|CNI-/.test(line));
    expect(rules).toEqual([]);
    expect(await host.exec("ip", "-4", "route", "show")).not.toContain("10.244");
    const links = JSON.parse(await host.exec("ip", "-json", "link")).map((link: { ifname: string }) => link.ifname);
    expect(links.sort()).toEqual(["eth0", "lo"]);
  });
});
