import { describe, expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import type { Kind } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import { tableOf } from "../table.ts";
import { CronJob } from "./cron-job.ts";
import { DaemonSet } from "./daemon-set.ts";
import { Deployment } from "./deployment.ts";
import { Job } from "./job.ts";
import { ReplicaSet } from "./replica-set.ts";
import { ReplicationController } from "./replication-controller.ts";
import { StatefulSet } from "./stateful-set.ts";

const template = (spec: object = {}) => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "c", image: "nginx:1" }], ...spec },
});
const workload = (kind: Kind<any>, spec: object = {}, status?: object): KubeObject => {
  const object = {
    apiVersion: "apps/v1",
    kind: kind.kind,
    metadata: { name: "w", namespace: "default", creationTimestamp: "2025-01-01T00:00:00Z" },
    spec: { selector: { matchLabels: { app: "web" } }, template: template(), ...spec },
    ...(status && { status }),
  } as KubeObject;
  kind.rules.setDefaults?.(object);
  return object;
};
const complaints = (kind: Kind<any>, spec: object = {}): string[] =>
  kind.rules.validate!(workload(kind, spec)).map(describeFieldError);
const updated = (kind: Kind<any>, next: object, previous: object = {}): string[] =>
  kind.rules.validateUpdate!(workload(kind, next), workload(kind, previous)).map(describeFieldError);
const cells = (kind: Kind<any>, object: KubeObject) => {
  const table = tableOf(kind.rules, [object], { now: Date.UTC(2025, 0, 1, 0, 1) });
  return Object.fromEntries(table.columnDefinitions.map(({ name }, i) => [name, table.rows[0]!.cells[i]]));
};
const wide = { Containers: "c", Images: "nginx:1", Selector: "app=web" };

describe.each([[Deployment], [ReplicaSet], [StatefulSet], [DaemonSet]])("$kind", (kind: Kind<any>) => {
  test("with a template that its selector selects is fine", () => expect(complaints(kind)).toEqual([]));

  test.each<[string, object]>([
    [
      kind === DaemonSet
        ? 'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'
        : "spec.selector: Required value",
      { selector: undefined },
    ],
    ["spec.selector: Invalid value: {}: empty selector is invalid for", { selector: {} }],
    [
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      { selector: { matchLabels: { app: "db" } } },
    ],
    [
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      { template: template({ restartPolicy: "Never" }) },
    ],
    ["spec.template.spec.containers: Required value", { template: template({ containers: [] }) }],
    [
      "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in",
      { template: template({ activeDeadlineSeconds: 5 }) },
    ],
    ["spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0", { minReadySeconds: -1 }],
  ])("is refused: %s", (message, spec) => {
    const all = complaints(kind, spec);
    expect(
      all.some((complaint) => complaint.startsWith(message)),
      all.join("\n"),
    ).toBe(true);
  });

  test("keeps its selector", () => {
    expect(updated(kind, { minReadySeconds: 1 })).toEqual([]);
    const changed = updated(kind, { selector: { matchLabels: { app: "web", a: "b" } } });
    expect(changed[0]).toMatch(/field is immutable|updates to statefulset spec for fields other than/);
  });

  test("is created and updated without a say in its status", () => {
    const object = workload(kind, {}, { readyReplicas: 5 });
    kind.rules.prepareForCreate?.(object);
    expect(object["status"]).not.toHaveProperty("readyReplicas");
    const next = workload(kind, {}, { readyReplicas: 5 });
    kind.rules.prepareForUpdate?.(next, workload(kind, {}, { readyReplicas: 1 }));
    expect(next["status"]).toEqual({ readyReplicas: 1 });
  });
});

describe("Deployment", () => {
  test("has upstream's defaults", () => {
    expect(workload(Deployment)["spec"]).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      template: { spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 30 } },
    });
    expect(workload(Deployment, { strategy: { type: "Recreate" } })["spec"].strategy).toEqual({ type: "Recreate" });
  });

  test.each<[string, object]>([
    ["spec.replicas: Invalid value: -1: must be greater than or equal to 0", { replicas: -1 }],
    [
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
      { strategy: { type: "Recreate", rollingUpdate: {} } },
    ],
    [
      "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
    ],
    [
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
      { strategy: { rollingUpdate: { maxUnavailable: "101%" } } },
    ],
    [
      'spec.strategy.rollingUpdate.maxSurge: Invalid value: "a": a valid percent string',
      { strategy: { rollingUpdate: { maxSurge: "a" } } },
    ],
    [
      'spec.strategy: Unsupported value: {"Type":"x","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
      { strategy: { type: "x" } },
    ],
    [
      "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
      { progressDeadlineSeconds: 5, minReadySeconds: 5 },
    ],
  ])("is refused: %s", (message, spec) => {
    expect(complaints(Deployment, spec).some((complaint) => complaint.startsWith(message))).toBe(true);
  });

  test("is printed as kubectl has it", () => {
    const status = { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 };
    expect(cells(Deployment, workload(Deployment, { replicas: 3 }, status))).toEqual({
      Name: "w",
      Ready: "1/3",
      "Up-to-date": 2,
      Available: 1,
      Age: "60s",
      ...wide,
    });
  });

  test("has a status that adds up", () => {
    const update = (status: object) =>
      Deployment.rules.validateStatusUpdate!(
        workload(Deployment, {}, status) as never,
        workload(Deployment, {}, { collisionCount: 2 }) as never,
      ).map(describeFieldError);
    expect(update({ replicas: 2, readyReplicas: 2, availableReplicas: 1, collisionCount: 2 })).toEqual([]);
    expect(update({ replicas: 1, readyReplicas: 2, collisionCount: 1 })).toEqual([
      "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
      "status.collisionCount: Invalid value: 1: cannot be decremented",
    ]);
  });
});

test("ReplicaSet is printed as kubectl has it", () => {
  const set = workload(ReplicaSet, { replicas: 3 }, { replicas: 2, readyReplicas: 1 });
  expect(cells(ReplicaSet, set)).toEqual({ Name: "w", Desired: 3, Current: 2, Ready: 1, Age: "60s", ...wide });
});

test("StatefulSet updates only what it can carry out", () => {
  expect(updated(StatefulSet, { replicas: 5 })).toEqual([]);
  expect(updated(StatefulSet, { serviceName: "b" }, { serviceName: "a" })).toEqual([
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
      "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ]);
});

test.each<[string, object]>([
  [
    "spec.podManagementPolicy: Invalid value: \"x\": must be 'OrderedReady' or 'Parallel'",
    { podManagementPolicy: "x" },
  ],
  [
    'spec.updateStrategy: Invalid value: {"Type":"x","RollingUpdate":null}: must be \'RollingUpdate\' or \'OnDelete\'',
    { updateStrategy: { type: "x" } },
  ],
  [
    'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: only allowed for updateStrategy \'RollingUpdate\'',
    { updateStrategy: { type: "OnDelete", rollingUpdate: { partition: 1 } } },
  ],
  [
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    { updateStrategy: { rollingUpdate: { maxUnavailable: "101%" } } },
  ],
  [
    'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "x": supported values: "Retain", "Delete"',
    { persistentVolumeClaimRetentionPolicy: { whenScaled: "x" } },
  ],
  ['spec.serviceName: Invalid value: "a.b": must not contain dots', { serviceName: "a.b" }],
])("StatefulSet is refused: %s", (message, spec) => expect(complaints(StatefulSet, spec)).toEqual([message]));

test("DaemonSet is refused an unknown strategy, shown with upstream's field names", () => {
  expect(complaints(DaemonSet, { updateStrategy: { type: "x", rollingUpdate: { maxSurge: 1 } } })).toEqual([
    'spec.updateStrategy: Unsupported value: {"Type":"x","RollingUpdate":{"MaxUnavailable":0,"MaxSurge":1}}: supported values: "RollingUpdate", "OnDelete"',
  ]);
});

test("DaemonSet replaces pods before or after, not both", () => {
  const strategy = (rollingUpdate: object) => complaints(DaemonSet, { updateStrategy: { rollingUpdate } });
  expect(strategy({ maxUnavailable: 0, maxSurge: 1 })).toEqual([]);
  expect(strategy({ maxUnavailable: 1, maxSurge: 1 })[0]).toContain("may not be set when maxUnavailable is non-zero");
  expect(strategy({ maxUnavailable: 0, maxSurge: 0 })[0]).toContain("cannot be 0 when maxSurge is 0");
});

test("ReplicationController takes selector and labels from its template", () => {
  const controller = workload(ReplicationController, { selector: undefined });
  expect(controller).toMatchObject({
    metadata: { labels: { app: "web" } },
    spec: { selector: { app: "web" }, replicas: 1 },
  });
  expect(ReplicationController.rules.validate!(controller as never)).toEqual([]);
});

describe("Job", () => {
  const job = (spec: object = {}, status?: object) => {
    const object = workload(
      Job,
      { selector: undefined, template: template({ restartPolicy: "Never" }), ...spec },
      status,
    );
    object.metadata.uid = "u";
    return object as never;
  };

  test("selects its pods by its uid", () => {
    const created = job() as KubeObject;
    Job.rules.prepareForCreate?.(created as never);
    expect(created["spec"]).toMatchObject({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      suspend: false,
      selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "u" } },
      template: { metadata: { labels: { app: "web", "batch.kubernetes.io/job-name": "w", "job-name": "w" } } },
    });
    expect(Job.rules.validate!(created as never)).toEqual([]);
  });

  test("does not restart its pods forever", () => {
    const always = job({ template: template() }) as KubeObject;
    Job.rules.prepareForCreate?.(always as never);
    expect(Job.rules.validate!(always as never).map(describeFieldError)).toEqual([
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ]);
  });

  test.each<[string, string, object, object]>([
    ["Running", "0/1", {}, {}],
    ["Complete", "1/1", {}, { succeeded: 1, conditions: [{ type: "Complete", status: "True" }] }],
    ["Failed", "0/1", {}, { conditions: [{ type: "Failed", status: "True" }] }],
    ["Suspended", "0/3", { completions: 3 }, { conditions: [{ type: "Suspended", status: "True" }] }],
    ["Running", "0/1 of 2", { parallelism: 2, completions: undefined }, {}],
  ])("is printed %s, %s", (status, completions, spec, state) => {
    expect(cells(Job, job(spec, state))).toMatchObject({ Status: status, Completions: completions });
  });

  test("keeps its template", () => {
    const [next, previous] = [job({ template: template({ restartPolicy: "OnFailure" }) }), job()];
    expect(Job.rules.validateUpdate!(next, previous).map(({ field }) => field)).toEqual(["spec.template"]);
    expect(Job.rules.validateUpdate!(job({ parallelism: 5, completions: 1 }), job())).toEqual([]);
  });
});

describe("Job's policies", () => {
  const complaintsOf = (spec: object, name = "w"): string[] => {
    const job = workload(Job, { selector: undefined, template: template({ restartPolicy: "Never" }), ...spec });
    job.metadata.uid = "u";
    job.metadata.name = name;
    Job.rules.prepareForCreate?.(job as never);
    return Job.rules.validate!(job as never).map(describeFieldError);
  };
  const indexed = { completionMode: "Indexed", completions: 5, parallelism: 2 };
  const onFailure = (...rules: object[]) => ({ podFailurePolicy: { rules } });
  const onSuccess = (...rules: object[]) => ({ ...indexed, successPolicy: { rules } });
  const exits = (onExitCodes: object) => onFailure({ action: "FailJob", onExitCodes });

  test.each<[string, object]>([
    ["that fail fast", exits({ containerName: "c", operator: "In", values: [1, 42] })],
    ["that pass over evictions", onFailure({ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] })],
    ["that succeed early", onSuccess({ succeededIndexes: "0,2-4", succeededCount: 2 })],
    ["that count failures by index", { ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 5 }],
    ["of another controller", { managedBy: "acme.io/queue" }],
  ])("%s are fine", (_, spec) => expect(complaintsOf(spec)).toEqual([]));

  test.each<[string, object]>([
    [
      "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
      { ...indexed, maxFailedIndexes: 1 },
    ],
    ["spec.successPolicy: Invalid value: {}: requires indexed completion mode", { successPolicy: {} }],
    [
      "spec.maxFailedIndexes: Invalid value: 9: must be less than or equal to completions",
      { ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 9 },
    ],
    ['spec.managedBy: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")', { managedBy: "x" }],
    [
      'spec.podReplacementPolicy: Unsupported value: "x": supported values: "Failed", "TerminatingOrFailed"',
      { podReplacementPolicy: "x" },
    ],
    [
      'spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
      onFailure({ onPodConditions: [{ type: "a" }] }),
    ],
    [
      'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
      onFailure({ action: "FailIndex", onPodConditions: [{ type: "a" }] }),
    ],
    [
      "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
      onFailure({ action: "Count" }),
    ],
    [
      'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
      exits({ containerName: "x", operator: "In", values: [1] }),
    ],
    [
      "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator",
      exits({ operator: "In", values: [0] }),
    ],
    [
      "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1]: must be ordered",
      exits({ operator: "NotIn", values: [2, 1] }),
    ],
    [
      "spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified",
      onSuccess(),
    ],
    [
      "spec.successPolicy.rules[0].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)",
      onSuccess({ succeededCount: 6 }),
    ],
    [
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "3-9": error parsing succeededIndexes: too large index: "9"',
      onSuccess({ succeededIndexes: "3-9" }),
    ],
    [
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "2,1": error parsing succeededIndexes: non-increasing order, previous: 2, current: 1',
      onSuccess({ succeededIndexes: "2,1" }),
    ],
  ])("are refused: %s", (message, spec) => expect(complaintsOf(spec)).toEqual([message]));

  test("leave room for the index in the pods' host names", () => {
    const name = "a".repeat(62);
    expect(complaintsOf(indexed, name)).toEqual([
      `metadata.name: Invalid value: "${name}": will not able to create pod with invalid DNS label: ${name}-4`,
    ]);
    expect(complaintsOf({}, name)).toEqual([]);
  });

  test("let an indexed Job grow with its parallelism", () => {
    const job = (more: object) => workload(Job, { ...indexed, ...more }) as never;
    expect(Job.rules.validateUpdate!(job({ completions: 7, parallelism: 7 }), job({}))).toEqual([]);
    expect(Job.rules.validateUpdate!(job({ completions: 7 }), job({})).map(describeFieldError)).toEqual([
      "spec.completions: Invalid value: 7: can only be modified in tandem with spec.parallelism",
    ]);
  });
});

describe("CronJob", () => {
  const cronJob = (spec: object = {}) =>
    workload(CronJob, {
      selector: undefined,
      template: undefined,
      schedule: "*/5 * * * *",
      jobTemplate: { spec: { template: template({ restartPolicy: "Never" }) } },
      ...spec,
    }) as never;
  const complaintsOf = (spec: object) => CronJob.rules.validate!(cronJob(spec)).map(describeFieldError);

  test("of a plain schedule is fine", () => {
    expect(complaintsOf({})).toEqual([]);
    expect(complaintsOf({ schedule: "@hourly", timeZone: "Europe/Zurich" })).toEqual([]);
    expect(cells(CronJob, cronJob())).toMatchObject({
      Schedule: "*/5 * * * *",
      Timezone: "<none>",
      Suspend: "False",
      Active: 0,
    });
  });

  test.each<[string, object]>([
    ["spec.schedule: Required value", { schedule: "" }],
    ['spec.schedule: Invalid value: "* *": expected exactly 5 fields, found 2: [* *]', { schedule: "* *" }],
    [
      'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      { schedule: "TZ=UTC * * * * *" },
    ],
    ['spec.timeZone: Invalid value: "Moon": unknown time zone Moon', { timeZone: "Moon" }],
    ['spec.concurrencyPolicy: Unsupported value: "x"', { concurrencyPolicy: "x" }],
  ])("is refused: %s", (message, spec) => expect(complaintsOf(spec)[0]).toContain(message));
});
