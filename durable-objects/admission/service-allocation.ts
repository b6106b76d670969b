import { type FieldError, fieldInvalid } from "../../api/field-error.ts";
import { SPEC } from "../../api/field-path.ts";
import { isHeadless, needsClusterIp, needsHealthCheckPort, needsNodePort } from "../../api/kinds/service-ips.ts";
import type { ServiceObject } from "../../api/kinds/service-object.ts";
import { dnsLabelComplaints } from "../../api/names.ts";
import { invalid } from "../../api/status.ts";
import type { ServiceAsk } from "../protocol.ts";
import type { Answer } from "../verbs/answers.ts";
import type { AdmissionPlugin } from "./plugin.ts";

type Spec = ServiceObject["spec"];

/** What the ClusterHome granted. */
export interface ServiceAddresses {
  clusterIP: string | null;
  nodePorts: number[];
}

/** A place in the object that a node port goes to. */
interface Wanted {
  field: string;
  port: number;
  set(port: number): void;
}

/**
 * Gives Services their cluster IP and node ports, which only the ClusterHome can hand out (upstream's service REST allocators).
 * `reserve` asks it.
 */
export const serviceAllocation = (
  reserve: (ask: ServiceAsk) => Promise<Answer<ServiceAddresses>>,
): AdmissionPlugin => ({
  name: "ServiceAllocation",
  begin({ operation, served, subresource, object, previous, name, namespace, answers, dryRun }) {
    if (operation === "delete" || served.resource !== "services" || subresource || !object["spec"]) return;
    const { spec } = object as ServiceObject;
    const old = (previous as ServiceObject | undefined)?.spec;
    const errors = setFamilies(spec);
    if (errors.length > 0) throw invalid({ group: "", kind: "Service" }, name, errors);
    const clusterIP = wantedIp(spec, old);
    const wanted = wantedPorts(spec, old);
    if ((clusterIP === null && wanted.length === 0) || dryRun) return;
    // No Service has such a name: it is refused, and nothing is handed out.
    if (dnsLabelComplaints(name).length > 0) return;
    const nodePorts = wanted.map(({ field, port }) => ({ field, port }));
    const ask: ServiceAsk = { namespace, name, clusterIP, nodePorts };
    const granted = answers.to({ key: "service addresses", ask, answer: () => reserve(ask) });
    if (granted.clusterIP !== null) {
      spec.clusterIP = granted.clusterIP;
      spec.clusterIPs = [granted.clusterIP];
    }
    for (const [i, { set }] of wanted.entries()) set(granted.nodePorts[i]!);
    shareNodePorts(spec);
  },
});

/** IPv4 alone is configured here; what is left out is filled in. */
function setFamilies(spec: Spec): FieldError[] {
  if (!needsClusterIp(spec)) return [];
  const isOpen = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= isOpen ? "RequireDualStack" : "SingleStack";
  spec.ipFamilies ??= ["IPv4"];
  if (isOpen) {
    // Nothing is allocated for it, so it may have families that the cluster has not.
    if (spec.ipFamilyPolicy !== "SingleStack" && spec.ipFamilies.length === 1) {
      spec.ipFamilies = [...spec.ipFamilies, spec.ipFamilies[0] === "IPv4" ? "IPv6" : "IPv4"];
    }
    return [];
  }
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack") {
    const why = "this cluster is not configured for dual-stack services";
    errors.push(fieldInvalid(SPEC.child("ipFamilyPolicy"), spec.ipFamilyPolicy, why));
  }
  spec.ipFamilies.forEach((family, i) => {
    if (family === "IPv4") return;
    errors.push(fieldInvalid(SPEC.child("ipFamilies").index(i), family, "not configured on this cluster"));
  });
  return errors;
}

function wantedIp(spec: Spec, old: Spec | undefined): string | null {
  if (!needsClusterIp(spec) || isHeadless(spec)) return null;
  const wanted = spec.clusterIPs?.[0] || spec.clusterIP || "";
  if (old && wanted && wanted === old.clusterIP) return null;
  return wanted;
}

function wantedPorts(spec: Spec, old: Spec | undefined): Wanted[] {
  const wanted: Wanted[] = [];
  if (spec.type === "NodePort" || spec.type === "LoadBalancer") {
    const had = new Set(old?.ports?.map(({ nodePort }) => nodePort));
    const asked = new Set<number>();
    (spec.ports ?? []).forEach((port, i) => {
      const { nodePort } = port;
      if (nodePort ? had.has(nodePort) || asked.has(nodePort) : !needsNodePort(spec) || sharesNodePort(spec, i)) return;
      if (nodePort) asked.add(nodePort);
      const field = String(SPEC.child("ports").index(i).child("nodePort"));
      wanted.push({ field, port: nodePort ?? 0, set: (given) => Object.assign(port, { nodePort: given }) });
    });
  }
  if (
    needsHealthCheckPort(spec) &&
    (!spec.healthCheckNodePort || spec.healthCheckNodePort !== old?.healthCheckNodePort)
  ) {
    wanted.push({
      field: String(SPEC.child("healthCheckNodePort")),
      port: spec.healthCheckNodePort ?? 0,
      set: (given) => Object.assign(spec, { healthCheckNodePort: given }),
    });
  }
  return wanted;
}

/** The same port over TCP and UDP has one node port. */
const sharesNodePort = ({ ports = [] }: Spec, index: number): boolean =>
  ports.some(
    ({ port, protocol }, i) => i < index && port === ports[index]!.port && protocol !== ports[index]!.protocol,
  );

function shareNodePorts(spec: Spec): void {
  if (!needsNodePort(spec)) return;
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue;
    const shared = spec.ports?.find((other) => other.port === port.port && other.nodePort)?.nodePort;
    if (shared) port.nodePort = shared;
  }
}
