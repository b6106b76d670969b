import type { IIngressSpec } from "kubernetes-models/networking.k8s.io/v1/IngressSpec";
import type { IIngressStatus } from "kubernetes-models/networking.k8s.io/v1/IngressStatus";
import { checkPort, checkRequired, checkSubdomain, complain } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import { parseIp } from "../ip.ts";
import {
  dnsLabelComplaints,
  dnsSubdomainComplaints,
  pathSegmentComplaints,
  portNameComplaints,
  wildcardSubdomainComplaints,
} from "../names.ts";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus } from "./status.ts";

export interface IngressObject extends KubeObject {
  spec: IIngressSpec;
  status?: IIngressStatus;
}
type Backend = NonNullable<IIngressSpec["defaultBackend"]>;

const HOSTS_SHOWN_MAX = 3;
const BAD_PATH_PARTS = ["//", "/./", "/../", "%2f", "%2F"];
const BAD_PATH_ENDS = ["/..", "/."];

/** HTTP from outside, by host and path, to services. */
export const Ingress = defineKind<IngressObject>("networking.k8s.io/v1", "Ingress", {
  resource: "ingresses",
  columns: [
    {
      name: "Class",
      description: "Which controller serves it.",
      value: ({ spec }) => spec.ingressClassName ?? "<none>",
    },
    { name: "Hosts", description: "Hosts that it answers to.", value: describeHosts },
    {
      name: "Address",
      description: "Addresses from outside.",
      value({ status }) {
        const all = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
        return [...new Set(all)].filter(Boolean).sort().join(",");
      },
    },
    { name: "Ports", description: "Ports from outside.", value: ({ spec }) => (spec.tls?.length ? "80, 443" : "80") },
  ],
  prepareForCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  prepareForUpdate: keepStatus,
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    if (!spec.rules?.length && !spec.defaultBackend) {
      errors.push(fieldInvalid(SPEC, spec.rules ?? null, "either `defaultBackend` or `rules` must be specified"));
    }
    if (typeof spec.ingressClassName === "string")
      checkSubdomain(spec.ingressClassName, SPEC.child("ingressClassName"), errors);
    if (spec.defaultBackend) validateBackend(spec.defaultBackend, SPEC.child("defaultBackend"), errors);
    spec.rules?.forEach((rule, i) => {
      const at = SPEC.child("rules").index(i);
      if (rule.host) validateHost(rule.host, at.child("host"), errors);
      if (!rule.http) return;
      const pathsAt = at.child("http").child("paths");
      if (!rule.http.paths?.length) errors.push(fieldRequired(pathsAt));
      rule.http.paths?.forEach((path, j) => {
        validatePath(path.path ?? "", path.pathType, pathsAt.index(j), errors);
        validateBackend(path.backend ?? {}, pathsAt.index(j).child("backend"), errors);
      });
    });
    spec.tls?.forEach(({ hosts, secretName }, i) => {
      if (secretName) checkSubdomain(secretName, SPEC.child("tls").index(i).child("secretName"), errors);
      hosts?.forEach((host, j) => {
        const at = SPEC.child("tls").index(i).child("hosts").index(j);
        complain(
          host.includes("*") ? wildcardSubdomainComplaints(host) : dnsSubdomainComplaints(host),
          host,
          at,
          errors,
        );
      });
    });
    return errors;
  },
  hasGeneration: true,
});

function describeHosts({ spec }: IngressObject): string {
  const rules = spec.rules ?? [];
  const hosts: string[] = [];
  let more = false;
  for (const { host } of rules) {
    more ||= hosts.length === HOSTS_SHOWN_MAX;
    if (host && !more) hosts.push(host);
  }
  if (hosts.length === 0) return "*";
  return more ? `${hosts.join(",")} + ${rules.length - HOSTS_SHOWN_MAX} more...` : hosts.join(",");
}

function validateHost(host: string, path: FieldPath, errors: FieldError[]): void {
  if (parseIp(host)) errors.push(fieldInvalid(path, host, "must be a DNS name, not an IP address"));
  complain(host.includes("*") ? wildcardSubdomainComplaints(host) : dnsSubdomainComplaints(host), host, path, errors);
}

function validatePath(value: string, type: string | undefined, path: FieldPath, errors: FieldError[]): void {
  if (type === undefined) {
    errors.push(fieldRequired(path.child("pathType"), "pathType must be specified"));
    return;
  }
  const types = ["Exact", "ImplementationSpecific", "Prefix"];
  if (!types.includes(type)) {
    errors.push(fieldNotSupported(path.child("pathType"), type, types));
    return;
  }
  const at = path.child("path");
  if (type === "ImplementationSpecific") {
    if (value && !value.startsWith("/")) errors.push(fieldInvalid(at, value, "must be an absolute path"));
    return;
  }
  if (!value.startsWith("/")) errors.push(fieldInvalid(at, value, "must be an absolute path"));
  for (const part of BAD_PATH_PARTS)
    if (value.includes(part)) errors.push(fieldInvalid(at, value, `must not contain '${part}'`));
  for (const end of BAD_PATH_ENDS)
    if (value.endsWith(end)) errors.push(fieldInvalid(at, value, `cannot end with '${end}'`));
}

function validateBackend({ service, resource }: Backend, path: FieldPath, errors: FieldError[]): void {
  if (resource && service) {
    errors.push(fieldInvalid(path, "", "cannot set both resource and service backends"));
    return;
  }
  if (resource) {
    const at = path.child("resource");
    const { apiGroup } = resource;
    if (typeof apiGroup === "string") checkSubdomain(apiGroup, at.child("apiGroup"), errors);
    for (const field of ["kind", "name"] as const) {
      const value = resource[field];
      if (checkRequired(value, at.child(field), errors)) {
        complain(pathSegmentComplaints(value), value, at.child(field), errors);
      }
    }
    return;
  }
  const at = path.child("service");
  if (!service) {
    errors.push(fieldInvalid(path, "", "resource or service backend is required"));
    return;
  }
  if (checkRequired(service.name, at.child("name"), errors)) {
    complain(dnsLabelComplaints(service.name), service.name, at.child("name"), errors);
  }
  const { name, number } = service.port ?? {};
  if (name && number) errors.push(fieldInvalid(path, "", "cannot set both port name & port number"));
  else if (name) complain(portNameComplaints(name), name, at.child("port").child("name"), errors);
  else if (number) checkPort(number, at.child("port").child("number"), errors);
  else errors.push(fieldRequired(path, "port name or number is required"));
}
