import {
  checkEach,
  checkLabelName,
  checkOneOf,
  checkQualifiedName,
  checkRequired,
  checkSubdomain,
  checkSupported,
  complain,
} from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { checkLegacyIp } from "../ip.ts";
import { outOfRange, underscoredSubdomainComplaints } from "../names.ts";
import { validateAnnotations } from "../object-meta.ts";
import { validateLabels } from "../selector.ts";
import { checkImageSpaces, validateAllContainers } from "./containers.ts";
import { validateAffinity, validateSpreadConstraints, validateTolerations } from "./placement.ts";
import { checkContainerResourceName, checkQuantity, validateResources } from "./resources.ts";
import { validatePodSecurity } from "./security.ts";
import type { PodContext, PodSpec, PodTemplateSpec, Volume } from "./types.ts";
import { validateVolumes } from "./volumes.ts";

const INT32_MAX = 2 ** 31 - 1;
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_CHARACTERS_MAX = 2048;
const HOSTNAME_OVERRIDE_MAX = 64;
const NO_VOLUMES: ReadonlyMap<string, Volume> = new Map();
const NO_CLAIMS: ReadonlySet<string> = new Set();
const POD_LEVEL_RESOURCES = new Set(["cpu", "memory"]);

/** `where`: in a pod, or in a template, which is held to less since it may be stored from before. */
export function validatePodSpec(
  spec: PodSpec,
  where: "template" | { podName: string },
  path: FieldPath,
  errors: FieldError[],
): void {
  const isPod = where !== "template";
  checkRequired(spec.terminationGracePeriodSeconds, path.child("terminationGracePeriodSeconds"), errors);
  const context: PodContext = {
    volumes: spec.volumes?.length
      ? validateVolumes(spec.volumes, { isPod, ...(isPod && where) }, path.child("volumes"), errors)
      : NO_VOLUMES,
    claims: spec.resourceClaims?.length
      ? validateClaims(spec.resourceClaims, path.child("resourceClaims"), errors)
      : NO_CLAIMS,
    graceSeconds: spec.terminationGracePeriodSeconds ?? 0,
    restartPolicy: spec.restartPolicy ?? "",
    hostUsers: spec.hostUsers !== false,
    isPod,
  };
  validateAllContainers(spec, context, path, errors);
  if (isPod) {
    checkEach(spec.containers, path.child("containers"), checkImageSpaces, errors);
    checkEach(spec.initContainers, path.child("initContainers"), checkImageSpaces, errors);
  }
  checkOneOf(spec.restartPolicy, ["Always", "OnFailure", "Never"], path.child("restartPolicy"), errors);
  checkOneOf(
    spec.dnsPolicy,
    ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    path.child("dnsPolicy"),
    errors,
  );
  validateLabels(spec.nodeSelector, path.child("nodeSelector"), errors);
  validatePodSecurity(spec, isPod, path, errors);
  if (spec.affinity) validateAffinity(spec.affinity, path.child("affinity"), errors);
  validateDns(spec, path.child("dnsConfig"), errors);
  spec.readinessGates?.forEach(({ conditionType }, i) => {
    checkQualifiedName(conditionType, path.child("readinessGates").index(i).child("conditionType"), errors);
  });
  if (spec.schedulingGates) validateGates(spec.schedulingGates, path.child("schedulingGates"), errors);
  if (spec.topologySpreadConstraints) {
    validateSpreadConstraints(spec.topologySpreadConstraints, path.child("topologySpreadConstraints"), errors);
  }
  if (spec.tolerations) validateTolerations(spec.tolerations, path.child("tolerations"), errors);
  validateNames(spec, path, errors);
  validatePodResources(spec, context, path, errors);

  const deadline = spec.activeDeadlineSeconds;
  if (typeof deadline === "number" && (deadline < 1 || deadline > INT32_MAX)) {
    errors.push(fieldInvalid(path.child("activeDeadlineSeconds"), deadline, outOfRange(1, INT32_MAX)));
  }
  spec.hostAliases?.forEach(({ ip, hostnames = [] }, i) => {
    const at = path.child("hostAliases").index(i);
    checkLegacyIp(ip ?? "", at.child("ip"), errors);
    checkEach(hostnames, at.child("hostnames"), checkSubdomain, errors);
  });
  if (typeof spec.preemptionPolicy === "string") {
    checkOneOf(spec.preemptionPolicy, ["PreemptLowerPriority", "Never"], path.child("preemptionPolicy"), errors);
  }
  if (spec.os && checkRequired(spec.os.name, path.child("os").child("name"), errors)) {
    checkSupported(spec.os.name, ["linux", "windows"], path.child("os"), errors);
  }
}

function validateNames(spec: PodSpec, path: FieldPath, errors: FieldError[]): void {
  for (const field of ["serviceAccountName", "nodeName", "priorityClassName"] as const) {
    const value = spec[field];
    if (value) checkSubdomain(value, path.child(field), errors);
  }
  if (typeof spec.runtimeClassName === "string") {
    checkSubdomain(spec.runtimeClassName, path.child("runtimeClassName"), errors);
  }
  if (spec.hostname) checkLabelName(spec.hostname, path.child("hostname"), errors);
  if (spec.subdomain) checkLabelName(spec.subdomain, path.child("subdomain"), errors);
  const override = spec.hostnameOverride;
  if (!override) return;
  const at = path.child("hostnameOverride");
  checkSubdomain(override, at, errors);
  if (override.length > HOSTNAME_OVERRIDE_MAX) {
    errors.push({
      type: "FieldValueTooLong",
      field: String(at),
      detail: `may not be more than ${HOSTNAME_OVERRIDE_MAX} bytes`,
    });
  }
  if (spec.hostNetwork) errors.push(fieldForbidden(at, "may not be specified when hostNetwork is true"));
}

function validatePodResources(spec: PodSpec, context: PodContext, path: FieldPath, errors: FieldError[]): void {
  const overhead = spec.overhead as Record<string, string> | undefined;
  for (const name in overhead) {
    checkContainerResourceName(name, path.child("overhead").key(name), errors);
    checkQuantity(name, overhead[name]!, path.child("overhead").key(name), errors);
  }
  if (!spec.resources) return;
  const at = path.child("resources");
  for (const kind of ["limits", "requests"] as const) {
    for (const name in spec.resources[kind]) {
      if (POD_LEVEL_RESOURCES.has(name) || name.startsWith("hugepages-")) continue;
      errors.push({
        type: "FieldValueNotSupported",
        field: String(at.child(kind).key(name)),
        value: name,
        detail: 'supported values: "cpu", "hugepages-", "memory"',
      });
    }
  }
  validateResources(spec.resources, context.claims, at, errors);
}

function validateDns({ dnsPolicy, dnsConfig }: PodSpec, path: FieldPath, errors: FieldError[]): void {
  if (dnsPolicy === "None") {
    if (!dnsConfig) {
      errors.push(fieldRequired(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
    } else if (!dnsConfig.nameservers?.length) {
      const why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
      errors.push(fieldRequired(path.child("nameservers"), why));
      return;
    }
  }
  if (!dnsConfig) return;
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  if (nameservers.length > NAMESERVERS_MAX) {
    errors.push(
      fieldInvalid(path.child("nameservers"), nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`),
    );
  }
  checkEach(nameservers, path.child("nameservers"), checkLegacyIp, errors);
  const searchesAt = path.child("searches");
  if (searches.length > SEARCHES_MAX) {
    errors.push(fieldInvalid(searchesAt, searches, `must not have more than ${SEARCHES_MAX} search paths`));
  }
  if (searches.join(" ").length > SEARCH_CHARACTERS_MAX) {
    const why = `must not have more than ${SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list`;
    errors.push(fieldInvalid(searchesAt, searches, why));
  }
  searches.forEach((search, i) => {
    if (search === ".") return;
    const name = search.endsWith(".") ? search.slice(0, -1) : search;
    complain(underscoredSubdomainComplaints(name), name, searchesAt.index(i), errors);
  });
  options.forEach(({ name }, i) => {
    if (!name) errors.push(fieldRequired(path.child("options").index(i), "must not be empty"));
  });
}

function validateGates(gates: readonly { name: string }[], path: FieldPath, errors: FieldError[]): void {
  const seen = new Set<string>();
  gates.forEach(({ name }, i) => {
    checkQualifiedName(name, path.index(i), errors);
    if (seen.has(name)) errors.push(fieldDuplicate(path.index(i), name));
    seen.add(name);
  });
}

interface PodClaim {
  name: string;
  resourceClaimName?: string;
  resourceClaimTemplateName?: string;
}

function validateClaims(claims: readonly PodClaim[], path: FieldPath, errors: FieldError[]): Set<string> {
  const names = new Set<string>();
  claims.forEach((claim, i) => {
    const at = path.index(i);
    if (!claim.name) errors.push(fieldRequired(at.child("name")));
    else if (names.has(claim.name)) errors.push(fieldDuplicate(at.child("name"), claim.name));
    else checkLabelName(claim.name, at.child("name"), errors);
    if (claim.name) names.add(claim.name);
    const { resourceClaimName, resourceClaimTemplateName } = claim;
    // Shown as upstream's Go type, which has no JSON names.
    const shown = {
      Name: claim.name,
      ResourceClaimName: resourceClaimName ?? null,
      ResourceClaimTemplateName: resourceClaimTemplateName ?? null,
    };
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const why = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      errors.push(fieldInvalid(at, shown, why));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.push(fieldInvalid(at, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    }
    for (const field of ["resourceClaimName", "resourceClaimTemplateName"] as const) {
      const name = claim[field];
      if (name !== undefined) checkSubdomain(name, at.child(field), errors);
    }
  });
  return names;
}

/** A workload's template: its metadata and its spec. */
export function validatePodTemplate(template: PodTemplateSpec, path: FieldPath, errors: FieldError[]): void {
  validateLabels(template.metadata?.labels, path.child("labels"), errors);
  validateAnnotations(template.metadata?.annotations, path.child("annotations"), errors);
  validatePodSpec(template.spec ?? ({} as PodSpec), "template", path.child("spec"), errors);
  if (template.spec?.ephemeralContainers?.length) {
    const at = path.child("spec").child("ephemeralContainers");
    errors.push(fieldForbidden(at, "ephemeral containers not allowed in pod template"));
  }
}
