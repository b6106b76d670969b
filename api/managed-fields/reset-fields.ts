import {
  type FieldSet,
  hasMember,
  makeNode,
  membersBelow,
  type NewFieldSet,
  recursiveDifference,
  SELF,
  setOfFields,
} from "./field-set.ts";

/** What of a written object's fields is the writer's. */
export type ResetFilter = (set: FieldSet | undefined) => FieldSet | undefined;

const without = (...paths: string[]): ResetFilter => {
  const reset = setOfFields(...paths);
  return (set) => recursiveDifference(set, reset);
};

const ALL_KEPT: ResetFilter = (set) => set;
const WITHOUT_STATUS = without("status");
const WITHOUT_SPEC = without("spec");
const WITHOUT_SPEC_AND_METADATA = without("spec", "metadata");

/** By `group/Kind` and subresource, where it is not as `resetFilterOf` says. The strategies' GetResetFields upstream. */
const FILTERS: Record<string, ResetFilter | undefined> = {
  "/Pod/status": without("spec", "metadata.deletionTimestamp", "metadata.ownerReferences"),
  "/Pod/ephemeralcontainers": only(["f:spec", "f:ephemeralContainers"]),
  "/Pod/resize": only(
    ...["f:containers", "f:initContainers"].flatMap((containers) => [
      ["f:spec", containers, "*", "f:resources"],
      ["f:spec", containers, "*", "f:resizePolicy"],
    ]),
  ),
  "apps/Deployment/status": without("spec", "metadata.labels"),
  "certificates.k8s.io/CertificateSigningRequest/": without("spec", "status"),
  "certificates.k8s.io/CertificateSigningRequest/status": without("spec", "status.conditions"),
  "certificates.k8s.io/CertificateSigningRequest/approval": without("spec", "status.certificate"),
  "certificates.k8s.io/PodCertificateRequest/": ALL_KEPT,
};

/** Kinds of whose metadata the status subresource changes nothing. */
const STATUS_KEEPS_METADATA: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
  "apiregistration.k8s.io/APIService",
  "flowcontrol.apiserver.k8s.io/FlowSchema",
  "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration",
  "internal.apiserver.k8s.io/StorageVersion",
  "networking.k8s.io/ServiceCIDR",
  "resource.k8s.io/DeviceTaintRule",
  "resource.k8s.io/ResourceClaim",
  "resource.k8s.io/ResourcePoolStatusRequest",
  "scheduling.k8s.io/PodGroup",
  "storage.k8s.io/VolumeAttachment",
  "storagemigration.k8s.io/StorageVersionMigration",
]);

/** What a write of a kind's resource (`subresource` empty) or subresource resets, and so does not make the writer's. */
export function resetFilterOf(
  { group, kind }: { readonly group: string; readonly kind: string },
  subresource: string,
  { hasStatus, isCustom }: { readonly hasStatus: boolean; readonly isCustom: boolean },
): ResetFilter {
  const name = `${group}/${kind}`;
  const own = isCustom ? undefined : FILTERS[`${name}/${subresource}`];
  if (own) return own;
  switch (subresource) {
    case "":
    case "finalize":
      return hasStatus ? WITHOUT_STATUS : ALL_KEPT;
    case "status":
      return isCustom || STATUS_KEEPS_METADATA.has(name) ? WITHOUT_SPEC_AND_METADATA : WITHOUT_SPEC;
    default:
      return ALL_KEPT;
  }
}

/** Keeps what is at or below one of the paths; `*` is any element. */
function only(...paths: readonly (readonly string[])[]): ResetFilter {
  return (set) => set && keep(set, paths);
}

function keep(set: FieldSet, paths: readonly (readonly string[])[]): FieldSet | undefined {
  let out: NewFieldSet | undefined;
  for (const element of Object.keys(set)) {
    if (element === SELF) continue;
    const rest = paths.filter(([first]) => first === "*" || first === element).map((path) => path.slice(1));
    if (rest.length === 0) continue;
    const node = set[element]!;
    const below = membersBelow(node);
    const kept = rest.some((path) => path.length === 0) ? node : makeNode(below && keep(below, rest), hasMember(node));
    if (kept === undefined) continue;
    out ??= {};
    out[element] = kept;
  }
  return out;
}
