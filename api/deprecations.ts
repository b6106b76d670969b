/**
 * The API versions that v1.36 serves and advises against, and what it says of them in a `Warning` of every answer: upstream's
 * APILifecycleDeprecated, APILifecycleRemoved and APILifecycleReplacement (k8s.io/api, zz_generated.prerelease-lifecycle.go).
 */

interface Deprecation {
  kind: string;
  /** The minor versions of Kubernetes since which it is advised against, and since which it is not served. */
  since: number;
  until?: number;
  instead?: string;
}

/** By group, version and resource. */
const DEPRECATIONS: Record<string, Deprecation | undefined> = {
  "/v1/componentstatuses": { kind: "ComponentStatus", since: 19 },
  "/v1/endpoints": { kind: "Endpoints", since: 33, instead: "discovery.k8s.io/v1 EndpointSlice" },
  "admissionregistration.k8s.io/v1alpha1/mutatingadmissionpolicies": {
    kind: "MutatingAdmissionPolicy",
    since: 35,
    until: 38,
  },
  "admissionregistration.k8s.io/v1alpha1/mutatingadmissionpolicybindings": {
    kind: "MutatingAdmissionPolicyBinding",
    since: 35,
    until: 38,
  },
  "certificates.k8s.io/v1alpha1/clustertrustbundles": { kind: "ClusterTrustBundle", since: 34, until: 37 },
  "coordination.k8s.io/v1alpha2/leasecandidates": { kind: "LeaseCandidate", since: 35, until: 38 },
  "coordination.k8s.io/v1beta1/leasecandidates": { kind: "LeaseCandidate", since: 36, until: 39 },
  "networking.k8s.io/v1beta1/ipaddresses": { kind: "IPAddress", since: 34, until: 37 },
  "networking.k8s.io/v1beta1/servicecidrs": { kind: "ServiceCIDR", since: 34, until: 37 },
  "resource.k8s.io/v1alpha3/devicetaintrules": { kind: "DeviceTaintRule", since: 36, until: 39 },
  "resource.k8s.io/v1beta1/deviceclasses": { kind: "DeviceClass", since: 35, until: 38 },
  "resource.k8s.io/v1beta1/resourceclaims": { kind: "ResourceClaim", since: 35, until: 38 },
  "resource.k8s.io/v1beta1/resourceclaimtemplates": { kind: "ResourceClaimTemplate", since: 35, until: 38 },
  "resource.k8s.io/v1beta1/resourceslices": { kind: "ResourceSlice", since: 35, until: 38 },
  "resource.k8s.io/v1beta2/deviceclasses": { kind: "DeviceClass", since: 36, until: 39 },
  "resource.k8s.io/v1beta2/resourceclaims": { kind: "ResourceClaim", since: 36, until: 39 },
  "resource.k8s.io/v1beta2/resourceclaimtemplates": { kind: "ResourceClaimTemplate", since: 36, until: 39 },
  "resource.k8s.io/v1beta2/resourceslices": { kind: "ResourceSlice", since: 36, until: 39 },
  "storage.k8s.io/v1beta1/volumeattributesclasses": {
    kind: "VolumeAttributesClass",
    since: 34,
    until: 37,
    instead: "storage.k8s.io/v1 VolumeAttributesClass",
  },
};

/** The text of the warning; undefined for what nobody advises against. */
export function deprecationOf(group: string, version: string, resource: string): string | undefined {
  const deprecation = DEPRECATIONS[`${group}/${version}/${resource}`];
  if (!deprecation) return undefined;
  const { kind, since, until, instead } = deprecation;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const removal = until === undefined ? "" : `, unavailable in v1.${until}+`;
  return `${apiVersion} ${kind} is deprecated in v1.${since}+${removal}${instead === undefined ? "" : `; use ${instead}`}`;
}
