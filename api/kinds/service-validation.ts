import {
  checkLabelName,
  checkOneOf,
  checkPort,
  checkPortOrName,
  checkQualifiedName,
  checkSubdomain,
  checkSupported,
} from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from "../field-error.ts";
import { type FieldPath, SPEC, STATUS } from "../field-path.ts";
import { checkCidr, checkLegacyIp, checkNonSpecialIp, familyOf, parseIp } from "../ip.ts";
import { PROTOCOLS } from "../pod-template/containers.ts";
import { validateLabels } from "../selector.ts";
import { isHeadless, needsHealthCheckPort } from "./service-ips.ts";
import type { ServiceObject } from "./service-object.ts";

type Spec = ServiceObject["spec"];

const AFFINITY_SECONDS_MAX = 86400;
const KUBELET_PORT = 10250;
const FAMILIES = ["IPv4", "IPv6"];
const FAMILY_POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];
const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'";
const PORTS = SPEC.child("ports");
const CLUSTER_IPS = SPEC.child("clusterIPs");
const IP_FAMILIES = SPEC.child("ipFamilies");

export function validateService({ spec }: ServiceObject): FieldError[] {
  const errors: FieldError[] = [];
  const headless = isHeadless(spec);
  if (!spec.ports?.length && !headless && spec.type !== "ExternalName") errors.push(fieldRequired(PORTS));
  validateByType(spec, headless, errors);
  validatePorts(spec, errors);
  validateLabels(spec.selector, SPEC.child("selector"), errors);
  validateAffinity(spec, errors);
  if (spec.type !== "ExternalName") validateClusterIps(spec, errors);
  spec.externalIPs?.forEach((ip, i) => {
    const at = SPEC.child("externalIPs").index(i);
    if (checkLegacyIp(ip, at, errors)) checkNonSpecialIp(ip, at, errors);
  });
  checkOneOf(spec.type, TYPES, SPEC.child("type"), errors);
  validateLoadBalancer(spec, errors);
  validatePolicies(spec, errors);
  return errors;
}

function validateByType(spec: Spec, headless: boolean, errors: FieldError[]): void {
  if (headless && (spec.type === "LoadBalancer" || spec.type === "NodePort")) {
    errors.push(fieldInvalid(CLUSTER_IPS.index(0), "None", `may not be set to 'None' for ${spec.type} services`));
  }
  if (spec.type === "LoadBalancer") {
    spec.ports?.forEach(({ port }, i) => {
      if (port !== KUBELET_PORT) return;
      const why = `may not expose port ${KUBELET_PORT} externally since it is used by kubelet`;
      errors.push(fieldInvalid(PORTS.index(i), port, why));
    });
  }
  if (spec.type !== "ExternalName") return;
  for (const field of ["clusterIPs", "ipFamilies"] as const) {
    if (spec[field]?.length) errors.push(fieldForbidden(SPEC.child(field), "may not be set for ExternalName services"));
  }
  if (spec.ipFamilyPolicy) {
    errors.push(fieldForbidden(SPEC.child("ipFamilyPolicy"), "may not be set for ExternalName services"));
  }
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name) checkSubdomain(name, SPEC.child("externalName"), errors);
  else errors.push(fieldRequired(SPEC.child("externalName")));
}

function validatePorts({ ports = [], type }: Spec, errors: FieldError[]): void {
  const [names, numbers, nodePorts] = [new Set<string>(), new Set<string>(), new Set<string>()];
  ports.forEach((port, i) => {
    const at = PORTS.index(i);
    if (port.name) {
      checkLabelName(port.name, at.child("name"), errors);
      if (names.has(port.name)) errors.push(fieldDuplicate(at.child("name"), port.name));
      names.add(port.name);
    } else if (ports.length > 1) {
      errors.push(fieldRequired(at.child("name")));
    }
    checkPort(port.port, at.child("port"), errors);
    checkOneOf(port.protocol, PROTOCOLS, at.child("protocol"), errors);
    checkPortOrName(port.targetPort, at.child("targetPort"), errors);
    if (typeof port.appProtocol === "string") checkQualifiedName(port.appProtocol, at.child("appProtocol"), errors);
    if (port.nodePort && type === "ClusterIP") {
      errors.push(fieldForbidden(at.child("nodePort"), "may not be used when `type` is 'ClusterIP'"));
    }
    const nodePort = `${port.protocol} ${port.nodePort}`;
    if (port.nodePort && nodePorts.has(nodePort)) errors.push(fieldDuplicate(at.child("nodePort"), port.nodePort));
    nodePorts.add(nodePort);
    const number = `${port.protocol} ${port.port}`;
    if (numbers.has(number)) {
      // As upstream's Go type shows itself, which has no JSON names.
      const { protocol: Protocol, port: Port } = port;
      errors.push(fieldDuplicate(at, { Name: "", Protocol, AppProtocol: null, Port, TargetPort: 0, NodePort: 0 }));
    }
    numbers.add(number);
  });
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig: config }: Spec, errors: FieldError[]): void {
  checkOneOf(sessionAffinity, ["ClientIP", "None"], SPEC.child("sessionAffinity"), errors);
  const at = SPEC.child("sessionAffinityConfig");
  if (sessionAffinity === "None" && config) {
    errors.push(fieldForbidden(at, "must not be set when session affinity is None"));
  }
  if (sessionAffinity !== "ClientIP") return;
  const why = "when session affinity type is ClientIP";
  const seconds = config?.clientIP?.timeoutSeconds;
  if (!config) errors.push(fieldRequired(at, why));
  else if (!config.clientIP) errors.push(fieldRequired(at.child("clientIP"), why));
  else if (typeof seconds !== "number") errors.push(fieldRequired(at.child("clientIP").child("timeoutSeconds"), why));
  else if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX) {
    const range = `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`;
    errors.push(fieldInvalid(at.child("clientIP").child("timeoutSeconds"), seconds, range));
  }
}

function validateClusterIps(spec: Spec, errors: FieldError[]): void {
  const { clusterIP, clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  if (clusterIP && clusterIPs.length === 0) errors.push(fieldRequired(CLUSTER_IPS));
  if (clusterIPs.length > 0 && clusterIPs[0] !== (clusterIP ?? "")) {
    errors.push(fieldInvalid(CLUSTER_IPS, clusterIPs, "first value must match `clusterIP`"));
  }
  ipFamilies.forEach((family, i) => {
    checkSupported(family, FAMILIES, IP_FAMILIES.index(i), errors);
    if (ipFamilies.indexOf(family) !== i) errors.push(fieldDuplicate(IP_FAMILIES.index(i), family));
  });
  if (typeof ipFamilyPolicy === "string")
    checkSupported(ipFamilyPolicy, FAMILY_POLICIES, SPEC.child("ipFamilyPolicy"), errors);
  const before = errors.length;
  clusterIPs.forEach((ip, i) => {
    if (ip !== "None") checkLegacyIp(ip, CLUSTER_IPS.index(i), errors);
    else if (clusterIPs.length > 1) {
      errors.push(fieldInvalid(CLUSTER_IPS, clusterIPs, "'None' must be the first and only value"));
    }
  });
  if (clusterIPs.length > 2) errors.push(fieldInvalid(CLUSTER_IPS, clusterIPs, "may only hold up to 2 values"));
  if (errors.length > before) return;
  if (clusterIPs.length > new Set(clusterIPs.map(familyOf)).size) {
    errors.push(fieldInvalid(CLUSTER_IPS, clusterIPs, "may specify no more than one IP for each IP family"));
  }
  if (isHeadless(spec)) return;
  clusterIPs.forEach((ip, i) => {
    const family = ipFamilies[i];
    if (family && familyOf(ip) !== family) {
      const why = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
      errors.push(fieldInvalid(CLUSTER_IPS.index(i), ip, why));
    }
  });
}

function validateLoadBalancer(spec: Spec, errors: FieldError[]): void {
  const balanced = spec.type === "LoadBalancer";
  if (spec.loadBalancerSourceRanges?.length) {
    const at = SPEC.child("LoadBalancerSourceRanges");
    if (!balanced) errors.push(fieldForbidden(at, ONLY_BALANCED));
    spec.loadBalancerSourceRanges.forEach((range, i) => {
      checkCidr(range.trim(), at.index(i), errors);
    });
  }
  const allocates = spec.allocateLoadBalancerNodePorts;
  if (typeof allocates === "boolean" && !balanced) {
    errors.push(fieldForbidden(SPEC.child("allocateLoadBalancerNodePorts"), ONLY_BALANCED));
  }
  if (balanced && typeof allocates !== "boolean") errors.push(fieldRequired("allocateLoadBalancerNodePorts"));
  if (spec.loadBalancerClass === undefined) return;
  const at = SPEC.child("loadBalancerClass");
  if (balanced) checkQualifiedName(spec.loadBalancerClass, at, errors);
  else errors.push(fieldForbidden(at, ONLY_BALANCED));
}

function validatePolicies(spec: Spec, errors: FieldError[]): void {
  const external = SPEC.child("externalTrafficPolicy");
  const accessible =
    spec.type === "LoadBalancer" ||
    spec.type === "NodePort" ||
    (spec.type === "ClusterIP" && !!spec.externalIPs?.length);
  if (accessible) checkOneOf(spec.externalTrafficPolicy, ["Cluster", "Local"], external, errors);
  else if (spec.externalTrafficPolicy) {
    const why = "may only be set for externally-accessible services";
    errors.push(fieldInvalid(external, spec.externalTrafficPolicy, why));
  }
  const health = SPEC.child("healthCheckNodePort");
  if (needsHealthCheckPort(spec)) {
    if (spec.healthCheckNodePort) checkPort(spec.healthCheckNodePort, health, errors);
    else errors.push(fieldRequired(health));
  } else if (spec.healthCheckNodePort) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(fieldInvalid(health, spec.healthCheckNodePort, why));
  }
  const internal = spec.internalTrafficPolicy;
  if (internal !== undefined)
    checkSupported(internal, ["Cluster", "Local"], SPEC.child("internalTrafficPolicy"), errors);
  else if (spec.type !== "ExternalName") errors.push(fieldRequired(SPEC.child("internalTrafficPolicy")));
  if (typeof spec.trafficDistribution === "string") {
    checkSupported(spec.trafficDistribution, DISTRIBUTIONS, SPEC.child("trafficDistribution"), errors);
  }
}

const ONCE = "may not change once set";

/** Cluster IPs and families: a second may come and go, the first stays, unless the service is or becomes ExternalName. */
export function validateServiceUpdate({ spec: next }: ServiceObject, { spec: previous }: ServiceObject): FieldError[] {
  const errors: FieldError[] = [];
  if (next.type !== "ExternalName" && previous.type !== "ExternalName") {
    const names = { clusterIPs: "clusterIP", ipFamilies: "ipFamily" } as const;
    for (const field of ["clusterIPs", "ipFamilies"] as const) {
      checkKept(next[field] ?? [], previous[field] ?? [], names[field], SPEC.child(field), errors);
    }
    if ((next.clusterIPs?.length ?? 0) < (previous.clusterIPs?.length ?? 0) && next.ipFamilyPolicy !== "SingleStack") {
      const why = "must be set to 'SingleStack' when releasing the secondary clusterIP";
      if (previous.clusterIPs?.length === 2)
        errors.push(fieldInvalid(SPEC.child("ipFamilyPolicy"), next.ipFamilyPolicy, why));
    }
  }
  const [is, was] = [next.loadBalancerClass ?? "", previous.loadBalancerClass ?? ""];
  if (next.type === "LoadBalancer" && previous.type === "LoadBalancer" && is !== was) {
    errors.push(fieldInvalid(SPEC.child("loadBalancerClass"), next.loadBalancerClass ?? null, ONCE));
  }
  if (needsHealthCheckPort(next) && needsHealthCheckPort(previous)) {
    if (next.healthCheckNodePort !== previous.healthCheckNodePort) {
      errors.push(fieldForbidden(SPEC.child("healthCheckNodePort"), "field is immutable"));
    }
  }
  return errors;
}

function checkKept(
  next: readonly string[],
  previous: readonly string[],
  what: string,
  path: FieldPath,
  errors: FieldError[],
): void {
  for (const [i, was] of previous.entries()) {
    const is = next[i];
    if (is === was) continue;
    if (is !== undefined) errors.push(fieldInvalid(path.index(i), next, ONCE));
    else if (i === 0) errors.push(fieldInvalid(path.index(0), next, `primary ${what} can not be unset`));
  }
}

/** Load balancers' addresses, as their controller reports them. */
export function validateServiceStatus({ spec, status }: ServiceObject): FieldError[] {
  const errors: FieldError[] = [];
  const at = STATUS.child("loadBalancer").child("ingress");
  const ingresses = status?.loadBalancer?.ingress ?? [];
  if (spec.type !== "LoadBalancer" && ingresses.length > 0) {
    errors.push(fieldForbidden(at, "may only be used when `spec.type` is 'LoadBalancer'"));
    return errors;
  }
  ingresses.forEach(({ ip, hostname, ipMode }, i) => {
    if (ip) checkLegacyIp(ip, at.index(i).child("ip"), errors);
    const modeAt = at.index(i).child("ipMode");
    if (ip && !ipMode) errors.push(fieldRequired(modeAt, "must be specified when `ip` is set"));
    else if (!ip && ipMode) errors.push(fieldForbidden(modeAt, "may not be specified when `ip` is not set"));
    else if (ipMode && ipMode !== "VIP" && ipMode !== "Proxy")
      errors.push(fieldNotSupported(modeAt, ipMode, ["Proxy", "VIP"]));
    if (!hostname) return;
    checkSubdomain(hostname, at.index(i).child("hostname"), errors);
    if (parseIp(hostname))
      errors.push(fieldInvalid(at.index(i).child("hostname"), hostname, "must be a DNS name, not an IP address"));
  });
  return errors;
}
