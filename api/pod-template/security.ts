import { checkEach, checkRequired, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { outOfRange } from "../names.ts";
import type { Container, PodSpec } from "./types.ts";
import { checkDescending } from "./volume-paths.ts";

const HOST_USERS = "when `hostUsers` is false";
const ID_MAX = 2 ** 31 - 1;
/** By the names of the kernel's IPC namespace. */
const IPC_SYSCTLS = /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/;
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
      if (spec[field]) errors.push(fieldForbidden(path.child(name), HOST_USERS));
    }
    for (const kind of ["initContainers", "containers", "ephemeralContainers"] as const) {
      spec[kind]?.forEach(({ volumeDevices }, i) => {
        if (volumeDevices?.length)
          errors.push(fieldForbidden(path.child(kind).index(i).child("volumeDevices"), HOST_USERS));
      });
    }
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.push(
      fieldInvalid(
        path.child("securityContext").child("shareProcessNamespace"),
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
  const { supplementalGroupsPolicy } = context as { supplementalGroupsPolicy?: string };
  if (typeof supplementalGroupsPolicy === "string") {
    checkSupported(supplementalGroupsPolicy, ["Merge", "Strict"], at.child("supplementalGroupsPolicy"), errors);
  }
  if (typeof context.fsGroupChangePolicy === "string") {
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
    checkHostSysctl(name ?? "", spec, nameAt, errors);
    names.add(name);
  });
  if (context.seccompProfile) validateSeccomp(context.seccompProfile, at.child("seccompProfile"), errors);
  if (context.appArmorProfile) validateAppArmor(context.appArmorProfile, at.child("appArmorProfile"), errors);
}

/** Sysctls of namespaces that the pod has not of its own would change the host. */
function checkHostSysctl(name: string, { hostNetwork, hostIPC }: PodSpec, path: FieldPath, errors: FieldError[]): void {
  const dotted = name.replaceAll("/", ".");
  const isIpc = IPC_SYSCTLS.test(dotted);
  if (hostNetwork && dotted.startsWith("net.")) {
    errors.push(fieldInvalid(path, name, "may not be specified when 'hostNetwork' is true"));
  } else if (hostIPC && isIpc) errors.push(fieldInvalid(path, name, "may not be specified when 'hostIPC' is true"));
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

const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];

function validateSeccomp({ type, localhostProfile }: Profile, path: FieldPath, errors: FieldError[]): void {
  if (checkRequired(type, path.child("type"), errors, "type is required when seccompProfile is set")) {
    checkSupported(type, PROFILE_TYPES, path.child("type"), errors);
  }
  const at = path.child("localhostProfile");
  if (type === "Localhost") {
    if (localhostProfile === undefined) errors.push(fieldRequired(at, "must be set when seccomp type is Localhost"));
    else checkDescending(localhostProfile, at, errors);
  } else if (localhostProfile !== undefined) {
    // Shown as upstream's Go type, which has no JSON names.
    const shown = { Type: type ?? "", LocalhostProfile: localhostProfile };
    errors.push(fieldInvalid(at, shown, "can only be set when seccomp type is Localhost"));
  }
}

const APP_ARMOR_PROFILE_LENGTH_MAX = 4095;

function validateAppArmor({ type, localhostProfile }: Profile, path: FieldPath, errors: FieldError[]): void {
  const at = path.child("localhostProfile");
  if (!type) {
    errors.push(fieldRequired(path.child("type"), "type is required when appArmorProfile is set"));
  } else if (type === "Localhost") {
    if (localhostProfile === undefined) errors.push(fieldRequired(at, "must be set when AppArmor type is Localhost"));
    else if (localhostProfile.trim() !== localhostProfile) {
      errors.push(fieldInvalid(at, localhostProfile, "must not be padded with whitespace"));
    } else if (localhostProfile === "") {
      errors.push(fieldRequired(at, "must be set when AppArmor type is Localhost"));
    } else if (localhostProfile.length > APP_ARMOR_PROFILE_LENGTH_MAX) {
      errors.push(fieldTooLong(at, APP_ARMOR_PROFILE_LENGTH_MAX));
    }
  } else if (type === "RuntimeDefault" || type === "Unconfined") {
    if (localhostProfile !== undefined) {
      errors.push(fieldInvalid(at, localhostProfile, "can only be set when AppArmor type is Localhost"));
    }
  } else {
    checkSupported(type, PROFILE_TYPES, path.child("type"), errors);
  }
}

/** A container's securityContext. */
export function validateSecurityContext(
  context: NonNullable<Container["securityContext"]>,
  hostUsers: boolean,
  path: FieldPath,
  errors: FieldError[],
): void {
  checkId(context.runAsUser, path.child("runAsUser"), errors);
  checkId(context.runAsGroup, path.child("runAsGroup"), errors);
  if (context.seccompProfile) validateSeccomp(context.seccompProfile, path.child("seccompProfile"), errors);
  if (context.appArmorProfile) validateAppArmor(context.appArmorProfile, path.child("appArmorProfile"), errors);
  if (typeof context.procMount === "string") {
    checkSupported(context.procMount, ["Default", "Unmasked"], path.child("procMount"), errors);
    if (hostUsers && context.procMount === "Unmasked") {
      const why = "`hostUsers` must be false to use `Unmasked`";
      errors.push(fieldInvalid(path.child("procMount"), context.procMount, why));
    }
  }
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged) {
    errors.push(fieldInvalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
  }
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
    const why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
    errors.push(fieldInvalid(path, context, why));
  }
}
