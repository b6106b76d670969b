import { describe, expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import type { Kind } from "../kind.ts";
import { checkFieldSelector, parseFieldSelector } from "../selector.ts";
import { tableOf } from "../table.ts";
import { ClusterRoleBinding } from "./cluster-role-binding.ts";
import { ClusterTrustBundle } from "./cluster-trust-bundle.ts";
import { apiVersionOf } from "./define-kind.ts";
import { DeviceClass } from "./device-class.ts";
import { FlowSchema } from "./flow-schema.ts";
import { HorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import { Ingress } from "./ingress.ts";
import { IPAddress } from "./ip-address.ts";
import { LeaseCandidate } from "./lease-candidate.ts";
import { LimitRange } from "./limit-range.ts";
import { MutatingAdmissionPolicy } from "./mutating-admission-policy.ts";
import { MutatingAdmissionPolicyBinding } from "./mutating-admission-policy-binding.ts";
import { NetworkPolicy } from "./network-policy.ts";
import { PersistentVolumeClaim } from "./persistent-volume-claim.ts";
import { PodDisruptionBudget } from "./pod-disruption-budget.ts";
import { PriorityClass } from "./priority-class.ts";
import { PriorityLevelConfiguration } from "./priority-level-configuration.ts";
import { ResourceClaim } from "./resource-claim.ts";
import { ResourceQuota } from "./resource-quota.ts";
import { ResourceSlice } from "./resource-slice.ts";
import { Role } from "./role.ts";
import { RoleBinding } from "./role-binding.ts";
import { KIND_RULES } from "./rules.ts";
import { ValidatingAdmissionPolicy } from "./validating-admission-policy.ts";
import { ValidatingAdmissionPolicyBinding } from "./validating-admission-policy-binding.ts";
import { ValidatingWebhookConfiguration } from "./validating-webhook-configuration.ts";

test("no kind is listed twice", () => {
  const names = KIND_RULES.map(({ group, version, resource }) => `${group}/${version}/${resource}`);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(KIND_RULES.map((kind): [string, Kind<any>] => [kind.kind, kind]))("%s", (_, kind) => {
  const bare = () => ({
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name: "a", ...(kind.namespaced && { namespace: "default" }) },
    spec: {},
    status: {},
  });

  test("defaults an object with nothing in it, twice the same", () => {
    const once = bare();
    kind.rules.setDefaults?.(once);
    const twice = structuredClone(once);
    kind.rules.setDefaults?.(twice);
    expect(twice).toEqual(once);
  });

  test("prints an object with nothing in it, each cell a plain value", () => {
    const table = tableOf(kind.rules, [bare()], { now: 0 });
    for (const cell of table.rows[0]!.cells) expect(["string", "number", "boolean", "object"]).toContain(typeof cell);
    expect(table.columnDefinitions.filter(({ name }) => name === "Name")).toHaveLength(1);
  });

  test("tells its selectable fields without an object", () => {
    expect(() => checkFieldSelector(parseFieldSelector("metadata.name=a"), kind.rules)).not.toThrow();
    expect(() => checkFieldSelector(parseFieldSelector("spec.nonsense=a"), kind.rules)).toThrow(
      /not supported|not a known/,
    );
  });
});

const complaints = (kind: Kind<any>, more: object): string[] => {
  const object = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name: "a", namespace: "default" },
    ...more,
  };
  kind.rules.setDefaults?.(object);
  return kind.rules.validate!(object).map(describeFieldError);
};
const backend = { service: { name: "s", port: { number: 80 } } };
const user = { kind: "User", name: "u" };
const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
const webhook = {
  name: "a.example.com",
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  clientConfig: { url: "https://example.com" },
  rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }],
};

test.each<[Kind<any>, object]>([
  [Ingress, { spec: { defaultBackend: backend } }],
  [Ingress, { spec: { rules: [{ host: "*.a.b", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }] } }],
  [NetworkPolicy, { spec: { ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] }] } }],
  [PersistentVolumeClaim, { spec: claim }],
  [PriorityClass, { value: 1000 }],
  [Role, { rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }] }],
  [ClusterRoleBinding, { roleRef: { kind: "ClusterRole", name: "r" }, subjects: [user] }],
  [PodDisruptionBudget, { spec: { minAvailable: "50%" } }],
  [
    HorizontalPodAutoscaler,
    { spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" } } },
  ],
  [LimitRange, { spec: { limits: [{ type: "Container", max: { cpu: "2" }, default: { cpu: "1" } }] } }],
  [ResourceQuota, { spec: { hard: { pods: "5", "requests.cpu": "1", "count/jobs.batch": "2" } } }],
  [ValidatingWebhookConfiguration, { webhooks: [webhook] }],
])("$kind of a plain sort is fine", (kind, more) => expect(complaints(kind, more)).toEqual([]));

test.each<[Kind<any>, string, object]>([
  [Ingress, "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified", { spec: {} }],
  [
    Ingress,
    'spec.defaultBackend: Invalid value: "": resource or service backend is required',
    { spec: { defaultBackend: {} } },
  ],
  [
    Ingress,
    "spec.rules[0].http.paths[0].pathType: Required value",
    { spec: { rules: [{ http: { paths: [{ path: "/", backend }] } }] } },
  ],
  [
    Ingress,
    "spec.defaultBackend: Required value: port name or number is required",
    { spec: { defaultBackend: { service: { name: "s" } } } },
  ],
  [
    NetworkPolicy,
    "must be a strict subset of `cidr`",
    { spec: { egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }] }] } },
  ],
  [
    NetworkPolicy,
    "spec.ingress[0].from[0]: Required value: must specify a peer",
    { spec: { ingress: [{ from: [{}] }] } },
  ],
  [
    PersistentVolumeClaim,
    "spec.accessModes: Required value: at least 1 access mode is required",
    { spec: { ...claim, accessModes: [] } },
  ],
  [PersistentVolumeClaim, "spec.resources[storage]: Required value", { spec: { ...claim, resources: {} } }],
  [
    PriorityClass,
    "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    { value: 1_000_000_001 },
  ],
  [
    Role,
    "rules[0].verbs: Required value: verbs must contain at least one value",
    { rules: [{ apiGroups: [""], resources: ["pods"] }] },
  ],
  [
    Role,
    "namespaced rules cannot apply to non-resource URLs",
    { rules: [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }] },
  ],
  [
    ClusterRoleBinding,
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    { roleRef: { kind: "Role", name: "r" } },
  ],
  [
    RoleBinding,
    'roleRef.kind: Unsupported value: "x": supported values: "Role", "ClusterRole"',
    { roleRef: { kind: "x", name: "r" } },
  ],
  [
    RoleBinding,
    'subjects[0].kind: Unsupported value: "": supported values: "ServiceAccount", "User", "Group"',
    { roleRef: { kind: "Role", name: "r" }, subjects: [{ kind: "", name: "a" }] },
  ],
  [
    RoleBinding,
    "subjects[0].name: Required value",
    { roleRef: { kind: "Role", name: "r" }, subjects: [{ kind: "User", name: "" }] },
  ],
  [
    ClusterRoleBinding,
    "subjects[0].namespace: Required value",
    { roleRef: { kind: "ClusterRole", name: "r" }, subjects: [{ kind: "ServiceAccount", name: "s" }] },
  ],
  [
    PodDisruptionBudget,
    'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
    { spec: { minAvailable: 1, maxUnavailable: 1 } },
  ],
  [
    HorizontalPodAutoscaler,
    "spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`",
    { spec: { minReplicas: 2, maxReplicas: 1, scaleTargetRef: { kind: "a", name: "a" } } },
  ],
  [
    LimitRange,
    "min value 2 is greater than max value 1",
    { spec: { limits: [{ type: "Container", max: { cpu: "1" }, min: { cpu: "2" } }] } },
  ],
  [ResourceQuota, "spec.hard[nonsense]: Invalid value", { spec: { hard: { nonsense: "1" } } }],
  [IPAddress, "metadata.name: Invalid value", { spec: { parentRef: { resource: "services", name: "s" } } }],
  [
    ValidatingWebhookConfiguration,
    "should be a domain with at least three segments separated by dots",
    { webhooks: [{ ...webhook, name: "a" }] },
  ],
  [
    ValidatingWebhookConfiguration,
    "exactly one of url or service is required",
    { webhooks: [{ ...webhook, clientConfig: {} }] },
  ],
])("$kind is refused: %s", (kind, message, more) => {
  const all = complaints(kind, more);
  expect(
    all.some((complaint) => complaint.includes(message)),
    all.join("\n"),
  ).toBe(true);
});

test("an autoscaler is printed with what is measured", () => {
  const object = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "h" },
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { kind: "Deployment", name: "d" },
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
      ],
    },
    status: {
      currentReplicas: 2,
      currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 12 } } }],
    },
  };
  expect(tableOf(HorizontalPodAutoscaler.rules, [object], { now: 0 }).rows[0]?.cells.slice(1, 6)).toEqual([
    "Deployment/d",
    "cpu: 12%/50%",
    "<unset>",
    3,
    2,
  ]);
});

test("a binding keeps its role", () => {
  const binding = (name: string) =>
    ({ roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name } }) as never;
  expect(RoleBinding.rules.validateUpdate!(binding("a"), binding("a"))).toEqual([]);
  expect(RoleBinding.rules.validateUpdate!(binding("b"), binding("a")).map(describeFieldError)).toEqual([
    'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"b"}: cannot change roleRef',
  ]);
});

/** The columns after Name, and what an object has in them. */
test.each<[Kind<any>, object, Record<string, unknown>]>([
  [
    FlowSchema,
    { spec: { priorityLevelConfiguration: { name: "exempt" }, distinguisherMethod: { type: "ByUser" } } },
    { PriorityLevel: "exempt", MatchingPrecedence: 1000, DistinguisherMethod: "ByUser", Age: "60s", MissingPL: "?" },
  ],
  [
    PriorityLevelConfiguration,
    { spec: { type: "Limited", limited: { limitResponse: { type: "Queue", queuing: {} } } } },
    { Type: "Limited", NominalConcurrencyShares: 30, Queues: 64, HandSize: 8, QueueLengthLimit: 50, Age: "60s" },
  ],
  [
    PriorityLevelConfiguration,
    { spec: { type: "Exempt", exempt: {} } },
    {
      Type: "Exempt",
      NominalConcurrencyShares: "<none>",
      Queues: "<none>",
      HandSize: "<none>",
      QueueLengthLimit: "<none>",
      Age: "60s",
    },
  ],
  [
    ValidatingAdmissionPolicy,
    { spec: { validations: [{}], paramKind: { apiVersion: "v1", kind: "ConfigMap" } } },
    { Validations: 1, ParamKind: "v1/ConfigMap", Age: "60s" },
  ],
  [MutatingAdmissionPolicy, { spec: {} }, { Mutations: 0, ParamKind: "<unset>", Age: "60s" }],
  [
    ValidatingAdmissionPolicyBinding,
    { spec: { policyName: "p", paramRef: { name: "n" } } },
    { PolicyName: "p", ParamRef: "*/n", Age: "60s" },
  ],
  [MutatingAdmissionPolicyBinding, { spec: { policyName: "p" } }, { PolicyName: "p", ParamRef: "<unset>", Age: "60s" }],
  [ResourceClaim, { status: { allocation: {}, reservedFor: [{}] } }, { State: "allocated,reserved", Age: "60s" }],
  [ResourceClaim, {}, { State: "pending", Age: "60s" }],
  [ResourceSlice, { spec: { driver: "d", pool: { name: "p" } } }, { Node: "", Driver: "d", Pool: "p", Age: "60s" }],
  [DeviceClass, {}, { Age: "60s" }],
  [
    LeaseCandidate,
    { spec: { leaseName: "l" } },
    { LeaseName: "l", BinaryVersion: "", EmulationVersion: "", Age: "60s" },
  ],
  [ClusterTrustBundle, { spec: {} }, { SignerName: "<none>" }],
])("$kind is printed as kubectl has it", (kind, more, expected) => {
  const metadata = { name: "a", creationTimestamp: "2025-01-01T00:00:00Z" };
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...more };
  kind.rules.setDefaults?.(object);
  const { columnDefinitions, rows } = tableOf(kind.rules, [object], { now: Date.UTC(2025, 0, 1, 0, 1) });
  expect(columnDefinitions.map(({ name }) => name)).toEqual(["Name", ...Object.keys(expected)]);
  expect(rows[0]?.cells).toEqual(["a", ...Object.values(expected)]);
});
