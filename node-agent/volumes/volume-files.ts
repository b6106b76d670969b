import type { IVolume } from "kubernetes-models/v1/Volume";
import type { PodObject } from "../../api/kinds/pod.ts";
import type { KubeObject } from "../../api/object.ts";
import { type Allocatable, fieldValue, type PodAddresses, resourceValue } from "../fields.ts";
import type { ReferencedObjects } from "../references.ts";

export interface VolumeFile {
  data: Uint8Array;
  mode: number;
}

export interface VolumeContext {
  objects: ReferencedObjects;
  addresses: PodAddresses;
  allocatable: Allocatable;
}

/** Why a volume cannot be filled; goes into a FailedMount event. */
export class VolumeError extends Error {}

const MODE_DEFAULT = 0o644;

/** Filled with files by the agent, and kept up to date. */
export const isFileVolume = (volume: IVolume): boolean =>
  Boolean(volume.configMap || volume.secret || volume.downwardAPI || volume.projected);

/** Must not lie on a disk. */
export const isSecretVolume = (volume: IVolume): boolean =>
  Boolean(volume.secret || volume.projected?.sources?.some(({ secret }) => secret));

/** The files of a ConfigMap, Secret, downward API or projected volume, by path inside the volume. */
export function volumeFiles(pod: PodObject, volume: IVolume, context: VolumeContext): Map<string, VolumeFile> {
  const files = new Map<string, VolumeFile>();
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) addKeys(files, "configmap", configMap.name ?? "", configMap, configMap.defaultMode, context);
  if (secret) addKeys(files, "secret", secret.secretName ?? "", secret, secret.defaultMode, context);
  if (downwardAPI) addFields(files, pod, downwardAPI.items ?? [], downwardAPI.defaultMode, context);
  for (const source of projected?.sources ?? []) {
    const mode = projected?.defaultMode;
    if (source.configMap) addKeys(files, "configmap", source.configMap.name ?? "", source.configMap, mode, context);
    if (source.secret) addKeys(files, "secret", source.secret.name ?? "", source.secret, mode, context);
    if (source.downwardAPI) addFields(files, pod, source.downwardAPI.items ?? [], mode, context);
    if (source.serviceAccountToken || source.clusterTrustBundle) {
      throw new VolumeError("this node-agent cannot project service account tokens or trust bundles");
    }
  }
  return files;
}

interface KeyedSource {
  items?: { key: string; path: string; mode?: number }[];
  optional?: boolean;
}

function addKeys(
  files: Map<string, VolumeFile>,
  what: "configmap" | "secret",
  name: string,
  { items, optional }: KeyedSource,
  defaultMode: number | undefined,
  { objects }: VolumeContext,
): void {
  const object = objects(`${what}s`, name);
  if (!object) {
    if (optional) return;
    throw new VolumeError(`${what} "${name}" not found`);
  }
  const data = contents(what, object);
  const chosen = items ?? [...data.keys()].map((key) => ({ key, path: key, mode: undefined }));
  for (const { key, path, mode } of chosen) {
    const bytes = data.get(key);
    if (!bytes) {
      if (optional) continue;
      throw new VolumeError(`references non-existent ${what === "secret" ? "secret" : "config"} key: ${key}`);
    }
    files.set(checkedPath(path), { data: bytes, mode: mode ?? defaultMode ?? MODE_DEFAULT });
  }
}

function contents(what: "configmap" | "secret", object: KubeObject): Map<string, Uint8Array> {
  const entries = Object.entries((object["data"] ?? {}) as Record<string, string>);
  const encoding = what === "secret" ? "base64" : "utf8";
  const result = new Map<string, Uint8Array>(entries.map(([key, value]) => [key, Buffer.from(value, encoding)]));
  for (const [key, value] of Object.entries((object["binaryData"] ?? {}) as Record<string, string>)) {
    result.set(key, Buffer.from(value, "base64"));
  }
  return result;
}

type DownwardItems = NonNullable<NonNullable<IVolume["downwardAPI"]>["items"]>;

function addFields(
  files: Map<string, VolumeFile>,
  pod: PodObject,
  items: DownwardItems,
  defaultMode: number | undefined,
  { addresses, allocatable }: VolumeContext,
): void {
  for (const { path, mode, fieldRef, resourceFieldRef } of items) {
    let value = "";
    if (fieldRef) value = fieldValue(pod, fieldRef.fieldPath, addresses);
    else if (resourceFieldRef) {
      const { containerName, resource, divisor } = resourceFieldRef;
      const container = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(
        ({ name }) => name === containerName,
      );
      if (!container) throw new VolumeError(`container ${containerName} not found`);
      value = resourceValue(container, resource, divisor === undefined ? undefined : String(divisor), allocatable);
    }
    files.set(checkedPath(path), { data: Buffer.from(value), mode: mode ?? defaultMode ?? MODE_DEFAULT });
  }
}

/** A path inside the volume. Validation refuses others; nothing that slipped through may leave the volume. */
export function checkedPath(path: string): string {
  const parts = path.split("/");
  const bad =
    path === "" || path.startsWith("/") || path.includes("\0") || parts.includes("..") || parts[0]!.startsWith("..");
  if (bad) throw new VolumeError(`invalid path in a volume: ${JSON.stringify(path)}`);
  return parts.filter((part) => part !== "" && part !== ".").join("/");
}
