import type { INodeSpec } from "kubernetes-models/v1/NodeSpec";
import type { INodeStatus } from "kubernetes-models/v1/NodeStatus";
import { sameJson } from "../equality.ts";
import { checkOneOf, checkQualifiedName } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldForbidden, fieldInvalid } from "../field-error.ts";
import { METADATA, SPEC, STATUS } from "../field-path.ts";
import { checkCidr, parseCidr } from "../ip.ts";
import type { Column } from "../kind.ts";
import { labelValueComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { roundToMilli } from "../pod-template/defaults.ts";
import { TAINT_EFFECTS } from "../pod-template/placement.ts";
import { checkQuantity } from "../pod-template/resources.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus } from "./status.ts";

export interface NodeObject extends KubeObject {
  spec: INodeSpec;
  status?: INodeStatus;
}

const ROLE_PREFIX = "node-role.kubernetes.io/";
const ROLE = "kubernetes.io/role";
const CIDR_ONCE = 'node updates may not change podCIDR except from "" to valid';
const PROVIDER_ONCE = 'node updates may not change providerID except from "" to valid';

/** A machine that pods run on. */
export const Node = defineKind<NodeObject>("v1", "Node", {
  resource: "nodes",
  namespaced: false,
  columns: nodeColumns(),
  setDefaults(node) {
    node.spec ??= {};
    if (node.spec.podCIDR && !node.spec.podCIDRs?.length) node.spec.podCIDRs = [node.spec.podCIDR];
    // The older of the two counts, where they differ.
    if (node.spec.podCIDR && node.spec.podCIDR !== node.spec.podCIDRs?.[0]) node.spec.podCIDRs = [node.spec.podCIDR];
    if (node.spec.podCIDRs?.length) node.spec.podCIDR ||= node.spec.podCIDRs[0];
    roundToMilli(node.status?.capacity);
    roundToMilli(node.status?.allocatable);
    if (node.status?.capacity && !node.status.allocatable) node.status.allocatable = { ...node.status.capacity };
  },
  prepareForUpdate: keepStatus,
  validate(node) {
    const errors: FieldError[] = [];
    validateTaints(node.spec.taints ?? [], errors);
    validateResources(node, errors);
    validatePodCidrs(node.spec.podCIDRs ?? [], errors);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors = validateAddresses(next);
    const [is, was] = [next.spec, previous.spec];
    if (was.podCIDRs?.length && !sameJson(is.podCIDRs, was.podCIDRs)) {
      errors.push(fieldForbidden(SPEC.child("podCIDRs"), CIDR_ONCE));
    }
    if (was.providerID && was.providerID !== is.providerID) {
      errors.push(fieldForbidden(SPEC.child("providerID"), PROVIDER_ONCE));
    }
    if ((was.externalID ?? "") !== (is.externalID ?? "")) {
      errors.push(fieldForbidden(SPEC.child("externalID"), "may not be updated"));
    }
    return errors;
  },
  validateStatusUpdate(next) {
    const errors = validateAddresses(next);
    validateResources(next, errors);
    return errors;
  },
  withoutNamespaceField: true,
  selectableFields: ({ spec }) => ({ "spec.unschedulable": String(spec?.unschedulable ?? false) }),
});

function nodeColumns(): Column<NodeObject>[] {
  const address = (type: string) => (node: NodeObject) =>
    node.status?.addresses?.find((address) => address.type === type)?.address ?? "<none>";
  const info = (field: "osImage" | "kernelVersion" | "containerRuntimeVersion") => (node: NodeObject) =>
    node.status?.nodeInfo?.[field] || "<unknown>";
  return [
    {
      name: "Status",
      description: "Ready or not, and whether new pods may come.",
      value({ spec, status }) {
        const ready = status?.conditions?.find(({ type }) => type === "Ready");
        const word = ready ? (ready.status === "True" ? "Ready" : "NotReady") : "Unknown";
        return spec?.unschedulable ? `${word},SchedulingDisabled` : word;
      },
    },
    { name: "Roles", description: "Roles that labels name.", value: (node) => rolesOf(node).join(",") || "<none>" },
    AGE,
    {
      name: "Version",
      description: "Version of the node's agent.",
      value: ({ status }) => status?.nodeInfo?.kubeletVersion ?? "",
    },
    { name: "Internal-IP", priority: 1, description: "Address inside the cluster.", value: address("InternalIP") },
    { name: "External-IP", priority: 1, description: "Address from outside.", value: address("ExternalIP") },
    { name: "OS-Image", priority: 1, description: "Operating system.", value: info("osImage") },
    { name: "Kernel-Version", priority: 1, description: "Kernel.", value: info("kernelVersion") },
    {
      name: "Container-Runtime",
      priority: 1,
      description: "What runs the containers.",
      value: info("containerRuntimeVersion"),
    },
  ];
}

function rolesOf({ metadata: { labels = {} } }: NodeObject): string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(ROLE_PREFIX)) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === ROLE) roles.add(value);
  }
  roles.delete("");
  return [...roles].sort();
}

function validateTaints(taints: NonNullable<INodeSpec["taints"]>, errors: FieldError[]): void {
  const seen = new Set<string>();
  taints.forEach((taint, i) => {
    // The path is upstream's.
    const at = METADATA.child("taints").index(i);
    checkQualifiedName(taint.key, at.child("key"), errors);
    const complaints = labelValueComplaints(taint.value ?? "");
    if (complaints.length > 0) errors.push(fieldInvalid(at.child("value"), taint.value, complaints.join(";")));
    checkOneOf(taint.effect, TAINT_EFFECTS, at.child("effect"), errors);
    const pair = `${taint.key}:${taint.effect}`;
    if (seen.has(pair)) {
      // Shown as upstream's Go type, which has no JSON names.
      const { key: Key = "", value: Value = "", effect: Effect = "", timeAdded: TimeAdded = null } = taint;
      errors.push({
        ...fieldDuplicate(at, { Key, Value, Effect, TimeAdded }),
        detail: "taints must be unique by key and effect pair",
      });
    }
    seen.add(pair);
  });
}

function validateResources({ status }: NodeObject, errors: FieldError[]): void {
  for (const field of ["capacity", "allocatable"] as const) {
    const resources = status?.[field];
    for (const name in resources) checkQuantity(name, resources[name]!, STATUS.child(field).child(name), errors);
  }
}

function validatePodCidrs(cidrs: readonly string[], errors: FieldError[]): void {
  const at = SPEC.child("podCIDRs");
  cidrs.forEach((cidr, i) => {
    checkCidr(cidr, at.index(i), errors);
    if (cidrs.indexOf(cidr) !== i) errors.push(fieldDuplicate(at.index(i), cidr));
  });
  const families = new Set(cidrs.map((cidr) => parseCidr(cidr)?.ip.family));
  if (cidrs.length > families.size) {
    errors.push(fieldInvalid(at, cidrs, "may specify no more than one CIDR for each IP family"));
  }
}

function validateAddresses({ status }: NodeObject): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  status?.addresses?.forEach((address, i) => {
    const key = `${address.type} ${address.address}`;
    if (seen.has(key)) errors.push(fieldDuplicate(STATUS.child("addresses").index(i), address));
    seen.add(key);
  });
  return errors;
}
