import { checkRequired, checkSubdomain, complain } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldRequired } from "../field-error.ts";
import { METADATA, SPEC } from "../field-path.ts";
import { parseIp } from "../ip.ts";
import { pathSegmentComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { defineKind } from "./define-kind.ts";

export interface IPAddressObject extends KubeObject {
  spec: { parentRef?: { group?: string; resource: string; namespace?: string; name: string } };
}

const PARENT = SPEC.child("parentRef");

/** An address that is taken, by whom. The name is the address. */
export const IPAddress = defineKind<IPAddressObject>("networking.k8s.io/v1", "IPAddress", {
  resource: "ipaddresses",
  namespaced: false,
  nameRule: "path",
  withoutAge: true,
  columns: [
    {
      name: "ParentRef",
      description: "Whose address it is.",
      value({ spec }) {
        const parent = spec?.parentRef;
        if (!parent) return "<none>";
        const resource = `${parent.resource}${parent.group ? `.${parent.group}` : ""}`.toLowerCase();
        return `${resource}/${parent.namespace ? `${parent.namespace}/` : ""}${parent.name}`;
      },
    },
  ],
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    const ip = parseIp(metadata.name ?? "");
    if (metadata.name && !ip) {
      const why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
      errors.push(fieldInvalid(METADATA.child("name"), metadata.name, why));
    } else if (ip && ip.canonical !== metadata.name) {
      const why = `must be in canonical form (${JSON.stringify(ip.canonical)})`;
      errors.push(fieldInvalid(METADATA.child("name"), metadata.name, why));
    }
    if (!spec?.parentRef) errors.push(fieldRequired(PARENT));
    else {
      const { group, resource, name, namespace } = spec.parentRef;
      if (group) checkSubdomain(group, PARENT.child("group"), errors);
      for (const [field, value, required] of [
        ["resource", resource, true],
        ["name", name, true],
        ["namespace", namespace, false],
      ] as const) {
        const at = PARENT.child(field);
        if (required && !checkRequired(value, at, errors)) continue;
        if (value) complain(pathSegmentComplaints(value), value, at, errors);
      }
    }
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.spec?.parentRef, previous.spec?.parentRef, PARENT, errors);
    return errors;
  },
});
