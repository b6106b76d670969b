import { expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import type { User } from "../object.ts";
import { CertificateSigningRequest } from "./certificate-signing-request.ts";
import { CSIDriver, type CSIDriverObject } from "./csi-driver.ts";
import { Event, type EventObject } from "./event.ts";
import { Pod, type PodObject } from "./pod.ts";
import { PodGroup } from "./pod-group.ts";
import { Workload } from "./pod-group-workload.ts";
import { StatefulSet } from "./stateful-set.ts";

const NEW_API = { group: "events.k8s.io", version: "v1" };
const OLD_API = { group: "", version: "v1" };

function event(fields: Partial<EventObject> = {}): EventObject {
  return {
    metadata: { name: "e", namespace: "default" },
    involvedObject: { kind: "Pod", name: "p", namespace: "default" },
    eventTime: "2026-01-01T00:00:00.000000Z",
    reportingComponent: "example.com/c",
    reportingInstance: "c-1",
    action: "Start",
    reason: "Started",
    message: "It has started.",
    type: "Normal",
    ...fields,
  } as EventObject;
}

test("what an event of the newer API tells stays, and only its series counts on", () => {
  const validate = (next: EventObject, api: typeof NEW_API): string[] =>
    Event.rules.validate!(next, api, event()).map(describeFieldError);
  expect(validate(event({ message: "Or not.", type: "Warning" }), NEW_API)).toEqual([
    `message: Invalid value: "Or not.": field is immutable`,
    `type: Invalid value: "Warning": field is immutable`,
  ]);
  expect(validate(event({ involvedObject: { kind: "Pod", name: "q", namespace: "default" } }), NEW_API)).toEqual([
    `involvedObject: Invalid value: {"Kind":"Pod","Namespace":"default","Name":"q","UID":"","APIVersion":"","ResourceVersion":"","FieldPath":""}: field is immutable`,
  ]);
  const series = { count: 2, lastObservedTime: "2026-01-01T00:00:01.000000Z" };
  expect(validate(event({ series }), NEW_API)).toEqual([]);
  expect(validate(event({ series: { ...series, count: 1 } }), NEW_API)).toEqual([
    `series.count: Invalid value: "": should be at least 2`,
  ]);
  expect(validate(event({ message: "Or not." }), OLD_API)).toEqual([]);
});

test("an event that the older API made may be updated by the newer", () => {
  const old = event({ count: 3, source: { component: "kubelet" } });
  expect(Event.rules.validate!(old, NEW_API, old)).toEqual([]);
  expect(Event.rules.validate!(old, NEW_API).map(describeFieldError)).toEqual([
    `count: Invalid value: "": needs to be unset`,
    `source: Invalid value: "": needs to be unset`,
  ]);
});

test("a CSIDriver's generation counts its changes", () => {
  const driver = (spec: CSIDriverObject["spec"], generation?: number): CSIDriverObject => ({
    apiVersion: "storage.k8s.io/v1",
    kind: "CSIDriver",
    metadata: { name: "d", ...(generation !== undefined && { generation }) },
    spec,
  });
  const next = driver({ storageCapacity: true });
  CSIDriver.rules.prepareForUpdate!(next, driver({ storageCapacity: false }));
  expect(next.metadata.generation).toBe(1);
  const same = driver({ storageCapacity: true });
  CSIDriver.rules.prepareForUpdate!(same, next);
  expect(same.metadata.generation).toBe(1);
  expect(CSIDriver.rules.warnings!(driver({ tokenRequests: [{ audience: "a" }] }))).toHaveLength(1);
  expect(
    CSIDriver.rules.warnings!(driver({ tokenRequests: [{ audience: "a" }], serviceAccountTokenInSecrets: false })),
  ).toEqual([]);
});

test("who asks for a certificate is told by the server", () => {
  const request = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "r" },
    spec: { request: "", signerName: "s", username: "root", groups: ["system:masters"] },
  };
  const user: User = { name: "jane", groups: ["devs"], extra: { scope: ["a"] } };
  CertificateSigningRequest.rules.prepareForCreate!(request, user);
  expect(request.spec).toEqual({
    request: "",
    signerName: "s",
    username: "jane",
    groups: ["devs"],
    extra: { scope: ["a"] },
  });
});

test("label keys become a part of a new pod's selectors, with the values of its labels", () => {
  const term = (name: string) => ({
    topologyKey: "zone",
    labelSelector: { matchLabels: { name } },
    matchLabelKeys: ["version", "absent"],
    mismatchLabelKeys: ["tenant"],
  });
  const spread = { topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", matchLabelKeys: ["version"] };
  const pod = {
    metadata: { name: "p", labels: { version: "1", tenant: "t" } },
    spec: {
      containers: [],
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("a")] },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term("b") }],
        },
      },
      topologySpreadConstraints: [{ ...spread, labelSelector: {} }, spread],
    },
  } as unknown as PodObject;
  Pod.rules.prepareForCreate!(pod);
  const added = [
    { key: "version", operator: "In", values: ["1"] },
    { key: "tenant", operator: "NotIn", values: ["t"] },
  ];
  const { affinity, topologySpreadConstraints } = pod.spec;
  expect(
    affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0]?.labelSelector?.matchExpressions,
  ).toEqual(added);
  expect(
    affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.[0]?.podAffinityTerm.labelSelector
      ?.matchExpressions,
  ).toEqual(added);
  expect(topologySpreadConstraints?.map(({ labelSelector }) => labelSelector)).toEqual([
    { matchExpressions: [added[0]] },
    undefined,
  ]);
});

test("a pod's negative grace is a second; its template's stays", () => {
  const pod = {
    metadata: { name: "p" },
    spec: { containers: [], terminationGracePeriodSeconds: -5 },
  } as unknown as PodObject;
  Pod.rules.setDefaults!(pod);
  expect(pod.spec.terminationGracePeriodSeconds).toBe(1);
  const set = { metadata: { name: "s" }, spec: { template: { spec: { terminationGracePeriodSeconds: -5 } } } } as never;
  StatefulSet.rules.setDefaults!(set);
  expect((set as any).spec.template.spec.terminationGracePeriodSeconds).toBe(-5);
});

test("a StatefulSet's claims are volumes of its pods: their names are those of volumes", () => {
  const set = (name: string | undefined, mounted = "data") => {
    const object = {
      metadata: { name: "s" },
      spec: {
        selector: { matchLabels: { a: "b" } },
        serviceName: "s",
        template: {
          metadata: { labels: { a: "b" } },
          spec: {
            containers: [
              {
                name: "c",
                image: "i",
                imagePullPolicy: "Always",
                terminationMessagePolicy: "File",
                volumeMounts: [{ name: mounted, mountPath: "/d" }],
              },
            ],
          },
        },
        volumeClaimTemplates: [
          { metadata: { name }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
        ],
      },
    } as any;
    StatefulSet.rules.setDefaults!(object);
    return StatefulSet.rules.validate!(object).map(describeFieldError);
  };
  expect(set("data")).toEqual([]);
  expect(set("data", "other")).toEqual([`spec.template.spec.containers[0].volumeMounts[0].name: Not found: "other"`]);
  expect(set("Data", "Data")).toEqual([
    expect.stringMatching(/^spec\.template\.spec\.volumes\[0\]\.name: Invalid value: "Data": a lowercase/),
    `spec.template.spec.containers[0].volumeMounts[0].name: Not found: "Data"`,
  ]);
});

const GANG = { gang: { minCount: 2 } };

test("a group of pods says how it is placed, and belongs to a Workload that lists such groups", () => {
  const workload = (spec: object) =>
    Workload.rules.validate!({ metadata: { name: "w" }, spec } as any).map(describeFieldError);
  expect(workload({ podGroupTemplates: [{ name: "g", schedulingPolicy: GANG }] })).toEqual([]);
  expect(workload({ controllerRef: { kind: "a/b" } })).toEqual([
    "spec.podGroupTemplates: Required value",
    `spec.controllerRef.kind: Invalid value: "a/b": may not contain '/'`,
    "spec.controllerRef.name: Required value",
  ]);
  expect(
    workload({
      podGroupTemplates: [{ schedulingPolicy: { gang: { minCount: -1 } }, resourceClaims: [{ name: "c" }] }],
    }),
  ).toEqual([
    "spec.podGroupTemplates[0].name: Required value",
    "spec.podGroupTemplates[0].schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1",
    `spec.podGroupTemplates[0].resourceClaims[0]: Invalid value: "": must specify one of: \`resourceClaimName\`, \`resourceClaimTemplateName\``,
  ]);
  const group = (spec: object) =>
    PodGroup.rules.validate!({ metadata: { name: "g" }, spec } as any).map(describeFieldError);
  expect(group({ schedulingPolicy: GANG })).toEqual([]);
  expect(group({})).toEqual(['spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`']);
  const [next, previous] = [{ basic: {} }, GANG].map((schedulingPolicy) => ({
    metadata: { name: "g" },
    spec: { schedulingPolicy },
  }));
  expect(PodGroup.rules.validateUpdate!(next as any, previous as any).map(describeFieldError)).toEqual([
    "spec.schedulingPolicy: Invalid value: null: field is immutable",
  ]);
});

test("a group's row tells how far it is", () => {
  const row = (conditions: object[]) => {
    const object = { metadata: { name: "g" }, spec: { schedulingPolicy: GANG }, status: { conditions } } as any;
    return PodGroup.rules.columns!.slice(0, 3).map(({ value }) => value(object, 0));
  };
  expect(row([])).toEqual(["Gang", "<none>", "Pending"]);
  expect(row([{ type: "PodGroupScheduled", status: "False" }])).toEqual(["Gang", "<none>", "Unschedulable"]);
  expect(row([{ type: "PodGroupScheduled", status: "True" }])).toEqual(["Gang", "<none>", "Scheduled"]);
  expect(row([{ type: "DisruptionTarget", status: "True", reason: "Preempted" }])).toEqual([
    "Gang",
    "<none>",
    "Preempted",
  ]);
});
