import { formatQuantity, parseQuantity } from "../quantity.ts";
import type { Container, PodSpec, PodTemplateSpec, Volume } from "./types.ts";

/** pkg/apis/core/v1/defaults.go, as far as it concerns a pod's spec wherever that stands. Changes it in place. */
export function setPodSpecDefaults(spec: PodSpec): void {
  spec.dnsPolicy ??= "ClusterFirst";
  spec.restartPolicy ??= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  // The older name of the same field; either one sets both.
  spec.serviceAccountName ||= spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else {
    delete spec.serviceAccountName;
    delete spec.serviceAccount;
  }
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
  for (const container of spec.containers ?? []) setContainerDefaults(container);
  for (const container of spec.initContainers ?? []) setContainerDefaults(container);
  for (const container of spec.ephemeralContainers ?? []) setContainerDefaults(container as Container);
  roundToMilli(spec.overhead);
  roundToMilli(spec.resources?.limits);
  roundToMilli(spec.resources?.requests);
}

export function setPodTemplateDefaults(template: PodTemplateSpec | undefined): void {
  if (template?.spec) setPodSpecDefaults(template.spec);
}

/** What is defaulted in a pod, and not in a workload's template. */
export function setPodOnlyDefaults(spec: PodSpec): void {
  // Of a template it is left as it is given.
  if (spec.terminationGracePeriodSeconds! < 0) spec.terminationGracePeriodSeconds = 1;
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const limits = container.resources?.limits;
    if (limits) container.resources!.requests = { ...limits, ...container.resources!.requests };
    if (spec.hostNetwork) for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
  setPodLevelRequests(spec);
}

/** Pod-level requests that are not set follow the containers' sums, or else the pod's limits. */
function setPodLevelRequests(spec: PodSpec): void {
  const limits = spec.resources?.limits;
  if (!limits || Object.keys(limits).length === 0) return;
  const requests = { ...spec.resources!.requests };
  for (const resource of Object.keys(limits)) {
    if (requests[resource] !== undefined) continue;
    const asked = (spec.containers ?? []).map((container) => container.resources?.requests?.[resource]);
    const given = asked.filter((quantity) => quantity !== undefined).map(parseQuantity);
    const sum = given.reduce((total, { nanos }) => total + nanos, 0n);
    requests[resource] = given.length > 0 ? formatQuantity(sum, given[0]!.format) : limits[resource]!;
  }
  spec.resources!.requests = requests;
}

function setContainerDefaults(container: Container): void {
  container.imagePullPolicy ??= imageTag(container.image ?? "") === "latest" ? "Always" : "IfNotPresent";
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ??= "File";
  container.resources ??= {};
  roundToMilli(container.resources.limits);
  roundToMilli(container.resources.requests);
  for (const port of container.ports ?? []) port.protocol ??= "TCP";
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= "v1";
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ??= "0";
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (!probe) continue;
    probe.timeoutSeconds ||= 1;
    probe.periodSeconds ||= 10;
    probe.successThreshold ||= 1;
    probe.failureThreshold ||= 3;
    setHttpDefaults(probe.httpGet);
    if (probe.grpc) probe.grpc.service ??= "";
  }
  setHttpDefaults(container.lifecycle?.postStart?.httpGet);
  setHttpDefaults(container.lifecycle?.preStop?.httpGet);
}

function setHttpDefaults(http: { path?: string; scheme?: string } | undefined): void {
  if (!http) return;
  http.path ||= "/";
  http.scheme ||= "HTTP";
}

const REFERENCE_LENGTH_MAX = 1024;
/** Host, repository, tag and digest, as github.com/distribution/reference has them. */
const REFERENCE =
  /^(?:(?:localhost|[A-Za-z0-9-]*[A-Z][A-Za-z0-9-]*|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?=[.:/])|\[[0-9a-fA-F:]+\])(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*(?::(?<tag>\w[\w.-]{0,127}))?(?<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

/** `latest` where an image names neither tag nor digest; empty where it has a digest alone, or cannot be read. */
function imageTag(image: string): string {
  const parts = image.length <= REFERENCE_LENGTH_MAX ? REFERENCE.exec(image)?.groups : undefined;
  if (!parts) return "";
  return parts["tag"] ?? (parts["digest"] === undefined ? "latest" : "");
}

const FILE_MODE = 0o644;

function setVolumeDefaults(volume: Volume): void {
  const { name: _, ...sources } = volume;
  if (Object.values(sources).every((source) => source === undefined || source === null)) volume.emptyDir = {};
  if (volume.secret) volume.secret.defaultMode ??= FILE_MODE;
  if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE;
  if (volume.hostPath) volume.hostPath.type ??= "";
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= "default";
  if (volume.rbd) {
    volume.rbd.pool ||= "rbd";
    volume.rbd.user ||= "admin";
    volume.rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (volume.scaleIO) {
    volume.scaleIO.storageMode ||= "ThinProvisioned";
    volume.scaleIO.fsType ||= "xfs";
  }
  if (volume.azureDisk) {
    volume.azureDisk.cachingMode ??= "ReadWrite";
    volume.azureDisk.kind ??= "Shared";
    volume.azureDisk.fsType ??= "ext4";
    volume.azureDisk.readOnly ??= false;
  }
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE;
    setDownwardDefaults(volume.downwardAPI.items);
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= FILE_MODE;
    for (const source of volume.projected.sources ?? []) {
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
      setDownwardDefaults(source.downwardAPI?.items);
    }
  }
  if (volume.image)
    volume.image.pullPolicy ??= imageTag(volume.image.reference ?? "") === "latest" ? "Always" : "IfNotPresent";
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) claim.volumeMode ??= "Filesystem";
}

interface DownwardItem {
  fieldRef?: { apiVersion?: string };
  resourceFieldRef?: { divisor?: string | number };
}

function setDownwardDefaults(items: readonly DownwardItem[] | undefined): void {
  for (const { fieldRef, resourceFieldRef } of items ?? []) {
    if (fieldRef) fieldRef.apiVersion ||= "v1";
    if (resourceFieldRef) resourceFieldRef.divisor ??= "0";
  }
}

/** Quantities finer than a thousandth are rounded up; all are written in their canonical form. */
export function roundToMilli(resources: Record<string, string | number> | undefined): void {
  for (const name in resources) {
    const quantity = resources[name]!;
    try {
      const { nanos, format, text } = parseQuantity(quantity);
      const rest = nanos % 1_000_000n;
      resources[name] = rest === 0n ? text : formatQuantity(nanos - rest + (nanos > 0n ? 1_000_000n : 0n), format);
    } catch {
      // Not a quantity: validation says so, in words that need the text as it came.
    }
  }
}
