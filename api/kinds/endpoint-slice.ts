import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import {
  checkLabelName,
  checkOneOf,
  checkQualifiedName,
  checkSubdomain,
  checkSupported,
  complain,
} from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldInvalid, fieldRequired, fieldTooMany } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import { checkIp, checkNonSpecialIp } from "../ip.ts";
import { dnsSubdomainComplaints, labelValueComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { PROTOCOLS } from "../pod-template/containers.ts";
import { defineKind } from "./define-kind.ts";

export type EndpointSliceObject = Omit<IEndpointSlice, "apiVersion" | "kind" | "metadata"> & KubeObject;
type Endpoint = EndpointSliceObject["endpoints"][number];

const ADDRESS_TYPE = FieldPath.of("addressType");
const ENDPOINTS = FieldPath.of("endpoints");
const PORTS = FieldPath.of("ports");
const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20000;
const SHOWN_MAX = 3;

/** Some of the places where a service's pods are. */
export const EndpointSlice = defineKind<EndpointSliceObject>("discovery.k8s.io/v1", "EndpointSlice", {
  resource: "endpointslices",
  columns: [
    { name: "AddressType", description: "IPv4, IPv6 or FQDN.", value: ({ addressType }) => addressType ?? "" },
    {
      name: "Ports",
      description: "Port numbers.",
      value: ({ ports }) => shorten((ports ?? []).map(({ port, name }) => (port ? String(port) : (name ?? "*")))),
    },
    {
      name: "Endpoints",
      description: "Addresses.",
      value: ({ endpoints }) => shorten((endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    },
  ],
  setDefaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate({ addressType, endpoints = [], ports = [] }) {
    const errors: FieldError[] = [];
    checkOneOf(addressType, ["FQDN", "IPv4", "IPv6"], ADDRESS_TYPE, errors);
    if (endpoints.length > ENDPOINTS_MAX) errors.push(fieldTooMany(ENDPOINTS, endpoints.length, ENDPOINTS_MAX));
    else {
      endpoints.forEach((endpoint, i) => {
        validateEndpoint(endpoint, addressType, ENDPOINTS.index(i), errors);
      });
    }
    if (ports.length > PORTS_MAX) errors.push(fieldTooMany(PORTS, ports.length, PORTS_MAX));
    else validatePorts(ports, errors);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.addressType, previous.addressType, ADDRESS_TYPE, errors);
    return errors;
  },
  hasGeneration: true,
});

function shorten(all: readonly string[]): string {
  if (all.length === 0) return "<unset>";
  const shown = all.slice(0, SHOWN_MAX).join(",");
  return all.length > SHOWN_MAX ? `${shown} + ${all.length - SHOWN_MAX} more...` : shown;
}

function validateEndpoint(endpoint: Endpoint, type: string, path: FieldPath, errors: FieldError[]): void {
  const addresses = endpoint.addresses ?? [];
  const at = path.child("addresses");
  if (addresses.length === 0) errors.push(fieldRequired(at, "must contain at least 1 address"));
  if (addresses.length > ADDRESSES_MAX) errors.push(fieldTooMany(at, addresses.length, ADDRESSES_MAX));
  addresses.forEach((address, i) => {
    if (type === "FQDN") checkSubdomain(address, at.index(i), errors);
    else if (type === "IPv4" || type === "IPv6") {
      const family = checkIp(address, at.index(i), errors)?.family;
      if (family === type) checkNonSpecialIp(address, at.index(i), errors);
      else if (family) errors.push(fieldInvalid(at.index(i), address, `must be a valid ${type} address`));
    }
  });
  if (typeof endpoint.nodeName === "string") checkSubdomain(endpoint.nodeName, path.child("nodeName"), errors);
  if (typeof endpoint.hostname === "string") checkLabelName(endpoint.hostname, path.child("hostname"), errors);
  for (const field of ["forZones", "forNodes"] as const) {
    const names = new Set<string>();
    (endpoint.hints as Record<string, { name: string }[]> | undefined)?.[field]?.forEach(({ name }, i) => {
      const nameAt = path.child("hints").child(field).index(i).child("name");
      if (names.has(name)) errors.push(fieldDuplicate(nameAt, name));
      names.add(name);
      complain(field === "forZones" ? labelValueComplaints(name) : dnsSubdomainComplaints(name), name, nameAt, errors);
    });
  }
}

function validatePorts(ports: NonNullable<EndpointSliceObject["ports"]>, errors: FieldError[]): void {
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const at = PORTS.index(i);
    const name = port.name ?? "";
    if (name) checkLabelName(name, at.child("name"), errors);
    if (names.has(name)) errors.push(fieldDuplicate(at.child("name"), name));
    names.add(name);
    if (port.protocol === undefined) errors.push(fieldRequired(at.child("protocol")));
    else checkSupported(port.protocol, PROTOCOLS, at.child("protocol"), errors);
    if (typeof port.appProtocol === "string") checkQualifiedName(port.appProtocol, at.child("appProtocol"), errors);
  });
}
