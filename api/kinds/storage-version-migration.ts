import { checkRequired, checkSubdomain, complain } from "../field-checks.ts";
import type { FieldError } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import { dns1035LabelComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { resourceName } from "../status.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface StorageVersionMigrationObject extends KubeObject {
  spec: { resource?: { group?: string; resource?: string } };
  status?: { conditions?: { type: string; status: string }[] };
}

const RESOURCE = SPEC.child("resource");
const STATES = ["Succeeded", "Failed", "Running"];

/** Writes all objects of a resource anew, in the version that is stored now. */
export const StorageVersionMigration = defineKind<StorageVersionMigrationObject>(
  "storagemigration.k8s.io/v1beta1",
  "StorageVersionMigration",
  {
    resource: "storageversionmigrations",
    namespaced: false,
    withoutAge: true,
    columns: [
      { name: "Name", description: "Name of the migration.", value: ({ metadata }) => metadata.name },
      {
        name: "Resource",
        description: "What is written anew.",
        value: ({ spec }) =>
          resourceName({ group: spec?.resource?.group ?? "", resource: spec?.resource?.resource ?? "" }),
      },
      { name: "Status", description: "How far it is.", value: describeStatus },
    ],
    prepareForCreate: startStatus({}),
    prepareForUpdate: keepStatus,
    validate({ spec }) {
      const errors: FieldError[] = [];
      const { group, resource } = spec?.resource ?? {};
      if (group) checkSubdomain(group, RESOURCE.child("group"), errors);
      const at = RESOURCE.child("resource");
      if (checkRequired(resource, at, errors, "resource is required to be set")) {
        complain(dns1035LabelComplaints(resource!), resource, at, errors);
      }
      return errors;
    },
    validateUpdate(next, previous) {
      const errors: FieldError[] = [];
      validateImmutable(next.spec, previous.spec, SPEC, errors);
      return errors;
    },
  },
);

function describeStatus({ status }: StorageVersionMigrationObject): string {
  for (const type of STATES) {
    if (status?.conditions?.some((condition) => condition.type === type && condition.status === "True")) return type;
  }
  return "Unknown";
}
