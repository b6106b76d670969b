import { checkLabelName, checkRequired, checkSupported } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldRequired,
} from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { parseQuantity } from "../quantity.ts";
import { type FieldRef, type ResourceFieldRef, validateFieldRef, validateResourceFieldRef } from "./env.ts";
import type { Container, PodContext, Volume } from "./types.ts";

const HOST_PATH_TYPES = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const MODE_MAX = 0o777;
const MODE_RANGE = "must be a number between 0 and 0777 (octal), both inclusive";
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

/** Answers the volumes by name, for the mounts to be checked against. */
export function validateVolumes(
  volumes: readonly Volume[],
  path: FieldPath,
  errors: FieldError[],
): Map<string, Volume> {
  const byName = new Map<string, Volume>();
  volumes.forEach((volume, i) => {
    const at = path.index(i);
    const before = errors.length;
    validateSource(volume, at, errors);
    if (checkRequired(volume.name, at.child("name"), errors)) checkLabelName(volume.name, at.child("name"), errors);
    if (byName.has(volume.name)) errors.push(fieldDuplicate(at.child("name"), volume.name));
    // A volume that is itself wrong is not also "not found" by its mounts.
    if (errors.length === before || volume.name) byName.set(volume.name, volume);
  });
  return byName;
}

function validateSource(volume: Volume, path: FieldPath, errors: FieldError[]): void {
  let seen = false;
  for (const [kind, source] of Object.entries(volume)) {
    if (kind === "name" || source === undefined || source === null) continue;
    const at = path.child(kind);
    if (seen) errors.push(fieldForbidden(at, "may not specify more than 1 volume type"));
    else SOURCES[kind]?.(source, at, errors);
    seen = true;
  }
  if (!seen) errors.push(fieldRequired(path, "must specify a volume type"));
}

type SourceCheck = (source: any, path: FieldPath, errors: FieldError[]) => void;

/** What has to be there, for the kinds of volume that need no more said. */
const needs =
  (...fields: string[]): SourceCheck =>
  (source, path, errors) => {
    for (const field of fields) checkRequired(source[field], path.child(field), errors);
  };

const SOURCES: Record<string, SourceCheck> = {
  emptyDir: ({ sizeLimit }, path, errors) => {
    if (sizeLimit === undefined || sizeLimit === null) return;
    try {
      if (parseQuantity(sizeLimit).nanos >= 0n) return;
    } catch {
      // Said below.
    }
    errors.push(fieldForbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity"));
  },
  hostPath: (source, path, errors) => {
    if (!checkRequired(source.path, path.child("path"), errors)) return;
    checkNoBacksteps(source.path, path.child("path"), errors);
    if (source.type) checkSupported(source.type, HOST_PATH_TYPES, path.child("type"), errors);
  },
  secret: (source, path, errors) => {
    checkRequired(source.secretName, path.child("secretName"), errors);
    validateFiles(source, path, errors);
  },
  configMap: (source, path, errors) => {
    checkRequired(source.name, path.child("name"), errors);
    validateFiles(source, path, errors);
  },
  persistentVolumeClaim: needs("claimName"),
  nfs: (source, path, errors) => {
    needs("server", "path")(source, path, errors);
    if (source.path && !source.path.startsWith("/")) {
      errors.push(fieldInvalid(path.child("path"), source.path, "must be an absolute path"));
    }
  },
  downwardAPI: (source, path, errors) => {
    checkMode(source.defaultMode, path.child("defaultMode"), errors);
    validateDownwardItems(source.items ?? [], path, errors);
  },
  projected: validateProjected,
  csi: needs("driver"),
  ephemeral: ({ volumeClaimTemplate }, path, errors) => {
    if (!volumeClaimTemplate) errors.push(fieldRequired(path.child("volumeClaimTemplate")));
    else if (!volumeClaimTemplate.spec?.accessModes?.length) {
      const at = path.child("volumeClaimTemplate").child("spec").child("accessModes");
      errors.push(fieldRequired(at, "at least 1 access mode is required"));
    }
  },
  image: ({ pullPolicy }, path, errors) => {
    if (pullPolicy) checkSupported(pullPolicy, ["Always", "IfNotPresent", "Never"], path.child("pullPolicy"), errors);
  },
  gitRepo: needs("repository"),
  iscsi: needs("targetPortal", "iqn"),
  glusterfs: needs("endpoints", "path"),
  cephfs: needs("monitors"),
  rbd: needs("monitors", "image"),
  cinder: needs("volumeID"),
  flexVolume: needs("driver"),
  awsElasticBlockStore: needs("volumeID"),
  gcePersistentDisk: needs("pdName"),
  azureDisk: needs("diskName", "diskURI"),
  azureFile: needs("secretName", "shareName"),
  vsphereVolume: needs("volumePath"),
  portworxVolume: needs("volumeID"),
  quobyte: needs("registry", "volume"),
  scaleIO: needs("gateway", "system", "volumeName"),
};

interface KeyToPath {
  key?: string;
  path?: string;
  mode?: number;
}

function validateFiles(
  source: { defaultMode?: number; items?: KeyToPath[] },
  path: FieldPath,
  errors: FieldError[],
): void {
  checkMode(source.defaultMode, path.child("defaultMode"), errors);
  validateItems(source.items, path, errors);
}

function validateItems(items: KeyToPath[] | undefined, path: FieldPath, errors: FieldError[]): void {
  items?.forEach((item, i) => {
    const at = path.child("items").index(i);
    checkRequired(item.key, at.child("key"), errors);
    if (checkRequired(item.path, at.child("path"), errors)) checkFileName(item.path!, at.child("path"), errors);
    checkMode(item.mode, at.child("mode"), errors);
  });
}

interface DownwardItem {
  path?: string;
  mode?: number;
  fieldRef?: FieldRef;
  resourceFieldRef?: ResourceFieldRef;
}

function validateDownwardItems(items: DownwardItem[], path: FieldPath, errors: FieldError[]): void {
  for (const item of items) {
    if (checkRequired(item.path, path.child("path"), errors)) checkFileName(item.path!, path.child("path"), errors);
    if (item.fieldRef) {
      validateFieldRef(item.fieldRef, "volume", path.child("fieldRef"), errors);
      if (item.resourceFieldRef) {
        const why = "fieldRef and resourceFieldRef can not be specified simultaneously";
        errors.push(fieldInvalid(path, "resource", why));
      }
    } else if (item.resourceFieldRef) {
      validateResourceFieldRef(item.resourceFieldRef, "volume", path.child("resourceFieldRef"), errors);
    } else {
      errors.push(fieldRequired(path, "one of fieldRef and resourceFieldRef is required"));
    }
    checkMode(item.mode, path.child("mode"), errors);
  }
}

const PROJECTIONS = [
  "secret",
  "configMap",
  "downwardAPI",
  "serviceAccountToken",
  "clusterTrustBundle",
  "podCertificate",
];

function validateProjected(source: any, path: FieldPath, errors: FieldError[]): void {
  checkMode(source.defaultMode, path.child("defaultMode"), errors);
  const paths = new Set<string>();
  const claim = (name: string | undefined, what: string): void => {
    if (!name) return;
    if (paths.has(name)) errors.push(fieldInvalid(path, what, `conflicting duplicate paths`));
    paths.add(name);
  };
  source.sources?.forEach((projection: any, i: number) => {
    const at = path.child("sources").index(i);
    const kinds = PROJECTIONS.filter((kind) => projection[kind]);
    if (kinds.length === 0) errors.push(fieldRequired(at, "must specify a volume type"));
    for (const extra of kinds.slice(1)) {
      errors.push(fieldForbidden(at.child(extra), "may not specify more than 1 volume type per source"));
    }
    const kind = kinds[0];
    const body = kind && projection[kind];
    if (kind === "secret" || kind === "configMap") {
      checkRequired(body.name, at.child(kind).child("name"), errors);
      validateItems(body.items, at.child(kind), errors);
      for (const item of body.items ?? []) claim(item.path, body.name);
    } else if (kind === "downwardAPI") {
      validateDownwardItems(body.items ?? [], at.child(kind), errors);
      for (const item of body.items ?? []) claim(item.path, "downwardAPI");
    } else if (kind === "serviceAccountToken") {
      const seconds = body.expirationSeconds ?? 0;
      const secondsAt = at.child(kind).child("expirationSeconds");
      if (seconds < TOKEN_SECONDS_MIN) {
        errors.push(fieldInvalid(secondsAt, seconds, "may not specify a duration less than 10 minutes"));
      }
      if (seconds > TOKEN_SECONDS_MAX) {
        errors.push(fieldInvalid(secondsAt, seconds, "may not specify a duration larger than 2^32 seconds"));
      }
      if (checkRequired(body.path, at.child(kind).child("path"), errors)) {
        checkFileName(body.path, at.child(kind).child("path"), errors);
      }
      claim(body.path, "serviceAccountToken");
    } else if (kind === "clusterTrustBundle") {
      checkRequired(body.path, at.child(kind).child("path"), errors);
      claim(body.path, "clusterTrustBundle");
    }
  });
}

function checkMode(mode: number | null | undefined, path: FieldPath, errors: FieldError[]): void {
  if (typeof mode === "number" && (mode < 0 || mode > MODE_MAX)) errors.push(fieldInvalid(path, mode, MODE_RANGE));
}

function checkNoBacksteps(value: string, path: FieldPath, errors: FieldError[]): void {
  if (value.split("/").includes("..")) errors.push(fieldInvalid(path, value, "must not contain '..'"));
}

/** A path below a directory. */
function checkDescending(value: string, path: FieldPath, errors: FieldError[]): void {
  if (value.startsWith("/")) errors.push(fieldInvalid(path, value, "must be a relative path"));
  checkNoBacksteps(value, path, errors);
}

/** A path in a volume that Kubernetes fills: `..data` is its own. */
function checkFileName(value: string, path: FieldPath, errors: FieldError[]): void {
  checkDescending(value, path, errors);
  if (value.startsWith("..") && !value.startsWith("../")) {
    errors.push(fieldInvalid(path, value, "must not start with '..'"));
  }
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
    if (mount.recursiveReadOnly) validateRecursiveReadOnly(mount, path.child("recursiveReadOnly"), errors);
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
