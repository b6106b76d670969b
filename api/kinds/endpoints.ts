import type { IEndpoints } from "kubernetes-models/v1/Endpoints";
import { checkLabelName, checkOneOf, checkPort, checkQualifiedName, checkSubdomain } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldRequired } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import { checkLegacyIp, checkNonSpecialIp, parseIp } from "../ip.ts";
import type { KubeObject } from "../object.ts";
import { PROTOCOLS } from "../pod-template/containers.ts";
import { defineKind } from "./define-kind.ts";

export type EndpointsObject = Omit<IEndpoints, "apiVersion" | "kind" | "metadata"> & KubeObject;
type Subset = NonNullable<EndpointsObject["subsets"]>[number];

const SUBSETS = FieldPath.of("subsets");
const SHOWN_MAX = 3;

/** Where a service's pods are, all in one object (EndpointSlices came after). */
export const Endpoints = defineKind<EndpointsObject>("v1", "Endpoints", {
  resource: "endpoints",
  columns: [{ name: "Endpoints", description: "Addresses and ports.", value: describe }],
  setDefaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= "TCP";
  },
  validate({ subsets }) {
    const errors: FieldError[] = [];
    subsets?.forEach((subset, i) => {
      validateSubset(subset, SUBSETS.index(i), errors);
    });
    return errors;
  },
});

function describe({ subsets }: EndpointsObject): string {
  if (!subsets?.length) return "<none>";
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip.includes(":") ? `[${ip}]` : ip}:${port}`)),
  );
  const shown = all.slice(0, SHOWN_MAX).join(",");
  return all.length > SHOWN_MAX ? `${shown} + ${all.length - SHOWN_MAX} more...` : shown;
}

/** Upstream says it twice, the second time in older words. */
function checkBareIp(ip: string, path: FieldPath, errors: FieldError[]): boolean {
  if (parseIp(ip)) return true;
  errors.push(fieldInvalid(path, ip, "must be a valid IP address"));
  return false;
}

function validateSubset(subset: Subset, path: FieldPath, errors: FieldError[]): void {
  if (!subset.addresses?.length && !subset.notReadyAddresses?.length) {
    errors.push(fieldRequired(path, "must specify `addresses` or `notReadyAddresses`"));
  }
  for (const field of ["addresses", "notReadyAddresses"] as const) {
    subset[field]?.forEach(({ ip, hostname, nodeName }, i) => {
      const at = path.child(field).index(i);
      checkLegacyIp(ip ?? "", at.child("ip"), errors);
      if (checkBareIp(ip ?? "", at.child("ip"), errors)) checkNonSpecialIp(ip, at.child("ip"), errors);
      if (hostname) checkLabelName(hostname, at.child("hostname"), errors);
      if (typeof nodeName === "string") checkSubdomain(nodeName, at.child("nodeName"), errors);
    });
  }
  subset.ports?.forEach((port, i) => {
    const at = path.child("ports").index(i);
    if (port.name) checkLabelName(port.name, at.child("name"), errors);
    else if (subset.ports!.length > 1) errors.push(fieldRequired(at.child("name")));
    checkPort(port.port, at.child("port"), errors);
    checkOneOf(port.protocol, PROTOCOLS, at.child("protocol"), errors);
    if (typeof port.appProtocol === "string") checkQualifiedName(port.appProtocol, at.child("appProtocol"), errors);
  });
}
