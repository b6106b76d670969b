import { checkLabelName, checkOneOf, checkPort, checkRequired, checkSupported } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldRequired,
} from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { portNameComplaints } from "../names.ts";
import { validateEnv, validateEnvFrom } from "./env.ts";
import { validateProbes } from "./probes.ts";
import { validateResources } from "./resources.ts";
import { validateSecurityContext } from "./security.ts";
import type { Container, EphemeralContainer, PodContext, PodSpec } from "./types.ts";
import { validateVolumeDevices, validateVolumeMounts } from "./volumes.ts";

export const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];
const RESTART_POLICIES = ["Always", "Never", "OnFailure"];
const RULES_MAX = 20;

/** All containers of a pod: init, regular and ephemeral. Names are one space. */
export function validateAllContainers(spec: PodSpec, context: PodContext, path: FieldPath, errors: FieldError[]): void {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec;
  const names = validateContainers(containers, context, path.child("containers"), errors);
  validateInitContainers(initContainers, names, context, path.child("initContainers"), errors);
  if (ephemeralContainers.length > 0) {
    validateEphemeralContainers(ephemeralContainers, names, context, path.child("ephemeralContainers"), errors);
  }
}

function validateContainers(
  containers: readonly Container[],
  context: PodContext,
  path: FieldPath,
  errors: FieldError[],
): Set<string> {
  const names = new Set<string>();
  if (containers.length === 0) errors.push(fieldRequired(path));
  const hostPorts = new Set<string>();
  containers.forEach((container, i) => {
    const at = path.index(i);
    validateCommon(container, context, at, errors);
    if (names.has(container.name)) errors.push(fieldDuplicate(at.child("name"), container.name));
    names.add(container.name);
    validateProbes(container, context.graceSeconds, at, errors);
    validateRestart(container, at, errors);
    checkHostPorts(container, hostPorts, at, errors);
  });
  return names;
}

const NOT_FOR_INIT = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

function validateInitContainers(
  containers: readonly Container[],
  names: Set<string>,
  context: PodContext,
  path: FieldPath,
  errors: FieldError[],
): void {
  containers.forEach((container, i) => {
    const at = path.index(i);
    validateCommon(container, context, at, errors);
    validateRestart(container, at, errors);
    if (names.has(container.name)) errors.push(fieldDuplicate(at.child("name"), container.name));
    else if (container.name) names.add(container.name);
    // Init containers run one by one: only the ports of each must differ.
    checkHostPorts(container, new Set(), at, errors);
    if (container.restartPolicy === "Always") {
      validateProbes(container, context.graceSeconds, at, errors);
      return;
    }
    for (const field of NOT_FOR_INIT) {
      if (!container[field]) continue;
      errors.push(fieldForbidden(at.child(field), "may not be set for init containers without restartPolicy=Always"));
    }
    if (container.resizePolicy?.length) {
      errors.push(
        fieldInvalid(at.child("resizePolicy"), container.resizePolicy, "must not be set for init containers"),
      );
    }
  });
}

const NOT_FOR_EPHEMERAL = [
  "ports",
  "resources",
  "lifecycle",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "resizePolicy",
  "restartPolicy",
] as const;

function validateEphemeralContainers(
  containers: readonly EphemeralContainer[],
  names: Set<string>,
  context: PodContext,
  path: FieldPath,
  errors: FieldError[],
): void {
  const others = new Set(names);
  const detail = "cannot be set for an Ephemeral Container";
  containers.forEach((container, i) => {
    const at = path.index(i);
    validateCommon(container as Container, context, at, errors);
    checkImageSpaces(container, at, errors);
    if (names.has(container.name)) errors.push(fieldDuplicate(at.child("name"), container.name));
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) errors.push(fieldNotFound(at.child("targetContainerName"), target));
    for (const field of NOT_FOR_EPHEMERAL) {
      const value = (container as unknown as Record<string, unknown>)[field];
      const empty = !value || (typeof value === "object" && Object.keys(value).length === 0);
      if (!empty) errors.push(fieldForbidden(at.child(field), detail));
    }
    container.volumeMounts?.forEach((mount, j) => {
      const mountAt = at.child("volumeMounts").index(j);
      if (mount.subPath) errors.push(fieldForbidden(mountAt.child("subPath"), detail));
      if (mount.subPathExpr) errors.push(fieldForbidden(mountAt.child("subPathExpr"), detail));
    });
  });
}

function validateCommon(container: Container, context: PodContext, path: FieldPath, errors: FieldError[]): void {
  if (checkRequired(container.name, path.child("name"), errors))
    checkLabelName(container.name, path.child("name"), errors);
  checkRequired(container.image, path.child("image"), errors);
  checkOneOf(container.terminationMessagePolicy, MESSAGE_POLICIES, path.child("terminationMessagePolicy"), errors);
  if (container.ports) validatePorts(container.ports, path.child("ports"), errors);
  if (container.env) validateEnv(container.env, path.child("env"), errors);
  if (container.envFrom) validateEnvFrom(container.envFrom, path.child("envFrom"), errors);
  if (container.volumeMounts) validateVolumeMounts(container, context, path.child("volumeMounts"), errors);
  if (container.volumeDevices) validateVolumeDevices(container, context, path.child("volumeDevices"), errors);
  checkOneOf(container.imagePullPolicy, PULL_POLICIES, path.child("imagePullPolicy"), errors);
  if (container.resources) validateResources(container.resources, context.claims, path.child("resources"), errors);
  if (container.resizePolicy) validateResizePolicy(container.resizePolicy, context, path.child("resizePolicy"), errors);
  if (container.securityContext) {
    validateSecurityContext(container.securityContext, context.hostUsers, path.child("securityContext"), errors);
  }
}

/** Images of pods may not have spaces around them; templates of old may. */
export function checkImageSpaces(
  { image = "" }: Pick<Container, "image">,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (image.trim() !== image) {
    errors.push(fieldInvalid(path.child("image"), image, "must not have leading or trailing whitespace"));
  }
}

function validatePorts(ports: NonNullable<Container["ports"]>, path: FieldPath, errors: FieldError[]): void {
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const at = path.index(i);
    if (port.name) {
      const complaints = portNameComplaints(port.name);
      for (const complaint of complaints) errors.push(fieldInvalid(at.child("name"), port.name, complaint));
      if (complaints.length === 0 && names.has(port.name)) errors.push(fieldDuplicate(at.child("name"), port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(fieldRequired(at.child("containerPort")));
    else checkPort(port.containerPort, at.child("containerPort"), errors);
    if (port.hostPort) checkPort(port.hostPort, at.child("hostPort"), errors);
    checkOneOf(port.protocol, PROTOCOLS, at.child("protocol"), errors);
  });
}

function checkHostPorts({ ports = [] }: Container, seen: Set<string>, path: FieldPath, errors: FieldError[]): void {
  ports.forEach((port, i) => {
    if (!port.hostPort) return;
    const key = `${port.protocol}/${port.hostIP ?? ""}/${port.hostPort}`;
    if (seen.has(key)) errors.push(fieldDuplicate(path.child("ports").index(i).child("hostPort"), key));
    seen.add(key);
  });
}

interface RestartRules {
  restartPolicy?: string;
  restartPolicyRules?: { action?: string; exitCodes?: { operator?: string; values?: number[] } }[];
}

/** A container's own restart policy (KEP-5307). */
function validateRestart(container: Container, path: FieldPath, errors: FieldError[]): void {
  const { restartPolicy, restartPolicyRules } = container as RestartRules;
  if (typeof restartPolicy === "string")
    checkSupported(restartPolicy, RESTART_POLICIES, path.child("restartPolicy"), errors);
  if (!restartPolicyRules?.length) return;
  const at = path.child("restartPolicyRules");
  if (!restartPolicy) {
    errors.push(fieldRequired(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used"));
  }
  if (restartPolicyRules.length > RULES_MAX) {
    errors.push(fieldInvalid(at, restartPolicyRules.length, `must have at most ${RULES_MAX} items`));
  }
  restartPolicyRules.forEach(({ action, exitCodes }, i) => {
    checkOneOf(action, ["Restart"], at.index(i).child("action"), errors);
    if (!exitCodes) errors.push(fieldRequired(at.index(i).child("exitCodes"), "must be specified"));
    else checkOneOf(exitCodes.operator, ["In", "NotIn"], at.index(i).child("exitCodes").child("operator"), errors);
  });
}

function validateResizePolicy(
  policies: NonNullable<Container["resizePolicy"]>,
  { restartPolicy }: PodContext,
  path: FieldPath,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  policies.forEach((policy, i) => {
    if (seen.has(policy.resourceName)) errors.push(fieldDuplicate(path.index(i), policy.resourceName));
    seen.add(policy.resourceName);
    checkOneOf(policy.resourceName, ["cpu", "memory"], path, errors);
    checkOneOf(policy.restartPolicy, ["NotRequired", "RestartContainer"], path, errors);
    if (restartPolicy === "Never" && policy.restartPolicy !== "NotRequired") {
      const why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      errors.push(fieldInvalid(path, policy.restartPolicy, why));
    }
  });
}
