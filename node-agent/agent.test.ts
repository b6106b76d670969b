import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import type { StreamRequest } from "../api/node-link.ts";
import type { KubeObject } from "../api/object.ts";
import { type TestControlPlane, testControlPlane } from "../test/support/node-control-plane.ts";
import { type Agent, startAgent } from "./agent.ts";
import { noCgroups } from "./cgroups.ts";
import { join as joinCluster, readCredential, saveCredential } from "./link/join.ts";
import { KUBELET_VERSION } from "./node/node-status.ts";
import { type FakeOptions, fakeRuntime } from "./runtime/fake.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { noVolumes } from "./volumes/pod-volumes.ts";

const LOG = pino({ level: "silent" });

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "agent-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

interface Setup {
  plane: TestControlPlane;
  runtime: Runtime;
  /** An agent that is stopped with the test, or before. */
  start(): Promise<Agent>;
}

async function setup(options: FakeOptions = {}): Promise<Setup> {
  const plane = await testControlPlane();
  onTestFinished(() => plane.close());
  const fake = fakeRuntime(options);
  // The runtime outlives its agents here, as containerd does.
  const runtime = { ...fake, close: () => {} };
  const stateDir = await folder();
  return {
    plane,
    runtime,
    async start() {
      const agent = await startAgent({
        server: plane.url,
        token: "t",
        nodeName: "n1",
        nodeIps: ["192.168.0.1"],
        stateDir,
        runtime,
        volumes: () => noVolumes,
        cgroups: noCgroups,
        cgroupRoot: "/coxswain",
        clusterDns: { domain: "cluster.local" },
        simulated: false,
        log: LOG,
      });
      onTestFinished(() => agent.stop());
      return agent;
    },
  };
}

let uids = 0;
function pod(spec: object = {}): KubeObject & { metadata: { uid: string } } {
  const uid = `u${++uids}`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${uid}`, namespace: "default", uid },
    spec: { restartPolicy: "Always", containers: [{ name: "app", image: "app:1" }], ...spec },
  };
}
const deleted = (of: KubeObject) => ({
  ...of,
  metadata: { ...of.metadata, deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 1 },
});
const phase = (plane: TestControlPlane, of: KubeObject) => plane.statuses.get(of.metadata.uid!)?.["phase"];
const reasons = (plane: TestControlPlane, kind = "Pod") =>
  [...plane.events.values()].filter((event) => event["involvedObject"].kind === kind).map((event) => event["reason"]);

test("the node registers itself as ready, with its runtime's version", async () => {
  const { plane, start } = await setup();
  await start();
  await plane.until(() => plane.nodes.has("n1"));
  expect(plane.nodes.get("n1")).toMatchObject({
    metadata: { labels: { "kubernetes.io/hostname": "n1", "kubernetes.io/os": "linux" } },
    status: {
      nodeInfo: { containerRuntimeVersion: "fake://1.0.0", kubeletVersion: KUBELET_VERSION },
      addresses: [
        { type: "InternalIP", address: "192.168.0.1" },
        { type: "Hostname", address: "n1" },
      ],
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: "Ready", status: "True", reason: "KubeletReady" }),
      ]),
    },
  });
});

test("a node that starts tells how it is", async () => {
  const { plane, start } = await setup();
  await start();
  await plane.until(() => reasons(plane, "Node").includes("NodeReady"));
  expect(reasons(plane, "Node")).toEqual([
    "Starting",
    "NodeHasSufficientMemory",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientPID",
    "NodeReady",
  ]);
});

test("a pod runs, is told of, and goes when it is deleted", async () => {
  const { plane, runtime, start } = await setup();
  await start();
  const web = pod();
  plane.setPod(web);
  await plane.until(() => phase(plane, web) === "Running");
  await plane.until(() => reasons(plane).includes("Started"));
  expect(reasons(plane)).toEqual(["Pulling", "Pulled", "Created", "Started"]);
  plane.setPod(deleted(web));
  await plane.until(() => plane.gone.has(web.metadata.uid));
  expect(await runtime.listSandboxes()).toEqual([]);
  expect(phase(plane, web)).toBe("Failed"); // A fake container knows no TERM: it was killed.
});

test("a container that ends by itself is restarted", async () => {
  const { plane, start } = await setup({ program: () => ({ exitAfterMilliseconds: 1, exitCode: 1 }) });
  await start();
  const web = pod();
  plane.setPod(web);
  await plane.until(() => plane.statuses.get(web.metadata.uid)?.["containerStatuses"][0].restartCount === 1);
  await plane.until(
    () => plane.statuses.get(web.metadata.uid)?.["containerStatuses"][0].state.waiting?.reason === "CrashLoopBackOff",
  );
});

test("an image that cannot be pulled is told with its reason", async () => {
  const { plane, start } = await setup({ registry: [] });
  await start();
  const web = pod();
  plane.setPod(web);
  await plane.until(
    () => plane.statuses.get(web.metadata.uid)?.["containerStatuses"][0].state.waiting?.reason === "ErrImagePull",
  );
  await plane.until(() => reasons(plane).filter((reason) => reason === "Failed").length === 2);
});

test("an agent that was away leaves containers alone, and sends what was missed", async () => {
  const { plane, runtime, start } = await setup();
  const agent = await start();
  const web = pod();
  plane.setPod(web);
  await plane.until(() => phase(plane, web) === "Running");
  const before = await runtime.listContainers();
  await agent.stop();
  plane.statuses.clear();
  await start();
  await plane.until(() => phase(plane, web) === "Running");
  expect(await runtime.listContainers()).toEqual(before);
});

test("cut off from the control plane, an agent keeps up what it has saved", async () => {
  const { plane, runtime, start } = await setup();
  const agent = await start();
  const web = pod();
  plane.setPod(web);
  await plane.until(() => phase(plane, web) === "Running");
  await agent.stop();
  plane.accept(false);
  const [container] = await runtime.listContainers();
  await runtime.stopContainer(container!.id, 0);
  await start();
  let running = false;
  await plane.until(() => {
    void runtime.listContainers().then((all) => {
      running = all.some(({ id, state }) => id !== container!.id && state === "running");
    });
    return running;
  });
});

test("what the control plane forgot while the agent was away ends, but not before everything is known", async () => {
  const { plane, runtime, start } = await setup();
  const agent = await start();
  const web = pod();
  plane.setPod(web);
  await plane.until(() => phase(plane, web) === "Running");
  await agent.stop();
  plane.removePod(web.metadata.uid);
  plane.accept(false);
  await start();
  expect(await runtime.listSandboxes()).toHaveLength(1);
  plane.accept(true);
  let left = 1;
  await plane.until(() => {
    void runtime.listSandboxes().then((all) => {
      left = all.length;
    });
    return left === 0;
  });
});

test("a pod that the control plane takes for unready is told of again", async () => {
  const { plane, start } = await setup();
  await start();
  const web = pod();
  plane.setPod(web);
  await plane.until(() => phase(plane, web) === "Running");
  const status = plane.statuses.get(web.metadata.uid) as { conditions: { type: string; status: string }[] };
  plane.statuses.clear();
  const conditions = status.conditions.map((each) => (each.type === "Ready" ? { ...each, status: "False" } : each));
  plane.setPod({ ...web, status: { ...status, conditions } });
  await plane.until(() => plane.statuses.get(web.metadata.uid) !== undefined);
  expect(plane.statuses.get(web.metadata.uid)).toMatchObject({
    conditions: expect.arrayContaining([expect.objectContaining({ type: "Ready", status: "True" })]),
  });
});

test("a broken link is opened again, and statuses follow", async () => {
  const { plane, start } = await setup();
  await start();
  await plane.until(() => plane.nodes.size > 0);
  plane.nodes.clear();
  plane.drop();
  await plane.until(() => plane.nodes.size > 0);
  const web = pod();
  plane.setPod(web);
  await plane.until(() => phase(plane, web) === "Running");
});

async function collect(plane: TestControlPlane, request: StreamRequest, send?: (frame: Buffer) => void) {
  const socket = await plane.stream(request);
  const texts: string[] = [];
  const frames: [number, string][] = [];
  await new Promise<void>((resolve) => {
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) frames.push([data[0]!, data.subarray(1).toString()]);
      else {
        texts.push(data.toString());
        for (const frame of send ? [Buffer.from("\0input"), Buffer.from([255, 0])] : []) socket.send(frame);
      }
    });
    socket.on("close", () => resolve());
  });
  return { first: JSON.parse(texts[0]!), frames };
}

test("exec carries input and output, and says how the command ended", async () => {
  const exec = (_: string[], stdin: Uint8Array) => ({ exitCode: 7, stdout: stdin, stderr: new Uint8Array() });
  const { plane, start } = await setup({ program: () => ({ exec }) });
  await start();
  const web = pod();
  plane.setPod(web);
  await plane.until(() => phase(plane, web) === "Running");
  const reference = { namespace: "default", name: web.metadata.name, uid: web.metadata.uid };
  const streams = { stdin: true, stdout: true, stderr: true, tty: false };
  const request: StreamRequest = { kind: "exec", pod: reference, container: "app", command: ["cat"], ...streams };
  const { first, frames } = await collect(plane, request, () => {});
  expect(first).toEqual({ code: 200 });
  expect(frames[0]).toEqual([1, "input"]);
  expect(JSON.parse(frames[1]![1])).toMatchObject({ reason: "NonZeroExitCode" });
  const unknown = await collect(plane, { ...request, container: "none" });
  // Not as an answer: kubectl would try SPDY then, and not tell its user.
  expect(unknown.first).toEqual({ code: 200 });
  expect(unknown.frames[0]![0]).toBe(3);
  expect(JSON.parse(unknown.frames[0]![1])).toMatchObject({
    kind: "Status",
    reason: "InternalError",
    message: `Internal error occurred: unable to upgrade connection: container none is not valid for pod ${web.metadata.name}`,
  });
});

test("a log that is not there yet is answered in kubelet's words", async () => {
  const { plane, start } = await setup({ registry: [] });
  await start();
  const web = pod();
  plane.setPod(web);
  await plane.until(
    () => plane.statuses.get(web.metadata.uid)?.["containerStatuses"][0].state.waiting?.reason === "ErrImagePull",
  );
  const reference = { namespace: "default", name: web.metadata.name, uid: web.metadata.uid };
  const request = {
    kind: "log",
    pod: reference,
    container: "app",
    follow: false,
    previous: false,
    timestamps: false,
  } as const;
  const { first } = await collect(plane, request);
  expect(first.message).toBe(
    `container "app" in pod "${web.metadata.name}" is waiting to start: image can't be pulled`,
  );
  const previous = await collect(plane, { ...request, previous: true });
  expect(previous.first.message).toBe(`previous terminated container "app" in pod "${web.metadata.name}" not found`);
});

test("joining gives a credential that only its owner can read", async () => {
  const { plane } = await setup();
  const token = await joinCluster({ server: plane.url, nodeName: "n1", bootstrapToken: "abcdef.0123456789abcdef" });
  const file = join(await folder(), "state", "credential");
  expect(await readCredential(file)).toBeUndefined();
  await saveCredential(file, token);
  expect(await readCredential(file)).toBe("node-token");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});
