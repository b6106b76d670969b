import type { FieldError } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { type ClaimStatus, validateClaimStatus } from "./device-claim-status.ts";
import { type ClaimDevices, setClaimDefaults, unchangedSpec, validateClaim } from "./device-requests.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface ResourceClaimObject extends KubeObject {
  spec?: ClaimDevices;
  status?: ClaimStatus;
}

/** Devices that pods ask for. */
export const ResourceClaim = defineKind<ResourceClaimObject>("resource.k8s.io/v1", "ResourceClaim", {
  resource: "resourceclaims",
  columns: [{ name: "State", description: "Whether it was allocated, and is reserved.", value: describeState }],
  setDefaults: ({ spec }) => setClaimDefaults(spec),
  prepareForCreate: startStatus({}),
  prepareForUpdate: keepStatus,
  validate({ spec }, _, previous) {
    const errors: FieldError[] = [];
    // It cannot change; what has become stricter since is left in peace.
    if (!previous) validateClaim(spec ?? {}, SPEC, errors);
    return errors;
  },
  validateUpdate: unchangedSpec,
  validateStatusUpdate: validateClaimStatus,
});

function describeState({ metadata, status }: ResourceClaimObject): string {
  const states: string[] = [];
  if (metadata.deletionTimestamp) states.push("deleted");
  if (status?.allocation) {
    states.push("allocated");
    if (status.reservedFor?.length) states.push("reserved");
  } else if (!metadata.deletionTimestamp) states.push("pending");
  return states.join(",");
}
