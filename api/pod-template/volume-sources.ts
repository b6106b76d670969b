import { checkLabelName, checkSupported, complain } from "../field-checks.ts";
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooLong,
} from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { validateClaimSpec } from "../kinds/claim-spec.ts";
import { dnsSubdomainComplaints, outOfRange } from "../names.ts";
import { validateAnnotations } from "../object-meta.ts";
import { parseQuantity } from "../quantity.ts";
import { validateLabels } from "../selector.ts";
import { validateDownwardItems, validateProjected } from "./projected-volumes.ts";
import { checkFileName, checkMode, checkNoBacksteps, validateItems } from "./volume-paths.ts";

/** Checks one source of a volume. `isPod`: a pod is held to more than a template. */
export type SourceCheck = (source: any, path: FieldPath, errors: FieldError[], isPod?: boolean) => void;

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
const LUN_MAX = 255;
const PARTITION_MAX = 255;
const DRIVER_LENGTH_MAX = 63;
const TENANT_LENGTH_MAX = 64;

/** Upstream's paths of sources that are not called as their fields are. */
export const SOURCE_PATHS: Readonly<Record<string, string>> = { gcePersistentDisk: "persistentDisk" };

const isMissing = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

/** What has to be there, for the kinds of volume that need no more said. */
const needs =
  (...fields: string[]): SourceCheck =>
  (source, path, errors) => {
    for (const field of fields) if (isMissing(source[field])) errors.push(fieldRequired(path.child(field)));
  };

/** All of the checks, one after the other. */
const all =
  (...checks: SourceCheck[]): SourceCheck =>
  (source, path, errors, isPod) => {
    for (const check of checks) check(source, path, errors, isPod);
  };

const partition: SourceCheck = (source, path, errors) => {
  const number = source.partition ?? 0;
  if (number < 0 || number > PARTITION_MAX) {
    errors.push(fieldInvalid(path.child("partition"), number, outOfRange(1, PARTITION_MAX)));
  }
};

/** Of the secret that a source refers to. */
const secretName: SourceCheck = ({ secretRef }, path, errors) => {
  if (secretRef && !secretRef.name) errors.push(fieldRequired(path.child("secretRef").child("name")));
};

const lun: SourceCheck = (source, path, errors) => {
  const number = source.lun ?? 0;
  if (number < 0 || number > LUN_MAX) errors.push(fieldInvalid(path.child("lun"), number, outOfRange(0, LUN_MAX)));
};

/** The driver of CSI volumes; case does not matter. */
export function checkDriverName(name: string | undefined, path: FieldPath, errors: FieldError[]): void {
  if (!name) {
    errors.push(fieldRequired(path));
    return;
  }
  if (name.length > DRIVER_LENGTH_MAX) errors.push(fieldTooLong(path, DRIVER_LENGTH_MAX));
  complain(dnsSubdomainComplaints(name.toLowerCase()), name, path, errors);
}

const ISCSI_NAMES: Record<string, RegExp> = {
  iqn: /iqn\.\d{4}-\d{2}\.([0-9A-Za-z.-]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[0-9A-Za-z]{16}$/,
  naa: /^naa.[0-9A-Za-z]{32}$/,
};
const ISCSI_NAME_LENGTH_MAX = 1024;

function checkIscsiName(name: string, path: FieldPath, errors: FieldError[]): void {
  const pattern = ISCSI_NAMES[name.slice(0, 3)];
  if (!pattern) errors.push(fieldInvalid(path, name, "must be valid format starting with iqn, eui, or naa"));
  else if (name.length > ISCSI_NAME_LENGTH_MAX || !pattern.test(name)) {
    errors.push(fieldInvalid(path, name, "must be valid format"));
  }
}

const iscsi: SourceCheck = (source, path, errors) => {
  needs("targetPortal", "iqn")(source, path, errors);
  if (source.iqn) checkIscsiName(source.iqn, path.child("iqn"), errors);
  lun(source, path, errors);
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) {
    errors.push(fieldRequired(path.child("secretRef")));
  }
  if (typeof source.initiatorName === "string") {
    checkIscsiName(source.initiatorName, path.child("initiatorname"), errors);
  }
};

const fc: SourceCheck = (source, path, errors) => {
  const { targetWWNs = [], wwids = [] } = source;
  const at = path.child("targetWWNs");
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(fieldRequired(at, "must specify either targetWWNs or wwids, but not both"));
  }
  if (targetWWNs.length === 0) return;
  if (wwids.length > 0) {
    errors.push(fieldInvalid(at, targetWWNs, "targetWWNs and wwids can not be specified simultaneously"));
  }
  if (typeof source.lun !== "number") {
    errors.push(fieldRequired(path.child("lun"), "lun is required if targetWWNs is specified"));
  } else lun(source, path, errors);
};

const BLOB_URI = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
const MANAGED_URI = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";

const azureDisk: SourceCheck = (source, path, errors) => {
  needs("diskName", "diskURI")(source, path, errors);
  const { kind, cachingMode, diskURI = "" } = source;
  if (typeof cachingMode === "string") {
    checkSupported(cachingMode, ["None", "ReadOnly", "ReadWrite"], path.child("cachingMode"), errors);
  }
  if (typeof kind !== "string") return;
  checkSupported(kind, ["Dedicated", "Managed", "Shared"], path.child("kind"), errors);
  const [prefix, supported] = kind === "Managed" ? ["/subscriptions/", MANAGED_URI] : ["https://", BLOB_URI];
  if (!diskURI.startsWith(prefix)) errors.push(fieldNotSupported(path.child("diskURI"), diskURI, [supported]));
};

const quobyte: SourceCheck = (source, path, errors) => {
  const { registry = "", tenant = "" } = source;
  const why = "must be a host:port pair or multiple pairs separated by commas";
  if (registry === "") errors.push(fieldRequired(path.child("registry"), why));
  else if (tenant.length > TENANT_LENGTH_MAX) {
    errors.push(fieldRequired(path.child("tenant"), "must be a UUID and may not exceed a length of 64 characters"));
  } else {
    for (const pair of registry.split(",")) {
      const isPair = /^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(pair);
      if (!isPair) errors.push(fieldInvalid(path.child("registry"), registry, why));
    }
  }
  needs("volume")(source, path, errors);
};

const storageos: SourceCheck = (source, path, errors) => {
  needs("volumeName")(source, path, errors);
  for (const field of ["volumeName", "volumeNamespace"]) {
    if (source[field]) checkLabelName(source[field], path.child(field), errors);
  }
  secretName(source, path, errors);
};

const flocker: SourceCheck = ({ datasetName, datasetUUID }, path, errors) => {
  if (!datasetName && !datasetUUID) errors.push(fieldRequired(path, "one of datasetName and datasetUUID is required"));
  if (datasetName && datasetUUID) {
    errors.push(fieldInvalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"));
  }
  if (datasetName?.includes("/")) {
    errors.push(fieldInvalid(path.child("datasetName"), datasetName, "must not contain '/'"));
  }
};

const flexVolume: SourceCheck = ({ driver, options = {} }, path, errors) => {
  if (!driver) errors.push(fieldRequired(path.child("driver")));
  for (const key of Object.keys(options ?? {})) {
    const domain = `.${key.split("/", 1)[0]!.toLowerCase()}`;
    if (!domain.endsWith(".kubernetes.io") && !domain.endsWith(".k8s.io")) continue;
    errors.push(fieldInvalid(path.child("options").key(key), key, "kubernetes.io and k8s.io namespaces are reserved"));
  }
};

const nfs: SourceCheck = (source, path, errors) => {
  needs("server", "path")(source, path, errors);
  if (!source.path?.startsWith("/")) {
    errors.push(fieldInvalid(path.child("path"), source.path ?? "", "must be an absolute path"));
  }
};

const hostPath: SourceCheck = (source, path, errors) => {
  if (!source.path) errors.push(fieldRequired(path.child("path")));
  else checkNoBacksteps(source.path, path.child("path"), errors);
  if (source.path && source.type) checkSupported(source.type, HOST_PATH_TYPES, path.child("type"), errors);
};

/** Sources that persistent volumes share with pods, by their names in both. */
export const SHARED_SOURCES: Readonly<Record<string, SourceCheck>> = {
  hostPath,
  nfs,
  iscsi,
  fc,
  rbd: needs("monitors", "image"),
  cephfs: needs("monitors"),
  cinder: all(needs("volumeID"), secretName),
  gcePersistentDisk: all(needs("pdName"), partition),
  awsElasticBlockStore: all(needs("volumeID"), partition),
  azureDisk,
  quobyte,
  storageos,
  flocker,
  flexVolume,
  glusterfs: needs("endpoints", "path"),
  photonPersistentDisk: needs("pdID"),
  portworxVolume: needs("volumeID"),
  scaleIO: needs("gateway", "system", "volumeName"),
  vsphereVolume: needs("volumePath"),
};

function validateFiles(source: any, path: FieldPath, errors: FieldError[]): void {
  checkMode(source.defaultMode, path.child("defaultMode"), errors);
  validateItems(source.items, path, errors);
}

/** What is checked of each source that a pod's volume may have, by its name. */
export const VOLUME_SOURCES: Readonly<Record<string, SourceCheck>> = {
  ...SHARED_SOURCES,
  emptyDir: ({ sizeLimit }, path, errors) => {
    if (sizeLimit === undefined || sizeLimit === null) return;
    try {
      if (parseQuantity(sizeLimit).nanos >= 0n) return;
    } catch {
      // Said below.
    }
    errors.push(fieldForbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity"));
  },
  secret: (source, path, errors) => {
    needs("secretName")(source, path, errors);
    validateFiles(source, path, errors);
  },
  configMap: (source, path, errors) => {
    needs("name")(source, path, errors);
    validateFiles(source, path, errors);
  },
  persistentVolumeClaim: needs("claimName"),
  downwardAPI: (source, path, errors) => {
    checkMode(source.defaultMode, path.child("defaultMode"), errors);
    validateDownwardItems(source.items ?? [], path, errors);
  },
  projected: validateProjected,
  csi: ({ driver, nodePublishSecretRef }, path, errors) => {
    checkDriverName(driver, path.child("driver"), errors);
    if (!nodePublishSecretRef) return;
    if (!nodePublishSecretRef.name) errors.push(fieldRequired(path.child("nodePublishSecretRef").child("name")));
    // The path is upstream's.
    else
      complain(
        dnsSubdomainComplaints(nodePublishSecretRef.name),
        nodePublishSecretRef.name,
        path.child("name"),
        errors,
      );
  },
  ephemeral: ({ volumeClaimTemplate: template }, path, errors) => {
    const at = path.child("volumeClaimTemplate");
    if (!template) {
      errors.push(fieldRequired(at));
      return;
    }
    validateLabels(template.metadata?.labels, at.child("metadata").child("labels"), errors);
    validateAnnotations(template.metadata?.annotations, at.child("metadata").child("annotations"), errors);
    validateClaimSpec(template.spec ?? {}, at.child("spec"), errors);
  },
  image: ({ reference, pullPolicy }, path, errors, isPod) => {
    if (isPod && !reference) errors.push(fieldRequired(path.child("reference")));
    if (pullPolicy) checkSupported(pullPolicy, ["Always", "IfNotPresent", "Never"], path.child("pullPolicy"), errors);
  },
  gitRepo: (source, path, errors) => {
    needs("repository")(source, path, errors);
    checkFileName(source.directory ?? "", path.child("directory"), errors);
  },
  azureFile: needs("secretName", "shareName"),
};
