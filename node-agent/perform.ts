import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { IContainer } from "kubernetes-models/v1/Container";
import type { PodObject } from "../api/kinds/pod.ts";
import { ConfigError, environment } from "./env.ts";
import type { PodAddresses } from "./fields.ts";
import { runHook } from "./hooks.ts";
import { imageNameProblem, pullPolicy, registryAuth } from "./image-pulls.ts";
import { logPath } from "./paths.ts";
import type { Action, ObservedSandbox } from "./pod-actions-view.ts";
import { containerConfig, sandboxConfig } from "./pod-config.ts";
import { podDns } from "./pod-dns.ts";
import { type PodHost, podEvent } from "./pod-host.ts";
import { environmentReferences, volumeReferences } from "./references.ts";
import { containerResources, podCgroup, podCgroupPaths } from "./resources.ts";
import { type Image, RuntimeError, type SandboxConfig } from "./runtime/runtime.ts";
import { containerSecurity } from "./security.ts";
import { VolumeFailure } from "./volumes/pod-volumes.ts";

/** An action that did not work, as a container's waiting state tells it. */
export class Failure extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The pod an action works on, as it is when the action begins. */
export interface Subject {
  pod: PodObject;
  sandboxes: readonly ObservedSandbox[];
}

/** kubelet's shortest stay after a preStop hook has used up all the grace. */
const GRACE_AFTER_HOOK_MIN_SECONDS = 2;
/** The grace of a container whose postStart hook failed comes from the pod; this is its default. */
const GRACE_DEFAULT_SECONDS = 30;

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const findContainer = (pod: PodObject, name: string): IContainer =>
  [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((container) => container.name === name)!;

function addresses(host: PodHost, { pod, sandboxes }: Subject): PodAddresses {
  return { nodeIps: host.nodeIps, podIps: pod.spec.hostNetwork ? host.nodeIps : (sandboxes[0]?.ips ?? []) };
}

/** Fills the pod's volumes with what is so now. Throws `Failure` for the hold on volumes. */
export async function prepareVolumes(host: PodHost, subject: Subject): Promise<void> {
  const { pod } = subject;
  try {
    const objects = await host.references.load(pod.metadata.namespace!, volumeReferences(pod.spec));
    await host.volumes.prepare(pod, { objects, addresses: addresses(host, subject), allocatable: host.allocatable });
  } catch (error) {
    const text =
      error instanceof VolumeFailure
        ? `MountVolume.SetUp failed for volume "${error.volume}" : ${error.message}`
        : `MountVolume.SetUp failed: ${message(error)}`;
    podEvent(host, pod, { type: "Warning", reason: "FailedMount", message: text });
    throw new Failure("ContainerCreating", text);
  }
}

function sandboxConfigOf(host: PodHost, pod: PodObject, attempt: number): SandboxConfig {
  return sandboxConfig(pod, {
    nodeName: host.nodeName,
    attempt,
    logDirectory: host.paths.podLogs(pod),
    cgroupParent: cgroupOf(host, pod).path,
    dns: podDns(pod, host.clusterDns, host.nodeDns),
  });
}

const cgroupOf = (host: PodHost, pod: PodObject) => podCgroup(host.cgroupRoot, pod.metadata.uid!, pod.spec);

export async function createSandbox(host: PodHost, { pod, sandboxes }: Subject, attempt: number): Promise<void> {
  try {
    // What is left of an old one gives its addresses back first.
    for (const { id } of sandboxes) await host.runtime.stopSandbox(id);
    const config = sandboxConfigOf(host, pod, attempt);
    await Promise.all([
      host.cgroups.create(cgroupOf(host, pod)),
      host.hasDisk && mkdir(config.logDirectory, { recursive: true }),
    ]);
    const id = await host.limits.start(() => host.runtime.runSandbox(config));
    await host.observations.seeSandbox(id);
  } catch (error) {
    podEvent(host, pod, {
      type: "Warning",
      reason: "FailedCreatePodSandBox",
      message: `Failed to create pod sandbox: ${message(error)}`,
    });
    throw new Failure("ContainerCreating", message(error));
  }
}

/** Makes sure that a container's image is here. Throws `Failure` with kubelet's reason. */
export async function pullImage(host: PodHost, { pod, sandboxes }: Subject, name: string): Promise<Image> {
  const container = findContainer(pod, name);
  const { image = "" } = container;
  const event = (type: "Normal" | "Warning", reason: string, text: string) =>
    podEvent(host, pod, { type, reason, message: text, container: name });
  const problem = imageNameProblem(image);
  if (problem) {
    const text = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${problem}`;
    event("Warning", "InspectFailed", text);
    event("Warning", "Failed", "Error: InvalidImageName");
    throw new Failure("InvalidImageName", text);
  }
  const policy = pullPolicy(container);
  const present = await host.runtime.imageStatus(image).catch((error) => {
    const text = `Failed to inspect image "${image}": ${message(error)}`;
    event("Warning", "InspectFailed", text);
    throw new Failure("ImageInspectError", text);
  });
  if (present && policy !== "Always") {
    event("Normal", "Pulled", `Container image "${image}" already present on machine and can be accessed by the pod`);
    return present;
  }
  if (policy === "Never") {
    const text = `Container image "${image}" is not present with pull policy of Never`;
    event("Warning", "ErrImageNeverPull", text);
    event("Warning", "Failed", "Error: ErrImageNeverPull");
    throw new Failure("ErrImageNeverPull", text);
  }
  event("Normal", "Pulling", `Pulling image "${image}"`);
  const asked = host.now();
  try {
    const auth = registryAuth(image, await pullSecrets(host, pod));
    let begun = asked;
    await host.limits.pull(async () => {
      begun = host.now();
      await host.runtime.pullImage(image, auth, sandboxConfigOf(host, pod, sandboxes[0]?.attempt ?? 0));
    });
    const done = host.now();
    const pulled = await host.runtime.imageStatus(image);
    if (!pulled) throw new Error(`image "${image}" is gone after pulling it`);
    event(
      "Normal",
      "Pulled",
      `Successfully pulled image "${image}" in ${goDuration(done - begun)} (${goDuration(done - asked)} including waiting). Image size: ${pulled.sizeBytes} bytes.`,
    );
    return pulled;
  } catch (error) {
    event("Warning", "Failed", `Failed to pull image "${image}": ${message(error)}`);
    event("Warning", "Failed", "Error: ErrImagePull");
    throw new Failure("ErrImagePull", message(error));
  }
}

/** A missing pull secret is no failure: the registry may be open. */
async function pullSecrets(host: PodHost, pod: PodObject) {
  const references = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) =>
    name ? [{ resource: "secrets" as const, name }] : [],
  );
  if (references.length === 0) return [];
  const objects = await host.references.load(pod.metadata.namespace!, references);
  return references.flatMap(({ name }) => objects("secrets", name) ?? []);
}

/** Go's time.Duration of milliseconds: `340ms`, `1.25s`, `1m2.5s`. */
function goDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  if (milliseconds < 60_000) return `${milliseconds / 1000}s`;
  const minutes = Math.floor(milliseconds / 60_000);
  const rest = `${(milliseconds % 60_000) / 1000}s`;
  return minutes < 60 ? `${minutes}m${rest}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${rest}`;
}

export async function startContainer(
  host: PodHost,
  subject: Subject,
  { container: name, sandboxId, restartCount }: Extract<Action, { do: "start" }>,
  image: Image,
): Promise<void> {
  const { pod, sandboxes } = subject;
  const container = findContainer(pod, name);
  const attempt = sandboxes.find(({ id }) => id === sandboxId)?.attempt ?? 0;
  const failed = (reason: string, error: unknown): Failure => {
    const text = error instanceof RuntimeError ? error.details : message(error);
    podEvent(host, pod, { type: "Warning", reason: "Failed", message: `Error: ${text}`, container: name });
    return new Failure(reason, text);
  };
  const where = addresses(host, subject);
  let config: ReturnType<typeof containerConfig>;
  try {
    const objects = await host.references.load(pod.metadata.namespace!, environmentReferences(pod.spec));
    const env = environment(pod, container, {
      objects,
      addresses: where,
      allocatable: host.allocatable,
      services: host.services(),
    });
    config = containerConfig(pod, container, {
      restartCount,
      image: image.id,
      env,
      mounts: await host.volumes.mounts(pod, container, { restartCount, env, podIps: where.podIps }),
      resources: containerResources(pod.spec, container, host.memoryBytes),
      security: containerSecurity(pod, container, image),
    });
    if (host.hasDisk) {
      await mkdir(dirname(join(host.paths.podLogs(pod), logPath(name, restartCount))), { recursive: true });
    }
  } catch (error) {
    const known = error instanceof ConfigError || error instanceof VolumeFailure;
    throw failed(
      "CreateContainerConfigError",
      known ? error : new Error(`failed to prepare the container: ${message(error)}`),
    );
  }

  const id = await host.limits.start(async () => {
    const created = await host.runtime
      .createContainer(sandboxId, config, sandboxConfigOf(host, pod, attempt))
      .catch((error) => {
        throw failed("CreateContainerError", error);
      });
    podEvent(host, pod, { type: "Normal", reason: "Created", message: "Container created", container: name });
    await host.runtime.startContainer(created).catch(async (error) => {
      await host.observations.seeContainer(created, sandboxId);
      throw failed("RunContainerError", error);
    });
    return created;
  });
  podEvent(host, pod, { type: "Normal", reason: "Started", message: "Container started", container: name });
  await host.observations.seeContainer(id, sandboxId);
  const hook = container.lifecycle?.postStart;
  if (!hook) return;
  const problem = await runHook(hook, {
    runtime: host.runtime,
    containerId: id,
    container,
    ip: where.podIps[0] ?? "",
  }).catch(message);
  if (problem === undefined) return;
  podEvent(host, pod, {
    type: "Warning",
    reason: "FailedPostStartHook",
    message: "PostStartHook failed",
    container: name,
  });
  const grace = pod.spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_SECONDS;
  await killContainer(
    host,
    subject,
    { key: "", do: "kill", id, container: name, graceSeconds: grace, message: "FailedPostStartHook" },
    sandboxId,
  );
  throw new Failure("PostStartHookError", problem);
}

export async function killContainer(
  host: PodHost,
  subject: Subject,
  { id, container: name, graceSeconds, message: why }: Extract<Action, { do: "kill" }>,
  sandboxId: string,
): Promise<void> {
  const { pod } = subject;
  podEvent(host, pod, { type: "Normal", reason: "Killing", message: why, container: name });
  const container = findContainer(pod, name) as IContainer | undefined;
  const hook = container?.lifecycle?.preStop;
  let left = graceSeconds;
  if (hook && container && graceSeconds > 0) {
    const begun = host.now();
    const target = { runtime: host.runtime, containerId: id, container, ip: addresses(host, subject).podIps[0] ?? "" };
    const problem = await runHook(hook, target, graceSeconds).catch(message);
    if (problem !== undefined) {
      podEvent(host, pod, {
        type: "Warning",
        reason: "FailedPreStopHook",
        message: "PreStopHook failed",
        container: name,
      });
    }
    left = Math.max(graceSeconds - Math.floor((host.now() - begun) / 1000), GRACE_AFTER_HOOK_MIN_SECONDS);
  }
  await host.limits.stop(() => host.runtime.stopContainer(id, left));
  await host.observations.seeContainer(id, sandboxId);
}

/** Forgets everything that the agent made for the pod. Containers and sandboxes are gone before. */
export async function finish(host: PodHost, { pod }: Subject): Promise<void> {
  const uid = pod.metadata.uid!;
  await host.volumes.remove(uid);
  await host.cgroups.remove(podCgroupPaths(host.cgroupRoot, uid));
  if (host.hasDisk) await rm(host.paths.podLogs(pod), { recursive: true, force: true });
  host.observations.forgetPod(uid);
}
