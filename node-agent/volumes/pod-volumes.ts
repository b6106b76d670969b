import { execFile } from "node:child_process";
import { chmod, chown, lstat, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { IContainer } from "kubernetes-models/v1/Container";
import type { IVolume } from "kubernetes-models/v1/Volume";
import type { Logger } from "pino";
import type { PodObject } from "../../api/kinds/pod.ts";
import { quantityValue } from "../../api/quantity.ts";
import { expand } from "../env.ts";
import type { AgentPaths } from "../paths.ts";
import { TERMINATION_MESSAGE_PATH } from "../pod-config.ts";
import { hostsFile, nodeHostsFile } from "../pod-dns.ts";
import type { Mount } from "../runtime/runtime.ts";
import { writeFilesAtomically } from "./atomic-files.ts";
import { hostPathFor } from "./host-path.ts";
import { isMountPoint, unmountBelow } from "./mount-table.ts";
import { bindSubPath } from "./sub-paths.ts";
import { isFileVolume, isSecretVolume, type VolumeContext, VolumeError, volumeFiles } from "./volume-files.ts";

const run = promisify(execFile);
/** As much as kubelet takes of a termination message. */
const TERMINATION_MESSAGE_BYTES_MAX = 4096;

/** Makes and removes what pods mount. */
export interface PodVolumes {
  /** Once, before the first pod: the place for secrets. */
  start(): Promise<void>;
  /** Brings every volume into being; again, it brings files up to date. Rejects with `VolumeFailure`. */
  prepare(pod: PodObject, context: VolumeContext): Promise<void>;
  /** A container's mounts, hosts file and termination log included. */
  mounts(pod: PodObject, container: IContainer, start: ContainerStart): Promise<Mount[]>;
  /** What a container wrote to its termination log. */
  terminationMessage(uid: string, container: string, restartCount: number): Promise<string>;
  /** Unmounts and deletes everything of a pod. */
  remove(uid: string): Promise<void>;
}

export interface ContainerStart {
  restartCount: number;
  env: ReadonlyMap<string, string>;
  /** For the hosts file. */
  podIps: readonly string[];
}

/** A volume that could not be set up, by name. */
export class VolumeFailure extends Error {
  readonly volume: string;
  constructor(volume: string, message: string) {
    super(message);
    this.volume = volume;
  }
}

export function diskVolumes(options: { paths: AgentPaths; clusterDomain: string; log: Logger }): PodVolumes {
  const { paths, clusterDomain, log } = options;

  const folderOf = (uid: string, volume: IVolume) =>
    isSecretVolume(volume) ? paths.secretVolume(uid, volume.name) : paths.volume(uid, volume.name);

  async function prepareVolume(pod: PodObject, volume: IVolume, context: VolumeContext): Promise<void> {
    const uid = pod.metadata.uid!;
    const group = pod.spec.securityContext?.fsGroup;
    if (volume.hostPath) {
      await hostPathFor(volume.hostPath.path, volume.hostPath.type ?? "");
      return;
    }
    const folder = folderOf(uid, volume);
    if (isFileVolume(volume)) {
      const files = volumeFiles(pod, volume, context);
      await mkdir(folder, { recursive: true, mode: 0o755 });
      if (group !== undefined) await chown(folder, 0, group);
      await writeFilesAtomically(folder, files, group);
      return;
    }
    if (volume.emptyDir) {
      await prepareEmptyDir(folder, volume.emptyDir, group);
      return;
    }
    throw new VolumeError("volume type is not supported by this node-agent");
  }

  async function prepareEmptyDir(
    folder: string,
    emptyDir: NonNullable<IVolume["emptyDir"]>,
    group: number | undefined,
  ): Promise<void> {
    const made = await mkdir(folder, { recursive: true });
    if (emptyDir.medium === "Memory" && !(await isMountPoint(folder))) {
      const size = emptyDir.sizeLimit === undefined ? 0 : quantityValue(String(emptyDir.sizeLimit));
      await run("mount", ["-t", "tmpfs", "-o", size > 0 ? `size=${size}` : "defaults", "tmpfs", folder]);
    } else if (made === undefined) return; // Its owner and mode are the containers' own by now.
    if (group !== undefined) await chown(folder, 0, group);
    await chmod(folder, group === undefined ? 0o777 : 0o2777);
  }

  async function hostPathOf(pod: PodObject, volume: IVolume): Promise<string> {
    if (volume.hostPath) return hostPathFor(volume.hostPath.path, volume.hostPath.type ?? "");
    return folderOf(pod.metadata.uid!, volume);
  }

  async function writeHosts(pod: PodObject, ips: readonly string[]): Promise<string> {
    const file = paths.hostsFile(pod.metadata.uid!);
    const text = pod.spec.hostNetwork
      ? nodeHostsFile(pod, await readFile("/etc/hosts", "utf8").catch(() => ""))
      : hostsFile(pod, ips, clusterDomain);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: 0o644 });
    return file;
  }

  return {
    /** One tmpfs for the secrets of all pods: it stays as long as the node, for its containers outlive the agent. */
    async start() {
      await mkdir(paths.secrets, { recursive: true, mode: 0o700 });
      if (await isMountPoint(paths.secrets)) return;
      await run("mount", ["-t", "tmpfs", "-o", "mode=0700,noswap", "tmpfs", paths.secrets])
        .catch(() => run("mount", ["-t", "tmpfs", "-o", "mode=0700", "tmpfs", paths.secrets]))
        .catch((error) => log.warn({ error: error.message }, "secrets are kept on disk: no tmpfs could be mounted"));
    },

    async prepare(pod, context) {
      await mkdir(paths.pod(pod.metadata.uid!), { recursive: true, mode: 0o750 });
      for (const volume of pod.spec.volumes ?? []) {
        await prepareVolume(pod, volume, context).catch((error: Error) => {
          throw new VolumeFailure(volume.name, error.message);
        });
      }
    },

    async mounts(pod, container, { restartCount, env, podIps }) {
      const uid = pod.metadata.uid!;
      const mounts: Mount[] = [];
      for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
        const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
        if (!volume) throw new VolumeFailure(mount.name, `volume "${mount.name}" is not known`);
        const source = await hostPathOf(pod, volume);
        const subPath = mount.subPathExpr ? expand(mount.subPathExpr, (name) => env.get(name)) : mount.subPath;
        const hostPath = subPath
          ? await bindSubPath(source, subPath, {
              folder: paths.subPaths(uid),
              name: `${container.name}-${restartCount}-${index}`,
            })
          : source;
        mounts.push({
          containerPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`,
          hostPath,
          // What the agent fills is not for containers to change.
          readonly: (mount.readOnly ?? false) || isFileVolume(volume),
          propagation: PROPAGATIONS[mount.mountPropagation ?? "None"] ?? "private",
        });
      }
      const taken = new Set(mounts.map(({ containerPath }) => containerPath));
      if (!taken.has("/etc/hosts")) {
        const hostPath = await writeHosts(pod, podIps);
        mounts.push({ containerPath: "/etc/hosts", hostPath, readonly: false, propagation: "private" });
      }
      const log = paths.terminationLog(uid, container.name, restartCount);
      await mkdir(dirname(log), { recursive: true });
      await writeFile(log, "");
      await chmod(log, 0o666); // Whoever the container runs as writes its last words there.
      const containerPath = container.terminationMessagePath ?? TERMINATION_MESSAGE_PATH;
      mounts.push({ containerPath, hostPath: log, readonly: false, propagation: "private" });
      return mounts;
    },

    async terminationMessage(uid, container, restartCount) {
      const file = paths.terminationLog(uid, container, restartCount);
      const size = await stat(file).then(
        (stats) => stats.size,
        () => 0,
      );
      if (size === 0) return "";
      return (await readFile(file)).subarray(0, TERMINATION_MESSAGE_BYTES_MAX).toString();
    },

    async remove(uid) {
      const folders = [paths.pod(uid), dirname(paths.secretVolume(uid, "x"))];
      for (const folder of folders) {
        const there = await lstat(folder).catch(() => undefined);
        if (!there) continue;
        // Never delete through a mount: what is behind it is not ours.
        await unmountBelow(folder);
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

const PROPAGATIONS: Record<string, Mount["propagation"]> = {
  None: "private",
  HostToContainer: "host-to-container",
  Bidirectional: "bidirectional",
};

/** For simulated nodes: nothing is mounted, missing references are noticed all the same. */
export const noVolumes: PodVolumes = {
  start: async () => {},
  async prepare(pod, context) {
    for (const volume of pod.spec.volumes ?? []) {
      try {
        if (isFileVolume(volume)) volumeFiles(pod, volume, context);
      } catch (error) {
        throw new VolumeFailure(volume.name, (error as Error).message);
      }
    }
  },
  mounts: async () => [],
  terminationMessage: async () => "",
  remove: async () => {},
};
