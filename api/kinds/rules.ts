import type { Kind } from "../kind.ts";
import { APIService } from "./api-service.ts";
import { CertificateSigningRequest } from "./certificate-signing-request.ts";
import { ClusterRole } from "./cluster-role.ts";
import { ClusterRoleBinding } from "./cluster-role-binding.ts";
import { ClusterTrustBundle } from "./cluster-trust-bundle.ts";
import { ConfigMap } from "./config-map.ts";
import { ControllerRevision } from "./controller-revision.ts";
import { CronJob } from "./cron-job.ts";
import { CSIDriver } from "./csi-driver.ts";
import { CSINode } from "./csi-node.ts";
import { CSIStorageCapacity } from "./csi-storage-capacity.ts";
import { CustomResourceDefinition } from "./custom-resource-definition.ts";
import { DaemonSet } from "./daemon-set.ts";
import { Deployment } from "./deployment.ts";
import { DeviceClass } from "./device-class.ts";
import { DeviceTaintRule } from "./device-taint-rule.ts";
import { EndpointSlice } from "./endpoint-slice.ts";
import { Endpoints } from "./endpoints.ts";
import { Event } from "./event.ts";
import { FlowSchema } from "./flow-schema.ts";
import { HorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import { Ingress } from "./ingress.ts";
import { IngressClass } from "./ingress-class.ts";
import { IPAddress } from "./ip-address.ts";
import { Job } from "./job.ts";
import { Lease } from "./lease.ts";
import { LeaseCandidate } from "./lease-candidate.ts";
import { LimitRange } from "./limit-range.ts";
import { MutatingAdmissionPolicy } from "./mutating-admission-policy.ts";
import { MutatingAdmissionPolicyBinding } from "./mutating-admission-policy-binding.ts";
import { MutatingWebhookConfiguration } from "./mutating-webhook-configuration.ts";
import { Namespace } from "./namespace.ts";
import { NetworkPolicy } from "./network-policy.ts";
import { Node } from "./node.ts";
import { PersistentVolume } from "./persistent-volume.ts";
import { PersistentVolumeClaim } from "./persistent-volume-claim.ts";
import { Pod } from "./pod.ts";
import { PodCertificateRequest } from "./pod-certificate-request.ts";
import { PodDisruptionBudget } from "./pod-disruption-budget.ts";
import { PodGroup } from "./pod-group.ts";
import { Workload } from "./pod-group-workload.ts";
import { PodTemplate } from "./pod-template.ts";
import { PriorityClass } from "./priority-class.ts";
import { PriorityLevelConfiguration } from "./priority-level-configuration.ts";
import { ReplicaSet } from "./replica-set.ts";
import { ReplicationController } from "./replication-controller.ts";
import { ResourceClaim } from "./resource-claim.ts";
import { ResourceClaimTemplate } from "./resource-claim-template.ts";
import { ResourcePoolStatusRequest } from "./resource-pool-status-request.ts";
import { ResourceQuota } from "./resource-quota.ts";
import { ResourceSlice } from "./resource-slice.ts";
import { Role } from "./role.ts";
import { RoleBinding } from "./role-binding.ts";
import { RuntimeClass } from "./runtime-class.ts";
import { Secret } from "./secret.ts";
import { Service } from "./service.ts";
import { ServiceAccount } from "./service-account.ts";
import { ServiceCIDR } from "./service-cidr.ts";
import { StatefulSet } from "./stateful-set.ts";
import { StorageClass } from "./storage-class.ts";
import { StorageVersion } from "./storage-version.ts";
import { StorageVersionMigration } from "./storage-version-migration.ts";
import { ValidatingAdmissionPolicy } from "./validating-admission-policy.ts";
import { ValidatingAdmissionPolicyBinding } from "./validating-admission-policy-binding.ts";
import { ValidatingWebhookConfiguration } from "./validating-webhook-configuration.ts";
import { VolumeAttachment } from "./volume-attachment.ts";
import { VolumeAttributesClass } from "./volume-attributes-class.ts";

/** Every built-in kind of which a schema does not say all; a kind not listed here is served by its schema alone. */
export const KIND_RULES: readonly Kind<any>[] = [
  Pod,
  Service,
  Namespace,
  Node,
  ConfigMap,
  Secret,
  ServiceAccount,
  Endpoints,
  Event,
  PersistentVolume,
  PersistentVolumeClaim,
  LimitRange,
  ResourceQuota,
  ReplicationController,
  PodTemplate,
  Deployment,
  ReplicaSet,
  StatefulSet,
  DaemonSet,
  ControllerRevision,
  Job,
  CronJob,
  EndpointSlice,
  Ingress,
  IngressClass,
  NetworkPolicy,
  IPAddress,
  ServiceCIDR,
  HorizontalPodAutoscaler,
  PodDisruptionBudget,
  PriorityClass,
  Role,
  ClusterRole,
  RoleBinding,
  ClusterRoleBinding,
  Lease,
  RuntimeClass,
  StorageClass,
  CSIDriver,
  CSINode,
  VolumeAttachment,
  CertificateSigningRequest,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
  VolumeAttributesClass,
  CSIStorageCapacity,
  ClusterTrustBundle,
  CustomResourceDefinition,
  DeviceClass,
  FlowSchema,
  LeaseCandidate,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  PriorityLevelConfiguration,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
  ResourcePoolStatusRequest,
  PodCertificateRequest,
  PodGroup,
  Workload,
  APIService,
  DeviceTaintRule,
  StorageVersion,
  StorageVersionMigration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
];
