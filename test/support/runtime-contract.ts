import { expect, onTestFinished, test } from "vitest";
import { CHANNEL, type ContainerConfig, type Runtime, type SandboxConfig } from "../../node-agent/runtime/runtime.ts";
import { bareContainer, bareSandbox } from "./bare-pod.ts";

/** A runtime under test: with an image that has a shell, and with a registry that refuses connections. */
export interface RuntimeUnderTest {
  runtime: Runtime;
  /** Already there. */
  image: string;
  /** A name that cannot be pulled. */
  missingImage: string;
  logDirectory: string;
}

const STAYS = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
const LOOKS_MAX = 400;
const CLOCKS_APART_MILLISECONDS = 100;
let uids = 0;

const sandbox = (logDirectory: string, uid = `contract-${process.pid}-${++uids}`): SandboxConfig =>
  bareSandbox(uid, `${logDirectory}/${uid}`, {
    labels: { "io.kubernetes.pod.uid": uid },
    annotations: { mark: "contract" },
    cgroupParent: `/coxswain-test/pod${uid}`,
  });

const container = (image: string, script: string): ContainerConfig =>
  bareContainer(image, {
    attempt: 2,
    command: ["/bin/sh", "-c", script],
    env: [{ key: "GREETING", value: "hello" }],
    labels: { "io.kubernetes.container.name": "app" },
    annotations: { hash: "1" },
  });

/**
 * What every runtime does alike. A fake one is expected to run these programs: one that stays until it is told to end,
 * `exit 3` which ends at once, and for exec `echo $GREETING`, `cat` and `exit 7`.
 */
export function runtimeContract(makeUnderTest: () => Promise<RuntimeUnderTest>): void {
  async function start(script: string) {
    const under = await makeUnderTest();
    const { runtime, image, logDirectory } = under;
    const config = sandbox(logDirectory);
    const sandboxId = await runtime.runSandbox(config);
    onTestFinished(async () => {
      await runtime.stopSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
    });
    const { id: imageId } = (await runtime.imageStatus(image))!;
    const id = await runtime.createContainer(sandboxId, container(imageId, script), config);
    return { ...under, config, sandboxId, id };
  }
  async function exited(runtime: Runtime, id: string) {
    for (let look = 0; look < LOOKS_MAX; look++) {
      const status = await runtime.containerStatus(id);
      if (status?.state === "exited") return status;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("the container did not end");
  }

  test("a runtime says what it is, and that it is ready", async () => {
    const { runtime } = await makeUnderTest();
    expect((await runtime.version()).name).not.toBe("");
    const conditions = await runtime.conditions();
    expect(conditions.find(({ type }) => type === "RuntimeReady")?.status).toBe(true);
  });

  test("a sandbox has an address, keeps its labels and annotations, and is listed until it is removed", async () => {
    const { runtime, config, sandboxId } = await start(STAYS);
    const status = (await runtime.sandboxStatus(sandboxId))!;
    expect(status).toMatchObject({ uid: config.uid, name: config.name, namespace: "default", attempt: 0, ready: true });
    expect(status.labels).toMatchObject(config.labels);
    expect(status.annotations).toMatchObject(config.annotations);
    expect(status.ips[0]).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect((await runtime.listSandboxes()).map(({ id }) => id)).toContain(sandboxId);
    await runtime.stopSandbox(sandboxId);
    expect((await runtime.sandboxStatus(sandboxId))!.ready).toBe(false);
    await runtime.removeSandbox(sandboxId);
    expect(await runtime.sandboxStatus(sandboxId)).toBeUndefined();
  });

  test("a container is created, running, then exited with its code", async () => {
    const { runtime, id, sandboxId } = await start("exit 3");
    expect(await runtime.containerStatus(id)).toMatchObject({
      state: "created",
      name: "app",
      attempt: 2,
      startedAt: 0,
    });
    await runtime.startContainer(id);
    const status = await exited(runtime, id);
    expect(status).toMatchObject({ exitCode: 3, reason: "Error", annotations: { hash: "1" } });
    // containerd takes the two times in two processes: a program that ends at once was seen to end 1 ms before it began.
    expect(status.startedAt).toBeGreaterThan(0);
    expect(status.finishedAt).toBeGreaterThan(status.startedAt - CLOCKS_APART_MILLISECONDS);
    const [listed] = await runtime.listContainers(sandboxId);
    expect(listed).toMatchObject({ id, sandboxId, state: "exited", labels: { "io.kubernetes.container.name": "app" } });
  });

  test("a container that is stopped has ended when the call returns, and stopping it again succeeds", async () => {
    const { runtime, id } = await start(STAYS);
    await runtime.startContainer(id);
    expect((await runtime.containerStatus(id))!.state).toBe("running");
    await runtime.stopContainer(id, 5);
    expect((await runtime.containerStatus(id))!.state).toBe("exited");
    await runtime.stopContainer(id, 5);
  });

  test("stopping a sandbox ends its containers, removing it removes them", async () => {
    const { runtime, id, sandboxId } = await start(STAYS);
    await runtime.startContainer(id);
    await runtime.stopSandbox(sandboxId);
    await exited(runtime, id);
    await runtime.removeSandbox(sandboxId);
    expect(await runtime.containerStatus(id)).toBeUndefined();
  });

  test("what is gone can be stopped and removed, and has no status", async () => {
    const { runtime } = await makeUnderTest();
    const id = "f".repeat(64);
    await runtime.stopContainer(id, 0);
    await runtime.removeContainer(id);
    await runtime.stopSandbox(id);
    await runtime.removeSandbox(id);
    expect(await runtime.containerStatus(id)).toBeUndefined();
    expect(await runtime.sandboxStatus(id)).toBeUndefined();
  });

  test("a container that is gone cannot be started or entered", async () => {
    const { runtime } = await makeUnderTest();
    const id = "f".repeat(64);
    await expect(runtime.startContainer(id)).rejects.toMatchObject({ code: "not-found" });
    await expect(runtime.execSync(id, ["true"], 1)).rejects.toMatchObject({ code: "not-found" });
  });

  test("a container cannot be created from an image that is not here", async () => {
    const { runtime, sandboxId, config, missingImage } = await start(STAYS);
    await expect(runtime.createContainer(sandboxId, container(missingImage, STAYS), config)).rejects.toThrow();
  });

  test("execSync gives output and exit code", async () => {
    const { runtime, id } = await start(STAYS);
    await runtime.startContainer(id);
    const { exitCode, stdout } = await runtime.execSync(id, ["/bin/sh", "-c", "echo $GREETING"], 10);
    expect({ exitCode, text: Buffer.from(stdout).toString() }).toEqual({ exitCode: 0, text: "hello\n" });
    expect((await runtime.execSync(id, ["/bin/sh", "-c", "exit 7"], 10)).exitCode).toBe(7);
  });

  test("exec carries stdin to its end, output, and how it ended", async () => {
    const { runtime, id } = await start(STAYS);
    await runtime.startContainer(id);
    const cat = await collect(runtime, id, ["cat"], "some input\n");
    expect(cat[CHANNEL.stdout]).toBe("some input\n");
    expect(JSON.parse(cat[CHANNEL.error]!)).toMatchObject({ status: "Success" });
    const failing = await collect(runtime, id, ["/bin/sh", "-c", "exit 7"]);
    expect(JSON.parse(failing[CHANNEL.error]!)).toMatchObject({
      status: "Failure",
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "7" }] },
    });
  });

  test("an image that cannot be pulled is refused, and still not here", async () => {
    const { runtime, missingImage, config } = await start(STAYS);
    expect(await runtime.imageStatus(missingImage)).toBeUndefined();
    await expect(runtime.pullImage(missingImage, undefined, config)).rejects.toThrow(missingImage);
  });

  test("an image that is here is found by its name and listed", async () => {
    const { runtime, image } = await makeUnderTest();
    const found = (await runtime.imageStatus(image))!;
    expect(found.sizeBytes).toBeGreaterThan(0);
    expect((await runtime.listImages()).map(({ id }) => id)).toContain(found.id);
  });
}

async function collect(
  runtime: Runtime,
  id: string,
  command: string[],
  input?: string,
): Promise<Record<number, string>> {
  const streams = await runtime.exec(id, {
    command,
    stdin: input !== undefined,
    stdout: true,
    stderr: true,
    tty: false,
  });
  const said: Record<number, string> = {};
  await new Promise<void>((resolve, reject) => {
    streams.onData = (channel, data) => {
      said[channel] = (said[channel] ?? "") + Buffer.from(data).toString();
    };
    streams.onEnd = (error) => (error ? reject(error) : resolve());
    if (input === undefined) return;
    streams.send(CHANNEL.stdin, Buffer.from(input));
    streams.closeChannel(CHANNEL.stdin);
  });
  return said;
}
