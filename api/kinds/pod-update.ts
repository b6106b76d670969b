import { sameJson } from "../equality.ts";
import { checkQualifiedName, checkSubdomain } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid } from "../field-error.ts";
import { type FieldPath, METADATA, SPEC, STATUS } from "../field-path.ts";
import { checkIp, familyOf } from "../ip.ts";
import type { PodSpec } from "../pod-template/types.ts";
import type { PodObject } from "./pod-object.ts";

type Status = NonNullable<PodObject["status"]>;
type ContainerStatuses = NonNullable<Status["containerStatuses"]>;

const UPDATABLE = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** What an update of the main resource may not change: nearly everything. */
export function validatePodUpdate({ spec: next }: PodObject, { spec: previous }: PodObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const kind of ["containers", "initContainers"] as const) {
    // The word is upstream's, for init containers too.
    if ((next[kind]?.length ?? 0) !== (previous[kind]?.length ?? 0)) {
      return [fieldForbidden(SPEC.child(kind), "pod updates may not add or remove containers")];
    }
  }
  validateDeadline(next, previous, errors);
  validateGates(next, previous, errors);
  validateTolerationsAdded(next, previous, errors);

  const gated = (previous.schedulingGates?.length ?? 0) > 0;
  const comparable: PodSpec = {
    ...next,
    containers: next.containers.map((container, i) => ({ ...container, image: previous.containers[i]!.image })),
    initContainers: next.initContainers?.map((container, i) => ({
      ...container,
      image: previous.initContainers![i]!.image,
    })),
    activeDeadlineSeconds: previous.activeDeadlineSeconds,
    tolerations: previous.tolerations,
    schedulingGates: previous.schedulingGates,
  };
  if ((previous.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1) {
    comparable.terminationGracePeriodSeconds = previous.terminationGracePeriodSeconds;
  }
  if (gated) {
    validateGatedSelector(next.nodeSelector ?? {}, previous.nodeSelector ?? {}, errors);
    comparable.nodeSelector = previous.nodeSelector;
    if (comparable.affinity || previous.affinity) {
      comparable.affinity = { ...comparable.affinity, nodeAffinity: previous.affinity?.nodeAffinity };
    }
    validateGatedAffinity(next, previous, errors);
  }
  const changed = changedFields(comparable, previous);
  if (changed.length > 0) {
    const which = `${UPDATABLE}\n  changed: ${changed.join(", ")}`;
    errors.push(fieldForbidden(SPEC, `pod updates may not change fields other than ${which}`));
  }
  return errors;
}

function changedFields(next: PodSpec, previous: PodSpec): string[] {
  const [left, right] = [next as unknown as Record<string, unknown>, previous as unknown as Record<string, unknown>];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].filter((name) => !sameJson(left[name], right[name])).sort();
}

function validateDeadline(next: PodSpec, previous: PodSpec, errors: FieldError[]): void {
  const [is, was] = [next.activeDeadlineSeconds ?? undefined, previous.activeDeadlineSeconds ?? undefined];
  const at = SPEC.child("activeDeadlineSeconds");
  if (was === undefined) return;
  if (is === undefined) errors.push(fieldInvalid(at, null, "must not update from a positive integer to nil value"));
  else if (is > was) errors.push(fieldInvalid(at, is, "must be less than or equal to previous value"));
}

function validateGates(next: PodSpec, previous: PodSpec, errors: FieldError[]): void {
  const had = new Set(previous.schedulingGates?.map(({ name }) => name));
  next.schedulingGates?.forEach(({ name }, i) => {
    if (had.has(name)) return;
    const at = SPEC.child("schedulingGates").index(i).child("name");
    errors.push(fieldForbidden(at, `only deletion is allowed, but found new scheduling gate '${name}'`));
  });
}

function validateTolerationsAdded(next: PodSpec, previous: PodSpec, errors: FieldError[]): void {
  const kept = (previous.tolerations ?? []).every((old) =>
    next.tolerations?.some((toleration) =>
      sameJson({ ...old, tolerationSeconds: 0 }, { ...toleration, tolerationSeconds: 0 }),
    ),
  );
  if (kept) return;
  const why = "existing toleration can not be modified except its tolerationSeconds";
  errors.push(fieldForbidden(SPEC.child("tolerations"), why));
}

type NodeSelector = Record<string, string>;

/** A pod that waits at its gates may be told more of where to go, not less. */
function validateGatedSelector(next: NodeSelector, previous: NodeSelector, errors: FieldError[]): void {
  const kept = Object.entries(previous).every(([key, value]) => next[key] === value);
  if (kept) return;
  const why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
  errors.push(fieldInvalid(SPEC.child("nodeSelector"), next, why));
}

function validateGatedAffinity(next: PodSpec, previous: PodSpec, errors: FieldError[]): void {
  const required = "requiredDuringSchedulingIgnoredDuringExecution";
  const was = previous.affinity?.nodeAffinity?.[required]?.nodeSelectorTerms;
  if (!was) return;
  const is = next.affinity?.nodeAffinity?.[required]?.nodeSelectorTerms ?? [];
  const at = SPEC.child("affinity").child("nodeAffinity").child(required).child("nodeSelectorTerms");
  if (is.length !== was.length) {
    const why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    errors.push(fieldInvalid(at, is, why));
    return;
  }
  was.forEach((term, i) => {
    for (const field of ["matchExpressions", "matchFields"] as const) {
      const kept = (term[field] ?? []).every((requirement, j) => sameJson(requirement, is[i]![field]?.[j]));
      if (!kept)
        errors.push(fieldInvalid(at.index(i), is[i], "only additions are allowed (no mutations or deletions)"));
    }
  });
}

/** What a status may not say, in view of what it said before. */
export function validatePodStatusUpdate(next: PodObject, previous: PodObject): FieldError[] {
  const errors: FieldError[] = [];
  const [is, was]: [Status, Status] = [next.status ?? {}, previous.status ?? {}];
  is.conditions?.forEach(({ type }, i) => {
    if (type === "PodScheduled" || type === "Ready" || type === "Initialized") return;
    checkQualifiedName(type, METADATA.child("conditions").index(i).child("Type"), errors);
  });
  if ((next.spec?.nodeName ?? "") !== (previous.spec?.nodeName ?? "")) {
    errors.push(fieldForbidden(STATUS.child("nodeName"), "may not be changed directly"));
  }
  if (is.nominatedNodeName && is.nominatedNodeName !== was.nominatedNodeName) {
    checkSubdomain(is.nominatedNodeName, STATUS.child("nominatedNodeName"), errors);
  }
  const policyOf = containerPolicies(previous.spec);
  for (const kind of ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const) {
    const policy = kind === "ephemeralContainerStatuses" ? () => "Never" : policyOf;
    validateTransitions(is[kind] ?? [], was[kind] ?? [], policy, STATUS.child(kind), errors);
  }
  validateAddresses(is, "podIPs", errors);
  validateAddresses(is, "hostIPs", errors);
  if (is.hostIPs?.[0] && is.hostIPs[0].ip !== is.hostIP) {
    errors.push(
      fieldInvalid(STATUS.child("hostIPs").index(0).child("ip"), is.hostIPs[0].ip, "must be equal to `hostIP`"),
    );
  }
  return errors;
}

/** The policy of each container: its own, or the pod's. Containers with rules of their own may always start again. */
function containerPolicies(spec: PodSpec): (name: string) => string {
  const own = new Map<string, string>();
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const rules = (container as { restartPolicyRules?: unknown[] }).restartPolicyRules;
    if (rules?.length) own.set(container.name, "Always");
    else if (container.restartPolicy) own.set(container.name, container.restartPolicy);
  }
  return (name) => own.get(name) ?? spec.restartPolicy ?? "Always";
}

/** What has ended for good does not run again. */
function validateTransitions(
  next: ContainerStatuses,
  previous: ContainerStatuses,
  policyOf: (name: string) => string,
  path: FieldPath,
  errors: FieldError[],
): void {
  previous.forEach(({ name, state }, i) => {
    const policy = policyOf(name);
    if (!state?.terminated || policy === "Always") return;
    if (policy === "OnFailure" && state.terminated.exitCode !== 0) return;
    if (next.some((status) => status.name === name && !status.state?.terminated)) {
      errors.push(fieldForbidden(path.index(i).child("state"), "may not be transitioned to non-terminated state"));
    }
  });
}

function validateAddresses(status: Status, field: "podIPs" | "hostIPs", errors: FieldError[]): void {
  const addresses = (status[field] ?? []).map(({ ip }) => ip ?? "");
  addresses.forEach((ip, i) => {
    checkIp(ip, STATUS.child(field).index(i), errors);
  });
  const families = new Set(addresses.map(familyOf));
  if (addresses.length > families.size || addresses.length > 2) {
    const why = "may specify no more than one IP for each IP family";
    errors.push(fieldInvalid(STATUS.child(field), status[field], why));
  }
}

/** The `ephemeralcontainers` subresource: containers come, and neither go nor change. */
export function validateEphemeralContainersUpdate(next: PodObject, previous: PodObject): FieldError[] {
  const errors: FieldError[] = [];
  const at = SPEC.child("ephemeralContainers");
  const byName = new Map(next.spec.ephemeralContainers?.map((container) => [container.name, container]));
  for (const old of previous.spec.ephemeralContainers ?? []) {
    const kept = byName.get(old.name);
    if (!kept)
      errors.push(fieldForbidden(at, `existing ephemeral containers ${JSON.stringify(old.name)} may not be removed\n`));
    else if (!sameJson(kept, old)) {
      errors.push(fieldForbidden(at, `existing ephemeral containers ${JSON.stringify(old.name)} may not be changed\n`));
    }
  }
  return errors;
}
