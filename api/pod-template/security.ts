import { checkEach, checkOneOf, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { outOfRange } from "../names.ts";
import type { Container, PodSpec } from "./types.ts";

const ID_MAX = 2 ** 31 - 1;
const SYSCTL_LENGTH_MAX = 253;
const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[/.])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;

function checkId(id: number | null | undefined, path: FieldPath, errors: FieldError[]): void {
  if (typeof id === "number" && (id < 0 || id > ID_MAX)) errors.push(fieldInvalid(path, id, outOfRange(0, ID_MAX)));
}

/** spec.securityContext and the host namespaces. */
export function validatePodSecurity(spec: PodSpec, isPod: boolean, path: FieldPath, errors: FieldError[]): void {
  validateHostNetwork(spec, isPod, path, errors);
  if (spec.hostUsers === false) {
    for (const [field, name] of [
      ["hostNetwork", "hostNetwork"],
      ["hostPID", "HostPID"],
      ["hostIPC", "HostIPC"],
    ] as const) {
      if (spec[field]) errors.push(fieldForbidden(path.child(name), "when `pod.Spec.HostUsers` is false"));
    }
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.push(
      fieldInvalid(
        path.child("shareProcessNamespace"),
        true,
        "ShareProcessNamespace and HostPID cannot both be enabled",
      ),
    );
  }
  const context = spec.securityContext;
  if (!context) return;
  const at = path.child("securityContext");
  checkId(context.fsGroup, at.child("fsGroup"), errors);
  checkId(context.runAsUser, at.child("runAsUser"), errors);
  checkId(context.runAsGroup, at.child("runAsGroup"), errors);
  checkEach(context.supplementalGroups, at.child("supplementalGroups"), checkId, errors);
  if (context.fsGroupChangePolicy) {
    checkSupported(context.fsGroupChangePolicy, ["Always", "OnRootMismatch"], at.child("fsGroupChangePolicy"), errors);
  }
  const names = new Set<string>();
  context.sysctls?.forEach(({ name }, i) => {
    const nameAt = at.child("sysctls").index(i).child("name");
    if (!name) errors.push(fieldRequired(nameAt));
    else if (name.length > SYSCTL_LENGTH_MAX || !SYSCTL.test(name)) {
      const shape =
        "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
      errors.push(fieldInvalid(nameAt, name, shape));
    } else if (names.has(name)) {
      errors.push({ type: "FieldValueDuplicate", field: String(nameAt), value: name, detail: "" });
    }
    names.add(name);
  });
  if (context.seccompProfile) validateProfile(context.seccompProfile, at.child("seccompProfile"), errors);
  if (context.appArmorProfile) validateProfile(context.appArmorProfile, at.child("appArmorProfile"), errors);
}

function validateHostNetwork(spec: PodSpec, isPod: boolean, path: FieldPath, errors: FieldError[]): void {
  if (!spec.hostNetwork) return;
  spec.containers?.forEach((container, i) => {
    container.ports?.forEach((port, j) => {
      // In a template the host port may be left out: the pod's own defaults fill it in.
      if ((isPod || port.hostPort) && (port.hostPort ?? 0) !== port.containerPort) {
        const at = path.child("containers").index(i).child("ports").index(j).child("hostPort");
        errors.push(fieldInvalid(at, port.hostPort ?? 0, "must match `containerPort` when `hostNetwork` is true"));
      }
    });
  });
}

interface Profile {
  type?: string;
  localhostProfile?: string;
}

function validateProfile({ type, localhostProfile }: Profile, path: FieldPath, errors: FieldError[]): void {
  checkOneOf(type, ["Localhost", "RuntimeDefault", "Unconfined"], path.child("type"), errors);
  const at = path.child("localhostProfile");
  if (type === "Localhost") {
    if (!localhostProfile) errors.push(fieldRequired(at, "must be set when type is Localhost"));
    else if (localhostProfile.startsWith("/"))
      errors.push(fieldInvalid(at, localhostProfile, "must be a relative path"));
  } else if (localhostProfile) {
    errors.push(fieldInvalid(at, localhostProfile, "can only be set when type is Localhost"));
  }
}

/** A container's securityContext. */
export function validateSecurityContext(
  context: NonNullable<Container["securityContext"]>,
  path: FieldPath,
  errors: FieldError[],
): void {
  checkId(context.runAsUser, path.child("runAsUser"), errors);
  checkId(context.runAsGroup, path.child("runAsGroup"), errors);
  if (context.seccompProfile) validateProfile(context.seccompProfile, path.child("seccompProfile"), errors);
  if (context.appArmorProfile) validateProfile(context.appArmorProfile, path.child("appArmorProfile"), errors);
  if (context.procMount) checkSupported(context.procMount, ["Default", "Unmasked"], path.child("procMount"), errors);
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged) {
    errors.push(fieldInvalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
  }
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
    const why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
    errors.push(fieldInvalid(path, context, why));
  }
}
