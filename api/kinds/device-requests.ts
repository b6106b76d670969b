import type { FieldError } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";

/** What ResourceClaims and the templates of them have in common. */
interface DeviceRequest {
  allocationMode?: string;
  count?: number;
  tolerations?: { operator?: string; effect?: string }[];
}

interface Request {
  exactly?: DeviceRequest;
  firstAvailable?: DeviceRequest[];
}

export interface ClaimDevices {
  devices?: { requests?: Request[] };
}

export interface ResourceClaimTemplateObject extends KubeObject {
  spec: { spec?: ClaimDevices };
}

/** pkg/apis/resource/v1/defaults.go: one device, unless something else is said. */
export function setClaimDefaults(spec: ClaimDevices | undefined): void {
  for (const { exactly, firstAvailable } of spec?.devices?.requests ?? []) {
    for (const request of [...(exactly ? [exactly] : []), ...(firstAvailable ?? [])]) {
      request.allocationMode ||= "ExactCount";
      if (request.allocationMode === "ExactCount") request.count ||= 1;
      for (const toleration of request.tolerations ?? []) toleration.operator ||= "Equal";
    }
  }
}

/** What is asked for is asked for. */
export function unchangedSpec(next: KubeObject, previous: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  validateImmutable(next["spec"], previous["spec"], SPEC, errors);
  return errors;
}
