import { describe, expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import { Pod } from "./pod.ts";
import type { PodObject } from "./pod-object.ts";
import { validateEphemeralContainersUpdate } from "./pod-update.ts";

const { rules } = Pod;

const pod = (spec: object = {}, container: object = {}): PodObject => {
  const object = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default" },
    spec: { containers: [{ name: "c", image: "nginx", ...container }], ...spec },
  } as unknown as PodObject;
  rules.setDefaults?.(object);
  return object;
};
const complaints = (object: PodObject): string[] => rules.validate!(object).map(describeFieldError);

describe("defaults of a pod", () => {
  test("are upstream's", () => {
    expect(pod({}, { ports: [{ containerPort: 80 }] }).spec).toEqual({
      containers: [
        {
          name: "c",
          image: "nginx",
          imagePullPolicy: "Always",
          ports: [{ containerPort: 80, protocol: "TCP" }],
          resources: {},
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
        },
      ],
      dnsPolicy: "ClusterFirst",
      enableServiceLinks: true,
      restartPolicy: "Always",
      schedulerName: "default-scheduler",
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    });
  });

  test.each([
    ["nginx", "Always"],
    ["nginx:latest", "Always"],
    ["nginx:1.27", "IfNotPresent"],
    ["registry:5000/nginx", "Always"],
    ["registry:5000/nginx:1", "IfNotPresent"],
    [`nginx@sha256:${"0".repeat(64)}`, "IfNotPresent"],
    [`nginx:latest@sha256:${"0".repeat(64)}`, "Always"],
    ["nginx:latest@sha256:00", "IfNotPresent"],
    ["Bad Image", "IfNotPresent"],
  ])("image %s is pulled %s", (image, policy) => {
    expect(pod({}, { image }).spec.containers[0]?.imagePullPolicy).toBe(policy);
  });

  test("requests follow limits, in canonical form", () => {
    const resources = { limits: { cpu: "0.5", memory: "1024Mi" }, requests: { cpu: "100m" } };
    expect(pod({}, { resources }).spec.containers[0]?.resources).toEqual({
      limits: { cpu: "500m", memory: "1Gi" },
      requests: { cpu: "100m", memory: "1Gi" },
    });
  });

  test("on the host's network a container's port is the host's", () => {
    const { spec } = pod({ hostNetwork: true }, { ports: [{ containerPort: 80 }] });
    expect(spec.containers[0]?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: "TCP" }]);
  });

  test("probes, volumes and references are filled in", () => {
    const { spec } = pod(
      {
        serviceAccount: "sa",
        volumes: [
          { name: "a" },
          { name: "b", secret: { secretName: "s" } },
          { name: "c", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } },
          { name: "d", hostPath: { path: "/" } },
        ],
      },
      {
        livenessProbe: { httpGet: { port: 80 } },
        env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
      },
    );
    expect(spec.serviceAccountName).toBe("sa");
    expect(spec.volumes).toEqual([
      { name: "a", emptyDir: {} },
      { name: "b", secret: { secretName: "s", defaultMode: 420 } },
      {
        name: "c",
        projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 3600 } }] },
      },
      { name: "d", hostPath: { path: "/", type: "" } },
    ]);
    expect(spec.containers[0]?.livenessProbe).toEqual({
      httpGet: { port: 80, path: "/", scheme: "HTTP" },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    });
    expect(spec.containers[0]?.env?.[0]?.valueFrom?.fieldRef?.apiVersion).toBe("v1");
  });

  test("said twice change nothing", () => {
    const once = pod({ volumes: [{ name: "a" }] }, { resources: { limits: { cpu: "1" } } });
    const twice = structuredClone(once);
    rules.setDefaults?.(twice);
    expect(twice).toEqual(once);
  });
});

describe("a pod", () => {
  test("of the plain sort is fine", () => expect(complaints(pod())).toEqual([]));

  test("with most of what there is is fine", () => {
    const full = pod(
      {
        initContainers: [
          { name: "i", image: "a" },
          { name: "side", image: "a", restartPolicy: "Always", livenessProbe: { exec: { command: ["a"] } } },
        ],
        volumes: [{ name: "v" }, { name: "cm", configMap: { name: "cm", items: [{ key: "a", path: "b/c" }] } }],
        tolerations: [{ operator: "Exists" }, { key: "a", value: "b", effect: "NoSchedule" }],
        nodeSelector: { a: "b" },
        hostAliases: [{ ip: "10.0.0.1", hostnames: ["a.b"] }],
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: "kubernetes.io/hostname", labelSelector: {} },
            ],
          },
        },
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }],
        securityContext: { runAsUser: 0, fsGroup: 2000, seccompProfile: { type: "RuntimeDefault" } },
      },
      {
        volumeMounts: [
          { name: "v", mountPath: "/v" },
          { name: "cm", mountPath: "/cm", subPath: "b" },
        ],
        env: [
          { name: "A", value: "$(B)" },
          { name: "N", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
        ],
        envFrom: [{ configMapRef: { name: "cm" } }],
        lifecycle: { preStop: { sleep: { seconds: 5 } } },
        ports: [{ name: "http", containerPort: 80 }],
        resources: { limits: { cpu: "1", "example.com/gpu": "1" }, requests: { cpu: "1" } },
      },
    );
    expect(complaints(full)).toEqual([]);
  });

  test.each<[string, object, object]>([
    ["spec.containers[0].name: Required value", {}, { name: "" }],
    ['spec.containers[0].name: Invalid value: "a.b": must not contain dots', {}, { name: "a.b" }],
    ["spec.containers[0].image: Required value", {}, { image: "" }],
    [
      'spec.containers[0].image: Invalid value: " a": must not have leading or trailing whitespace',
      {},
      { image: " a" },
    ],
    [
      'spec.containers[0].imagePullPolicy: Unsupported value: "No": supported values: "Always", "IfNotPresent", "Never"',
      {},
      { imagePullPolicy: "No" },
    ],
    ["spec.containers[0].ports[0].containerPort: Required value", {}, { ports: [{ name: "a" }] }],
    [
      "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
      {},
      { ports: [{ containerPort: 70000 }] },
    ],
    [
      'spec.containers[0].ports[1].name: Duplicate value: "a"',
      {},
      {
        ports: [
          { name: "a", containerPort: 1 },
          { name: "a", containerPort: 2 },
        ],
      },
    ],
    [
      'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"',
      {},
      {
        ports: [
          { containerPort: 1, hostPort: 80 },
          { containerPort: 2, hostPort: 80 },
        ],
      },
    ],
    [
      'spec.containers[0].ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
      {},
      { ports: [{ containerPort: 1, protocol: "tcp" }] },
    ],
    ['spec.containers[0].env[0].name: Invalid value: "a=b"', {}, { env: [{ name: "a=b" }] }],
    [
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      {},
      { env: [{ name: "a", value: "b", valueFrom: { secretKeyRef: { name: "a", key: "b" } } }] },
    ],
    [
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x',
      {},
      { env: [{ name: "a", valueFrom: { fieldRef: { fieldPath: "spec.x" } } }] },
    ],
    [
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels"',
      {},
      { env: [{ name: "a", valueFrom: { fieldRef: { fieldPath: "metadata.labels" } } }] },
    ],
    ['spec.containers[0].volumeMounts[0].name: Not found: "v"', {}, { volumeMounts: [{ name: "v", mountPath: "/v" }] }],
    [
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique',
      { volumes: [{ name: "v" }] },
      {
        volumeMounts: [
          { name: "v", mountPath: "/v" },
          { name: "v", mountPath: "/v" },
        ],
      },
    ],
    [
      "spec.containers[0].volumeMounts.subPath: Invalid value: \"../a\": must not contain '..'",
      { volumes: [{ name: "v" }] },
      { volumeMounts: [{ name: "v", mountPath: "/v", subPath: "../a" }] },
    ],
    ["spec.containers[0].livenessProbe: Required value: must specify a handler type", {}, { livenessProbe: {} }],
    [
      "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
      {},
      { livenessProbe: { successThreshold: 2, tcpSocket: { port: 1 } } },
    ],
    [
      "spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type",
      {},
      { livenessProbe: { exec: { command: ["a"] }, httpGet: { port: 1 } } },
    ],
    [
      'spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      {},
      { resources: { limits: { cpu: "-1" } } },
    ],
    [
      'spec.containers[0].resources.limits[cpu]: Invalid value: "x": quantities must match',
      {},
      { resources: { limits: { cpu: "x" } } },
    ],
    [
      'spec.containers[0].resources.limits[pods]: Invalid value: "pods": must be a standard resource for containers',
      {},
      { resources: { limits: { pods: "1" } } },
    ],
    [
      'spec.containers[0].resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
      {},
      { resources: { limits: { gpu: "1" } } },
    ],
    [
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      {},
      { resources: { limits: { cpu: "1" }, requests: { cpu: "2" } } },
    ],
    [
      "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
      {},
      { resources: { requests: { "a.io/gpu": "1" } } },
    ],
    ["spec.containers: Required value", { containers: [] }, {}],
    [
      'spec.containers[1].name: Duplicate value: "c"',
      {
        containers: [
          { name: "c", image: "a" },
          { name: "c", image: "a" },
        ],
      },
      {},
    ],
    ['spec.initContainers[0].name: Duplicate value: "c"', { initContainers: [{ name: "c", image: "a" }] }, {}],
    [
      "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
      { initContainers: [{ name: "i", image: "a", readinessProbe: { tcpSocket: { port: 1 } } }] },
      {},
    ],
    [
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      { restartPolicy: "Sometimes" },
      {},
    ],
    [
      'spec.dnsPolicy: Unsupported value: "x": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      { dnsPolicy: "x" },
      {},
    ],
    ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None", { dnsPolicy: "None" }, {}],
    [
      "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
      { activeDeadlineSeconds: 0 },
      {},
    ],
    ['spec.volumes[1].name: Duplicate value: "a"', { volumes: [{ name: "a" }, { name: "a" }] }, {}],
    [
      "spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type",
      { volumes: [{ name: "a", emptyDir: {}, secret: { secretName: "s" } }] },
      {},
    ],
    [
      "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
      { volumes: [{ name: "a", configMap: { name: "a", defaultMode: 512 } }] },
      {},
    ],
    ["spec.volumes[0].hostPath.path: Required value", { volumes: [{ name: "a", hostPath: { path: "" } }] }, {}],
    [
      "spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set",
      { volumes: [{ name: "a", projected: { sources: [{ serviceAccountToken: { path: "a" } }] } }] },
      {},
    ],
    [
      'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty',
      { tolerations: [{ value: "a" }] },
      {},
    ],
    [
      'spec.containers[0].securityContext: Invalid value: {"allowPrivilegeEscalation":false,"privileged":true}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      {},
      { securityContext: { allowPrivilegeEscalation: false, privileged: true } },
    ],
    [
      "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
      { securityContext: { runAsUser: -1 } },
      {},
    ],
    [
      "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
      { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "a", whenUnsatisfiable: "DoNotSchedule" }] },
      {},
    ],
    ['spec.nodeName: Invalid value: "A"', { nodeName: "A" }, {}],
    [
      "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
      { ephemeralContainers: [{ name: "e", image: "a", ports: [{ containerPort: 1 }] }] },
      {},
    ],
  ])("is refused: %s", (message, spec, container) => {
    const all = complaints(pod(spec, container));
    expect(
      all.some((complaint) => complaint.startsWith(message)),
      all.join("\n"),
    ).toBe(true);
  });
});

describe("a pod's life", () => {
  test("begins pending, whatever status it came with, and with its quality of service", () => {
    const created = pod({}, { resources: { limits: { cpu: "1", memory: "1Gi" } } });
    created.status = { phase: "Running" };
    rules.prepareForCreate?.(created);
    expect(created.status).toEqual({ phase: "Pending", qosClass: "Guaranteed" });
    const gated = pod({ schedulingGates: [{ name: "a.io/a" }] });
    rules.prepareForCreate?.(gated);
    expect(gated.status?.conditions?.[0]).toMatchObject({
      type: "PodScheduled",
      status: "False",
      reason: "SchedulingGated",
    });
    expect(gated.status?.qosClass).toBe("BestEffort");
  });

  test.each<[string, object, object, number | undefined, number]>([
    ["unplaced", {}, {}, 5, 0],
    ["by its own grace", { nodeName: "n" }, {}, undefined, 30],
    ["by the request's", { nodeName: "n" }, {}, 5, 5],
    ["at once", { nodeName: "n" }, {}, 0, 0],
    ["at its end", { nodeName: "n" }, { phase: "Succeeded" }, undefined, 0],
    ["with a negative grace", { nodeName: "n", terminationGracePeriodSeconds: -1 }, {}, undefined, 1],
  ])("is ended: %s", (_, spec, status, requested, seconds) => {
    const object = pod(spec);
    object.status = status;
    expect(rules.deletionGraceSeconds?.(object, requested)).toBe(seconds);
  });

  test("field selectors see where it is and how it fares", () => {
    const object = pod({ nodeName: "n", hostNetwork: true });
    object.status = { phase: "Running", podIP: "10.0.0.1" };
    expect(rules.selectableFields?.(object)).toEqual({
      "spec.nodeName": "n",
      "spec.restartPolicy": "Always",
      "spec.schedulerName": "default-scheduler",
      "spec.serviceAccountName": "",
      "spec.hostNetwork": "true",
      "status.phase": "Running",
      "status.podIP": "10.0.0.1",
      "status.podIPs": "10.0.0.1",
      "status.nominatedNodeName": "",
    });
  });
});

describe("an update of a pod", () => {
  const update = (next: object, previous: object = {}, container: object = {}): string[] =>
    rules.validateUpdate!(pod(next, container), pod(previous)).map(describeFieldError);

  test.each<[string, object, object]>([
    ["nothing", {}, {}],
    ["an image", {}, { image: "nginx" }],
    ["a deadline where there was none", { activeDeadlineSeconds: 5 }, {}],
    ["a toleration more", { tolerations: [{ key: "a", operator: "Exists" }] }, {}],
  ])("may change %s", (_, next, container) => expect(update(next, {}, container)).toEqual([]));

  test("may not change anything else, and is told what may", () => {
    expect(update({ nodeName: "n" })).toEqual([
      "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
        "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n  changed: nodeName",
    ]);
    expect(update({}, {}, { command: ["a"] })[0]).toContain("pod updates may not change fields other than");
  });

  test.each<[string, object, object]>([
    [
      "spec.containers: Forbidden: pod updates may not add or remove containers",
      {
        containers: [
          { name: "a", image: "a" },
          { name: "b", image: "a" },
        ],
      },
      {},
    ],
    [
      "spec.initContainers: Forbidden: pod updates may not add or remove containers",
      { initContainers: [{ name: "i", image: "i" }] },
      {},
    ],
    [
      "spec.activeDeadlineSeconds: Invalid value: 9: must be less than or equal to previous value",
      { activeDeadlineSeconds: 9 },
      { activeDeadlineSeconds: 5 },
    ],
    [
      "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value",
      {},
      { activeDeadlineSeconds: 5 },
    ],
    [
      "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
      {},
      { tolerations: [{ operator: "Exists" }] },
    ],
    [
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'",
      { schedulingGates: [{ name: "a" }] },
      {},
    ],
  ])("is refused: %s", (message, next, previous) => expect(update(next, previous)).toContain(message));

  test("while gated may narrow where the pod goes", () => {
    const gates = { schedulingGates: [{ name: "a" }] };
    expect(update({ ...gates, nodeSelector: { a: "b", c: "d" } }, { ...gates, nodeSelector: { a: "b" } })).toEqual([]);
    expect(update({ ...gates, nodeSelector: {} }, { ...gates, nodeSelector: { a: "b" } })[0]).toContain(
      "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
    );
  });

  test("of ephemeral containers only adds", () => {
    const ephemeral = (...names: string[]) => pod({ ephemeralContainers: names.map((name) => ({ name, image: "a" })) });
    expect(validateEphemeralContainersUpdate(ephemeral("a", "b"), ephemeral("a"))).toEqual([]);
    expect(validateEphemeralContainersUpdate(ephemeral("b"), ephemeral("a"))[0]?.detail).toContain(
      "may not be removed",
    );
  });
});

describe("an update of a pod's status", () => {
  const update = (next: object, previous: object, spec: object = {}): string[] => {
    const [is, was] = [pod(spec), pod(spec)];
    [is.status, was.status] = [next, previous];
    return rules.validateStatusUpdate!(is, was).map(describeFieldError);
  };
  const done = { containerStatuses: [{ name: "c", state: { terminated: { exitCode: 0 } } }] };
  const again = { containerStatuses: [{ name: "c", state: { running: {} } }] };

  test("does not bring back what has ended for good", () => {
    const message = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state";
    expect(update(again, done, { restartPolicy: "Never" })).toEqual([message]);
    expect(update(again, done, { restartPolicy: "OnFailure" })).toEqual([message]);
    expect(update(again, done)).toEqual([]);
    const failed = { containerStatuses: [{ name: "c", state: { terminated: { exitCode: 1 } } }] };
    expect(update(again, failed, { restartPolicy: "OnFailure" })).toEqual([]);
  });

  test("has one address of each family", () => {
    expect(update({ podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] }, {})).toEqual([]);
    expect(update({ podIPs: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }] }, {})[0]).toContain(
      "may specify no more than one IP for each IP family",
    );
    expect(update({ podIPs: [{ ip: "x" }] }, {})[0]).toContain("must be a valid IP address");
    expect(update({ hostIP: "10.0.0.1", hostIPs: [{ ip: "10.0.0.2" }] }, {})[0]).toContain("must be equal to `hostIP`");
  });
});
