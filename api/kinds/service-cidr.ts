import { type FieldError, fieldInvalid, fieldRequired } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import { checkCidr, parseCidr } from "../ip.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface ServiceCIDRObject extends KubeObject {
  spec: { cidrs?: string[] };
  status?: { conditions?: unknown[] };
}

const CIDRS = SPEC.child("cidrs");

/** A network that services' addresses come from. */
export const ServiceCIDR = defineKind<ServiceCIDRObject>("networking.k8s.io/v1", "ServiceCIDR", {
  resource: "servicecidrs",
  namespaced: false,
  columns: [{ name: "CIDRs", description: "The networks.", value: ({ spec }) => (spec?.cidrs ?? []).join(",") }],
  prepareForCreate: startStatus({}),
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    const cidrs = spec?.cidrs ?? [];
    if (cidrs.length === 0) errors.push(fieldRequired(CIDRS, "at least one CIDR required"));
    if (cidrs.length > 2) errors.push(fieldInvalid(SPEC, spec, "may only hold up to 2 values"));
    cidrs.forEach((cidr, i) => {
      checkCidr(cidr, CIDRS.index(i), errors);
    });
    if (cidrs.length === 2 && parseCidr(cidrs[0]!)?.ip.family === parseCidr(cidrs[1]!)?.ip.family) {
      errors.push(
        fieldInvalid(
          SPEC,
          spec,
          "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96",
        ),
      );
    }
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    const [is, was] = [next.spec?.cidrs ?? [], previous.spec?.cidrs ?? []];
    validateImmutable(is[0], was[0], CIDRS.index(0), errors);
    if (was.length === 2) validateImmutable(is[1], was[1], CIDRS.index(1), errors);
    return errors;
  },
});
