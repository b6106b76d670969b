import { ageSince } from "../duration.ts";
import { checkRequired, complain } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldTooLong } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import { caselessNameComplaints, longNameComplaints, SUBDOMAIN_LENGTH_MAX } from "../names.ts";
import type { KubeObject } from "../object.ts";
import type { Condition } from "./conditions.ts";
import { defineKind } from "./define-kind.ts";
import { checkUnchanged } from "./pod-group-parts.ts";
import { keepStatus } from "./status.ts";

interface Pool {
  validationError?: string;
  totalDevices?: number;
  availableDevices?: number;
  allocatedDevices?: number;
  unavailableDevices?: number;
}

export interface ResourcePoolStatusRequestObject extends KubeObject {
  spec: { driver?: string; poolName?: string; limit?: number };
  status?: { poolCount?: number; pools?: Pool[]; conditions?: Condition[] };
}

const LIMIT_MAX = 1000;

const counted = (name: string, field: keyof Pool, description: string) => ({
  name,
  description,
  value: ({ status }: ResourcePoolStatusRequestObject) => {
    if (!status || isTrue(status, "Failed")) return "-";
    return String((status.pools ?? []).reduce((sum, pool) => sum + countOf(pool[field]), 0));
  },
});

/** A number counts as it is, and an error as one. */
const countOf = (value: string | number | undefined): number =>
  typeof value === "number" ? value : value === undefined ? 0 : 1;

const isTrue = ({ conditions }: NonNullable<ResourcePoolStatusRequestObject["status"]>, type: string): boolean =>
  conditions?.find((each) => (each.type === "Complete" || each.type === "Failed") && each.status === "True")?.type ===
  type;

/** Asks how many of a driver's devices are in use. */
export const ResourcePoolStatusRequest = defineKind<ResourcePoolStatusRequestObject>(
  "resource.k8s.io/v1alpha3",
  "ResourcePoolStatusRequest",
  {
    resource: "resourcepoolstatusrequests",
    namespaced: false,
    withoutAge: true,
    columns: [
      { name: "Driver", description: "Whose pools.", value: ({ spec }) => spec?.driver ?? "" },
      counted("Total", "totalDevices", "Devices in all pools."),
      counted("Available", "availableDevices", "Devices that nobody has."),
      counted("Allocated", "allocatedDevices", "Devices that somebody has."),
      counted("Unavailable", "unavailableDevices", "Devices that nobody can have."),
      counted("Errors", "validationError", "Pools with errors."),
      {
        name: "Pools",
        type: "integer",
        description: "How many there are.",
        value: ({ status }) => status?.poolCount ?? 0,
      },
      { name: "Status", description: "How far it is.", value: describeStatus },
      {
        name: "Completed",
        description: "How long ago.",
        value({ status }, now) {
          if (!status || !isTrue(status, "Complete")) return "<none>";
          return ageSince(status.conditions?.find(({ type }) => type === "Complete")?.lastTransitionTime, now);
        },
      },
    ],
    prepareForUpdate: keepStatus,
    validate({ spec = {} }, _, previous) {
      const errors: FieldError[] = [];
      // It cannot change; what has become stricter since is left in peace.
      if (previous) return errors;
      const { driver, poolName, limit } = spec;
      const driverAt = SPEC.child("driver");
      if (checkRequired(driver, driverAt, errors)) complain(caselessNameComplaints(driver!), driver, driverAt, errors);
      if (poolName !== undefined) validatePoolName(poolName, errors);
      const limitAt = SPEC.child("limit");
      if (limit !== undefined && limit < 1) {
        errors.push(fieldInvalid(limitAt, limit, "must be greater than or equal to 1"));
      }
      if (limit !== undefined && limit > LIMIT_MAX) {
        errors.push(fieldInvalid(limitAt, limit, `must be less than or equal to ${LIMIT_MAX}`));
      }
      return errors;
    },
    validateUpdate({ spec: next }, { spec: previous }) {
      const errors: FieldError[] = [];
      checkUnchanged(next, previous, SPEC, errors);
      return errors;
    },
  },
);

function validatePoolName(name: string, errors: FieldError[]): void {
  const at = SPEC.child("poolName");
  if (name.length > SUBDOMAIN_LENGTH_MAX) errors.push(fieldTooLong(at, SUBDOMAIN_LENGTH_MAX));
  name.split("/").forEach((segment, i) => {
    const complaints = segment === "" ? ["must not be empty"] : longNameComplaints(segment);
    for (const complaint of complaints) errors.push(fieldInvalid(at, segment, `segment ${i}: ${complaint}`));
  });
}

function describeStatus({ status }: ResourcePoolStatusRequestObject): string {
  if (!status) return "Pending";
  if (isTrue(status, "Failed")) return "Failed";
  if (!isTrue(status, "Complete")) return "Pending";
  const [shown, all] = [status.pools?.length ?? 0, status.poolCount ?? 0];
  return all > shown ? `Complete (${shown}/${all} pools)` : "Complete";
}
