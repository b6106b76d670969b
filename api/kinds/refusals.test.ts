import { describe, expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import { kindByGvk, rulesOf, storageKind } from "../kinds.ts";
import { convert } from "../schema/convert.ts";
import { decodeObject } from "../schema/decode.ts";
import { applyDefaults } from "../schema/defaults.ts";

/** What a v1.36.0 API server says of objects that are nearly right. */

type Fields = Record<string, any>;

function complete(apiVersion: string, kind: string, fields: Fields) {
  const [group, version] = apiVersion.includes("/") ? (apiVersion.split("/") as [string, string]) : ["", apiVersion];
  const info = kindByGvk(group, version, kind)!;
  const storage = storageKind(group, info.resource) ?? info;
  const metadata = { name: "a", ...(info.namespaced && { namespace: "default" }), ...fields["metadata"] };
  const { object } = decodeObject(info, { apiVersion, kind, ...fields, metadata });
  applyDefaults(info, object);
  const rules = rulesOf(storage);
  const stored = convert(object, storage);
  rules.setDefaults?.(stored);
  return { info, rules, object: stored };
}

function complaints(apiVersion: string, kind: string, fields: Fields): string[] {
  const { info, rules, object } = complete(apiVersion, kind, fields);
  return (rules.validate?.(object, info) ?? []).map(describeFieldError);
}

const volume = (source: Fields) => ({
  spec: { containers: [{ name: "c", image: "i" }], volumes: [{ name: "v", ...source }] },
});
const podWith = (spec: Fields) => ({ spec: { containers: [{ name: "c", image: "i" }], ...spec } });
const AT = "spec.volumes[0]";

test.each<[string, Fields]>([
  [
    `${AT}.iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive`,
    volume({ iscsi: { targetPortal: "t", iqn: "iqn.2001-04.com.example:x", lun: 300 } }),
  ],
  [
    `${AT}.iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa`,
    volume({ iscsi: { targetPortal: "t", iqn: "x", lun: 0 } }),
  ],
  [`${AT}.fc.lun: Required value: lun is required if targetWWNs is specified`, volume({ fc: { targetWWNs: ["w"] } })],
  [`${AT}.persistentDisk.pdName: Required value`, volume({ gcePersistentDisk: { pdName: "" } })],
  [`${AT}.csi.driver: Required value`, volume({ csi: { driver: "" } })],
  [`${AT}.image.reference: Required value`, volume({ image: {} })],
  [`${AT}.projected.path: Required value`, volume({ projected: { sources: [{ serviceAccountToken: { path: "" } }] } })],
  [
    `${AT}.ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value`,
    volume({ ephemeral: { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"] } } } }),
  ],
  ['spec.runtimeClassName: Invalid value: ""', podWith({ runtimeClassName: "" })],
  ["spec.preemptionPolicy: Required value", podWith({ preemptionPolicy: "" })],
  [
    'spec.resourceClaims[0]: Invalid value: {"Name":"r","ResourceClaimName":null,"ResourceClaimTemplateName":null}',
    podWith({ resourceClaims: [{ name: "r" }] }),
  ],
  [
    "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
    podWith({ securityContext: { seccompProfile: { type: "Localhost" } } }),
  ],
  [
    "spec.securityContext.sysctls[0].name: Invalid value: \"net.core.somaxconn\": may not be specified when 'hostNetwork' is true",
    podWith({ hostNetwork: true, securityContext: { sysctls: [{ name: "net.core.somaxconn", value: "1" }] } }),
  ],
  [
    "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
    podWith({
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule", matchLabelKeys: ["k"] },
      ],
    }),
  ],
])("a pod is refused: %s", (message, fields) => {
  expect(complaints("v1", "Pod", fields).join("\n")).toContain(message);
});

const TARGET = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
const metric = (target: Fields) => ({
  spec: { maxReplicas: 2, scaleTargetRef: TARGET, metrics: [{ type: "Resource", resource: { name: "cpu", target } }] },
});

test.each<[string, string, string, Fields]>([
  [
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "spec.maxReplicas: Required value: must be set and greater than 0",
    { spec: { scaleTargetRef: TARGET } },
  ],
  [
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization",
    metric({ type: "Utilization" }),
  ],
  [
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
    { spec: { maxReplicas: 2, scaleTargetRef: { kind: "Deployment", name: "d" } } },
  ],
  ["events.k8s.io/v1", "Event", "eventTime: Required value", { regarding: { namespace: "default" } }],
  ["events.k8s.io/v1", "Event", "reportingController: Required value", { eventTime: "2026-01-01T00:00:00.000000Z" }],
  [
    "v1",
    "PersistentVolume",
    "spec.nodeAffinity: Required value: Local volume requires node affinity",
    { spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], local: { path: "/x" } } },
  ],
  [
    "v1",
    "PersistentVolumeClaim",
    "spec.dataSourceRef: Invalid value: \"Other\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
    {
      spec: {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
        dataSourceRef: { kind: "Other", name: "n" },
      },
    },
  ],
  [
    "v1",
    "ResourceQuota",
    'spec.scopeSelector.matchExpressions.operator: Invalid value: "": not a valid selector operator',
    { spec: { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass" }] } } },
  ],
  [
    "apiregistration.k8s.io/v1",
    "APIService",
    'metadata.name: Invalid value: "a": must be `spec.version+"."+spec.group`: "v1.b.c"',
    { spec: { group: "b.c", version: "v1", groupPriorityMinimum: 1, versionPriority: 1 } },
  ],
  [
    "apiregistration.k8s.io/v1",
    "APIService",
    "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
    { spec: { group: "b.c", version: "v1", versionPriority: 1 } },
  ],
  [
    "flowcontrol.apiserver.k8s.io/v1",
    "FlowSchema",
    "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
    { spec: {} },
  ],
  [
    "flowcontrol.apiserver.k8s.io/v1",
    "PriorityLevelConfiguration",
    "spec.limited: Required value: must not be empty when type is Limited",
    { spec: { type: "Limited" } },
  ],
  ["storage.k8s.io/v1", "CSINode", "spec.drivers[0].nodeID: Required value", { spec: { drivers: [{ name: "d" }] } }],
  [
    "storage.k8s.io/v1",
    "VolumeAttachment",
    "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName",
    { spec: { attacher: "d", nodeName: "n", source: {} } },
  ],
  [
    "storage.k8s.io/v1",
    "VolumeAttributesClass",
    "parameters: Required value: must contain at least one key/value pair",
    { driverName: "d" },
  ],
  [
    "coordination.k8s.io/v1beta1",
    "LeaseCandidate",
    "spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'",
    { spec: { leaseName: "l", binaryVersion: "1.0.0", strategy: "OldestEmulationVersion" } },
  ],
  [
    "networking.k8s.io/v1",
    "Ingress",
    'spec.tls[0].secretName: Invalid value: "Bad"',
    { spec: { defaultBackend: { service: { name: "s", port: { number: 1 } } }, tls: [{ secretName: "Bad" }] } },
  ],
  [
    "certificates.k8s.io/v1",
    "CertificateSigningRequest",
    'spec.signerName: Invalid value: "x": must be a fully qualified domain and path of the form',
    { spec: { request: "YQ==", signerName: "x", usages: ["any"] } },
  ],
])("%s %s is refused: %s", (apiVersion, kind, message, fields) => {
  expect(complaints(apiVersion, kind, fields).join("\n")).toContain(message);
});

describe("an object that leaves out its name", () => {
  test.each<[string, string, Fields]>([
    [
      "batch/v1",
      "Job",
      { spec: { completionMode: "Indexed", completions: 1, template: podWith({ restartPolicy: "Never" }) } },
    ],
    [
      "batch/v1",
      "CronJob",
      { spec: { schedule: "* * * * *", jobTemplate: { spec: { template: podWith({ restartPolicy: "Never" }) } } } },
    ],
    ["networking.k8s.io/v1", "IPAddress", { spec: { parentRef: { resource: "services", name: "s" } } }],
  ])("%s %s is judged, not fallen over", (apiVersion, kind, fields) => {
    const { info, rules, object } = complete(apiVersion, kind, fields);
    delete (object.metadata as Partial<typeof object.metadata>).name;
    object.metadata.uid = "u";
    rules.prepareForCreate?.(object);
    expect(() => rules.validate?.(object, info)).not.toThrow();
  });
});

test("claims ask for one device unless they say otherwise, and a CronJob's jobs get their defaults when they are made", () => {
  const claim = complete("resource.k8s.io/v1", "ResourceClaim", {
    spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "c" } }] } },
  }).object;
  expect(claim["spec"].devices.requests[0].exactly).toMatchObject({ allocationMode: "ExactCount", count: 1 });
  const cron = complete("batch/v1", "CronJob", {
    spec: { schedule: "* * * * *", jobTemplate: { spec: { template: podWith({ restartPolicy: "Never" }) } } },
  }).object;
  expect(Object.keys(cron["spec"].jobTemplate.spec)).toEqual(["template"]);
  expect(cron["spec"].jobTemplate.spec.template.spec.dnsPolicy).toBe("ClusterFirst");
});
