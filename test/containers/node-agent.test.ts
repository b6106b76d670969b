import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/object.ts";
import { type Agent, startAgent } from "../../node-agent/agent.ts";
import { fileSystemCgroups } from "../../node-agent/cgroups.ts";
import { criRuntime } from "../../node-agent/runtime/cri.ts";
import { diskVolumes } from "../../node-agent/volumes/pod-volumes.ts";
import { startContainerd, type TestContainerd } from "../support/containerd.ts";
import { makeBusyboxImage } from "../support/images.ts";
import { type TestControlPlane, testControlPlane } from "../support/node-control-plane.ts";

// The agent alone with a real containerd: what pods see and how they end. What kubectl sees is tested with `cox up`.

const run = promisify(execFile);
const IMAGE = "localhost/shell:1";
const BRIDGE = "coxagent0";
const CGROUPS = "/coxswain-agent-test";
const STAYS = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
const LOG = pino({ level: "silent" });

let containerd: TestContainerd;
let plane: TestControlPlane;
let stateDir: string;
let agent: Agent;

async function startIt(): Promise<Agent> {
  return startAgent({
    server: plane.url,
    token: "t",
    nodeName: "n1",
    nodeIps: ["192.168.0.1"],
    stateDir,
    runtime: criRuntime(containerd.socket),
    volumes: (paths) => diskVolumes({ paths, clusterDomain: "cluster.local", log: LOG }),
    cgroups: await fileSystemCgroups(LOG),
    cgroupRoot: CGROUPS,
    clusterDns: { address: "10.96.0.10", domain: "cluster.local" },
    simulated: false,
    log: LOG,
  });
}

beforeAll(async () => {
  containerd = await startContainerd();
  await containerd.load(await makeBusyboxImage(IMAGE, [], {}));
  const ipam = { type: "host-local", ranges: [[{ subnet: "10.98.79.0/24" }]], dataDir: join(containerd.logs, "ipam") };
  const plugins = [{ type: "bridge", bridge: BRIDGE, isGateway: true, ipam }];
  await mkdir(containerd.cniConfDir, { recursive: true });
  const config = { cniVersion: "0.4.0", name: "agent", plugins };
  await writeFile(join(containerd.cniConfDir, "10-agent.conflist"), JSON.stringify(config));
  plane = await testControlPlane();
  plane.objects.set("configmaps/default/config", object("ConfigMap", { "a.txt": "from the map\n", key: "value" }));
  plane.objects.set("secrets/default/keys", object("Secret", { password: Buffer.from("s3cret").toString("base64") }));
  stateDir = await mkdtemp(join(tmpdir(), "coxswain-agent-"));
  agent = await startIt();
  await plane.until(() => plane.nodes.size > 0);
});

afterAll(async () => {
  await agent?.stop();
  await plane?.close();
  await containerd?.close();
  await run("ip", ["link", "delete", BRIDGE]).catch(() => {});
  await run("umount", [join(stateDir, "secrets")]).catch(() => {});
  await rm(stateDir, { recursive: true, force: true });
});

const object = (kind: string, data: object): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "x", namespace: "default" },
  data,
});

type TestPod = KubeObject & { metadata: { uid: string } };
let uids = 0;
function pod(spec: object): TestPod {
  const uid = `agent-test-${++uids}`;
  const metadata = { name: uid, namespace: "default", uid };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 5, ...spec },
  };
}
const shell = (name: string, script: string, more: object = {}) => ({
  name,
  image: IMAGE,
  imagePullPolicy: "IfNotPresent",
  command: ["/bin/sh", "-c", script],
  ...more,
});
const status = (of: TestPod) => plane.statuses.get(of.metadata.uid) ?? {};
const container = (of: TestPod, index = 0) => status(of)["containerStatuses"]?.[index];
const idOf = (of: TestPod, index = 0): string => container(of, index).containerID.split("//")[1];
const messages = (of: TestPod) =>
  [...plane.events.values()]
    .filter((event) => event["involvedObject"].name === of.metadata.name)
    .map((event) => `${event["reason"]}: ${event["message"]}`);

async function begin(spec: object): Promise<TestPod> {
  const one = pod(spec);
  plane.setPod(one);
  await plane.until(() => status(one)["phase"] !== undefined);
  return one;
}
async function beginRunning(spec: object): Promise<TestPod> {
  const one = await begin(spec);
  await plane.until(() => status(one)["phase"] === "Running");
  return one;
}
async function end(one: TestPod): Promise<void> {
  const deletionTimestamp = new Date(Date.now() + 5000).toISOString();
  plane.setPod({ ...one, metadata: { ...one.metadata, deletionTimestamp, deletionGracePeriodSeconds: 5 } });
  await plane.until(() => plane.gone.has(one.metadata.uid));
}

const reference = ({ metadata }: TestPod) => ({ namespace: "default", name: metadata.name, uid: metadata.uid });
async function inside(one: TestPod, script: string, name = "app"): Promise<string> {
  const streams = { stdin: false, stdout: true, stderr: false, tty: false };
  const command = ["/bin/sh", "-c", script];
  const socket = await plane.stream({ kind: "exec", pod: reference(one), container: name, command, ...streams });
  return said(socket, (data) => (data[0] === 1 ? data.subarray(1).toString() : ""));
}
async function log(one: TestPod, more: object = {}): Promise<string> {
  const options = { follow: false, previous: false, timestamps: false, ...more };
  return said(await plane.stream({ kind: "log", pod: reference(one), container: "app", ...options }), String);
}
function said(
  socket: Awaited<ReturnType<TestControlPlane["stream"]>>,
  text: (data: Buffer) => string,
): Promise<string> {
  let all = "";
  socket.on("message", (data: Buffer, isBinary) => {
    if (isBinary) all += text(data);
  });
  return new Promise((resolve) => socket.on("close", () => resolve(all)));
}

describe("what a container finds", () => {
  test("environment, files, hosts and resolv.conf, limits and a user", async () => {
    const env = [
      { name: "KEY", valueFrom: { configMapKeyRef: { name: "config", key: "key" } } },
      { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "keys", key: "password" } } },
      { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
    ];
    const volumeMounts = [
      { name: "config", mountPath: "/config", readOnly: true },
      { name: "config", mountPath: "/one.txt", subPath: "a.txt" },
      { name: "keys", mountPath: "/keys" },
      { name: "scratch", mountPath: "/scratch" },
      { name: "memory", mountPath: "/memory" },
    ];
    const volumes = [
      { name: "config", configMap: { name: "config" } },
      { name: "keys", secret: { secretName: "keys", defaultMode: 0o400 } },
      { name: "scratch", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    ];
    const resources = { limits: { cpu: "500m", memory: "64Mi" } };
    const securityContext = { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 };
    const one = await beginRunning({
      volumes,
      securityContext,
      containers: [shell("app", STAYS, { env, volumeMounts, resources })],
    });
    expect(await inside(one, "echo $KEY $PASSWORD $POD_IP")).toBe(`value s3cret ${status(one)["podIP"]}\n`);
    expect(await inside(one, "cat /config/a.txt /one.txt /keys/password")).toBe("from the map\nfrom the map\ns3cret");
    expect(await inside(one, "echo x > /config/a.txt; echo $?")).toBe("1\n");
    expect(await inside(one, "id -u; id -g; id -G | grep -c 2000; echo ok > /scratch/file && cat /scratch/file")).toBe(
      "1000\n1000\n1\nok\n",
    );
    expect(await inside(one, "stat -c %g /scratch /keys/..data/password")).toBe("2000\n2000\n");
    expect(await inside(one, "grep -c 'tmpfs /memory ' /proc/mounts; grep -c 'tmpfs /keys ' /proc/mounts")).toBe(
      "1\n1\n",
    );
    expect(await inside(one, "cat /etc/hosts")).toContain(`${status(one)["podIP"]}\t${one.metadata.name}\n`);
    expect(await inside(one, "cat /etc/resolv.conf")).toContain(
      "search default.svc.cluster.local svc.cluster.local cluster.local",
    );
    const limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max";
    expect(await inside(one, limit)).toBe(`${64 * 2 ** 20}\n`);
    await end(one);
  });

  test("init containers have run before, a sidecar runs beside", async () => {
    const volumes = [{ name: "shared", emptyDir: {} }];
    const volumeMounts = [{ name: "shared", mountPath: "/shared" }];
    const initContainers = [
      shell("first", "echo first >> /shared/log", { volumeMounts }),
      shell("side", `echo side >> /shared/log; ${STAYS}`, { volumeMounts, restartPolicy: "Always" }),
      shell("second", "sleep 0.2; echo second >> /shared/log", { volumeMounts }),
    ];
    const job = {
      restartPolicy: "Never",
      volumes,
      initContainers,
      containers: [shell("app", "cat /shared/log", { volumeMounts })],
    };
    const one = await begin(job);
    await plane.until(() => status(one)["phase"] === "Succeeded");
    expect(await log(one)).toBe("first\nside\nsecond\n");
    const states = status(one)["initContainerStatuses"].map(({ state }: any) => state.terminated.exitCode);
    expect(states).toEqual([0, 0, 0]);
    await end(one);
  });
});

describe("logs", () => {
  test("follow a container to its end", async () => {
    const one = await begin({
      restartPolicy: "Never",
      containers: [shell("app", "echo one; sleep 0.5; echo two; echo three")],
    });
    await plane.until(() => container(one)?.state.running);
    expect(await log(one, { follow: true })).toBe("one\ntwo\nthree\n");
    expect(await log(one, { tailLines: 2 })).toBe("two\nthree\n");
    await end(one);
  });
});

describe("a container that ends", () => {
  test("is restarted at once, then backs off, and leaves its last words", async () => {
    const one = await begin({ containers: [shell("app", "echo run; echo bye > /dev/termination-log; exit 3")] });
    await plane.until(() => container(one)?.state.waiting?.reason === "CrashLoopBackOff");
    expect(container(one)).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 3, reason: "Error", message: "bye\n" } },
      state: { waiting: { message: expect.stringMatching(/^back-off 10s restarting failed container=app pod=/) } },
    });
    expect(await log(one, { previous: true })).toBe("run\n");
    await plane.until(() =>
      messages(one).some((text) => text.startsWith("BackOff: Back-off restarting failed container app in pod")),
    );
    await end(one);
  });

  test("comes back when somebody removes it, or all of its pod", async () => {
    const one = await beginRunning({ containers: [shell("app", STAYS), shell("other", STAYS)] });
    const other = idOf(one, 1);
    const app = idOf(one);
    await containerd.runtime.removeContainer(app);
    await plane.until(() => container(one).restartCount === 1 && container(one).state.running);
    expect(idOf(one, 1)).toBe(other);
    const [sandbox] = (await containerd.runtime.listSandboxes()).filter(({ uid }) => uid === one.metadata.uid);
    await containerd.runtime.removeSandbox(sandbox!.id);
    await plane.until(() => container(one, 1).restartCount === 1 && container(one, 1).state.running, 30);
    await plane.until(() => container(one).restartCount === 2 && container(one).state.running, 30);
    await end(one);
  });

  test("cannot be started: the reason is in its status", async () => {
    const one = await begin({ containers: [{ ...shell("app", ""), command: ["/nowhere"] }] });
    await plane.until(() => container(one)?.state.waiting?.reason === "RunContainerError");
    expect(container(one).state.waiting.message).toContain('exec: "/nowhere"');
    await end(one);
    const missing = await begin({ containers: [{ name: "app", image: "127.0.0.1:9/nowhere:1" }] });
    await plane.until(() => container(missing)?.state.waiting?.reason === "ErrImagePull");
    await plane.until(() => messages(missing).includes('Pulling: Pulling image "127.0.0.1:9/nowhere:1"'));
    await plane.until(() => container(missing)?.state.waiting?.reason === "ImagePullBackOff");
    await end(missing);
  });
});

test("probes: started, ready, not ready, restarted", async () => {
  const script = `mkdir -p /www; echo ok > /www/ready; touch /alive; sleep 0.5; httpd -p 8080 -h /www; ${STAYS}`;
  const probes = {
    ports: [{ name: "web", containerPort: 8080 }],
    startupProbe: { tcpSocket: { port: "web" }, periodSeconds: 1, failureThreshold: 30 },
    readinessProbe: { httpGet: { path: "/ready", port: "web" }, periodSeconds: 1, failureThreshold: 1 },
    livenessProbe: { exec: { command: ["cat", "/alive"] }, periodSeconds: 1, failureThreshold: 2 },
  };
  const one = await beginRunning({ containers: [shell("app", script, probes)] });
  expect(container(one)).toMatchObject({ ready: false, started: false });
  await plane.until(() => container(one).ready && container(one).started);
  await inside(one, "rm /www/ready");
  await plane.until(() => !container(one).ready);
  await inside(one, "rm /alive");
  await plane.until(() => container(one).restartCount === 1 && container(one).ready, 30);
  await plane.until(() =>
    messages(one).includes("Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404"),
  );
  await plane.until(() => messages(one).includes("Killing: Container app failed liveness probe, will be restarted"));
  await end(one);
});

describe("an agent that was away", () => {
  test("finds its containers untouched", async () => {
    const one = await beginRunning({ containers: [shell("app", STAYS)] });
    const before = idOf(one);
    await agent.stop();
    plane.statuses.clear();
    agent = await startIt();
    await plane.until(() => status(one)["phase"] === "Running");
    expect({ id: idOf(one), restartCount: container(one).restartCount }).toEqual({ id: before, restartCount: 0 });
    await end(one);
  });

  test("ends what was deleted meanwhile", async () => {
    const one = await beginRunning({ containers: [shell("app", STAYS)] });
    await agent.stop();
    plane.removePod(one.metadata.uid);
    agent = await startIt();
    const left = async () =>
      (await containerd.runtime.listSandboxes()).filter(({ uid }) => uid === one.metadata.uid).length;
    await expect.poll(left, { timeout: 20_000 }).toBe(0);
  });
});

test("nothing is left of pods that are gone", async () => {
  const left = async () => ({
    sandboxes: (await containerd.runtime.listSandboxes()).length,
    pods: await readdir(join(stateDir, "pods")),
    secrets: await readdir(join(stateDir, "secrets")),
    logs: await readdir(join(stateDir, "logs")),
    cgroups: (await run("find", ["/sys/fs/cgroup", "-path", `*${CGROUPS}*`, "-name", "pod*"])).stdout,
    mounts: (await run("findmnt", ["--raw", "--noheadings", "--output", "TARGET"])).stdout
      .split("\n")
      .filter((target) => target.startsWith(`${stateDir}/pods`)),
  });
  const nothing = { sandboxes: 0, pods: [], secrets: [], logs: [], cgroups: "", mounts: [] };
  await expect.poll(left, { timeout: 20_000 }).toEqual(nothing);
});
