import { checkLabelName, checkRequired, checkSupported, complain } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldRequired,
} from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { dnsSubdomainComplaints } from "../names.ts";
import type { Container, PodContext, Volume } from "./types.ts";
import { checkDescending } from "./volume-paths.ts";
import { SOURCE_PATHS, VOLUME_SOURCES } from "./volume-sources.ts";

/** Answers the sound volumes by name, for the mounts to be checked against. `podName`: of a pod, not of a template. */
export function validateVolumes(
  volumes: readonly Volume[],
  context: { podName?: string; isPod: boolean },
  path: FieldPath,
  errors: FieldError[],
): Map<string, Volume> {
  const byName = new Map<string, Volume>();
  volumes.forEach((volume, i) => {
    const at = path.index(i);
    const before = errors.length;
    validateSource(volume, context.isPod, at, errors);
    if (checkRequired(volume.name, at.child("name"), errors)) checkLabelName(volume.name, at.child("name"), errors);
    if (byName.has(volume.name)) errors.push(fieldDuplicate(at.child("name"), volume.name));
    // By a volume that is wrong itself, mounts are "not found" as well.
    if (errors.length === before) byName.set(volume.name, volume);
    if (volume.ephemeral && volume.name && context.podName) {
      const claim = `${context.podName}-${volume.name}`;
      const complaints = dnsSubdomainComplaints(claim).map(
        (complaint) => `PVC name ${JSON.stringify(claim)}: ${complaint}`,
      );
      complain(complaints, volume.name, at.child("name"), errors);
    }
  });
  return byName;
}

function validateSource(volume: Volume, isPod: boolean, path: FieldPath, errors: FieldError[]): void {
  let seen = false;
  for (const [kind, source] of Object.entries(volume)) {
    if (kind === "name" || source === undefined || source === null) continue;
    const at = path.child(SOURCE_PATHS[kind] ?? kind);
    if (seen) errors.push(fieldForbidden(at, "may not specify more than 1 volume type"));
    else VOLUME_SOURCES[kind]?.(source, at, errors, isPod);
    seen = true;
  }
  if (!seen) errors.push(fieldRequired(path, "must specify a volume type"));
}

export function validateVolumeMounts(
  container: Container,
  { volumes }: PodContext,
  path: FieldPath,
  errors: FieldError[],
): void {
  const points = new Set<string>();
  const devices = new Map(container.volumeDevices?.map(({ name, devicePath }) => [name, devicePath]));
  const devicePaths = new Set(devices.values());
  container.volumeMounts!.forEach((mount, i) => {
    const at = path.index(i);
    checkRequired(mount.name, at.child("name"), errors);
    if (!volumes.has(mount.name)) errors.push(fieldNotFound(at.child("name"), mount.name));
    checkRequired(mount.mountPath, at.child("mountPath"), errors);
    if (points.has(mount.mountPath))
      errors.push(fieldInvalid(at.child("mountPath"), mount.mountPath, "must be unique"));
    points.add(mount.mountPath);
    if (devices.has(mount.name)) {
      errors.push(fieldInvalid(at.child("name"), mount.name, "must not already exist in volumeDevices"));
    }
    if (devicePaths.has(mount.mountPath)) {
      const why = "must not already exist as a path in volumeDevices";
      errors.push(fieldInvalid(at.child("mountPath"), mount.mountPath, why));
    }
    if (mount.subPath) checkDescending(mount.subPath, path.child("subPath"), errors);
    if (mount.subPathExpr) {
      if (mount.subPath) {
        const why = "subPathExpr and subPath are mutually exclusive";
        errors.push(fieldInvalid(at.child("subPathExpr"), mount.subPathExpr, why));
      }
      checkDescending(mount.subPathExpr, path.child("subPathExpr"), errors);
    }
    if (mount.mountPropagation) {
      const propagationAt = path.child("mountPropagation");
      checkSupported(mount.mountPropagation, ["Bidirectional", "HostToContainer", "None"], propagationAt, errors);
      if (mount.mountPropagation === "Bidirectional" && !container.securityContext?.privileged) {
        const why = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(fieldForbidden(propagationAt, why));
      }
    }
    if (typeof mount.recursiveReadOnly === "string")
      validateRecursiveReadOnly(mount, path.child("recursiveReadOnly"), errors);
  });
}

interface Mount {
  readOnly?: boolean;
  recursiveReadOnly?: string;
  mountPropagation?: string;
}

function validateRecursiveReadOnly(mount: Mount, path: FieldPath, errors: FieldError[]): void {
  const mode = mount.recursiveReadOnly!;
  checkSupported(mode, ["Disabled", "Enabled", "IfPossible"], path, errors);
  if (mode === "Disabled") return;
  if (!mount.readOnly) errors.push(fieldForbidden(path, "may only be specified when readOnly is true"));
  if (mount.mountPropagation && mount.mountPropagation !== "None") {
    errors.push(fieldForbidden(path, "may only be specified when mountPropagation is None or not specified"));
  }
}

export function validateVolumeDevices(
  container: Container,
  { volumes }: PodContext,
  path: FieldPath,
  errors: FieldError[],
): void {
  const [names, paths] = [new Set<string>(), new Set<string>()];
  const mounts = new Set(container.volumeMounts?.map(({ name }) => name));
  const mountPaths = new Set(container.volumeMounts?.map(({ mountPath }) => mountPath));
  container.volumeDevices!.forEach(({ name, devicePath }, i) => {
    const at = path.index(i);
    const volume = volumes.get(name);
    checkRequired(name, at.child("name"), errors);
    if (names.has(name)) errors.push(fieldInvalid(at.child("name"), name, "must be unique"));
    if (!volume) errors.push(fieldNotFound(at.child("name"), name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      errors.push(fieldInvalid(at.child("name"), name, why));
    }
    checkRequired(devicePath, at.child("devicePath"), errors);
    if (paths.has(devicePath)) errors.push(fieldInvalid(at.child("devicePath"), devicePath, "must be unique"));
    if (devicePath.split("/").includes("..")) {
      errors.push(fieldInvalid(at.child("devicePath"), devicePath, "can not contain backsteps ('..')"));
    }
    if (mounts.has(name)) errors.push(fieldInvalid(at.child("name"), name, "must not already exist in volumeMounts"));
    if (mountPaths.has(devicePath)) {
      errors.push(fieldInvalid(at.child("devicePath"), devicePath, "must not already exist as a path in volumeMounts"));
    }
    names.add(name);
    paths.add(devicePath);
  });
}
