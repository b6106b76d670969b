import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/object.ts";
import { EMPTY_CATALOG } from "../catalog/catalog.ts";
import type { ReadTransaction } from "../store/transaction.ts";
import { Answers } from "../verbs/answers.ts";
import { servedOf } from "../verbs/served.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import type { Admission, AdmissionPlugin } from "./plugin.ts";
import { referenced } from "./pod-references.ts";
import { oneDefaultPriorityClass, priority } from "./priority.ts";
import { serviceAccount } from "./service-account.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

const pod = (spec: object = {}, metadata: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", ...metadata },
  spec,
});

/** Runs one plugin on a write; answers the object as it was left. */
function admit(
  plugin: AdmissionPlugin,
  object: KubeObject,
  more: Partial<Admission> & { there?: KubeObject[] } = {},
): any {
  const there = more.there ?? [];
  const stored = there.map((each) => ({ name: each.metadata.name, object: each }));
  plugin.admit?.({
    operation: "create",
    served: servedOf({ group: "", version: "v1", resource: "pods" }),
    subresource: "",
    name: object.metadata.name,
    namespace: "default",
    user: { name: "u", groups: [] },
    object,
    previous: undefined,
    tx: {
      get: (_: string, name: string) => stored.find((each) => each.name === name),
      list: () => stored,
    } as unknown as ReadTransaction,
    catalog: EMPTY_CATALOG,
    now: 0,
    dryRun: false,
    answers: new Answers(),
    warnings: [],
    guise: undefined,
    asksNobody: false,
    requestOptions: undefined,
    deleteOptions: undefined,
    annotations: undefined,
    reinvocation: undefined,
    ...more,
  });
  return object;
}

describe("DefaultTolerationSeconds", () => {
  test.each([
    ["adds both", [], ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]],
    [
      "keeps the pod's own",
      [{ key: "node.kubernetes.io/not-ready", tolerationSeconds: 5 }],
      ["node.kubernetes.io/unreachable"],
    ],
    ["adds none to a pod that tolerates everything", [{ operator: "Exists" }], []],
    [
      "is not misled by another effect",
      [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }],
      ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"],
    ],
  ])("%s", (_, tolerations, added) => {
    const { spec } = admit(defaultTolerationSeconds, pod({ tolerations }));
    expect(spec.tolerations.slice(tolerations.length)).toEqual(
      added.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 })),
    );
  });
});

describe("Priority", () => {
  const classes = [
    { name: "high", value: 1000, globalDefault: false, preemptionPolicy: "Never" },
    { name: "usual", value: 10, globalDefault: true, preemptionPolicy: "PreemptLowerPriority" },
  ];
  const plugin = priority(() => classes);

  test("takes the pod's class, or the default", () => {
    expect(admit(plugin, pod({ priorityClassName: "high" })).spec).toMatchObject({
      priority: 1000,
      preemptionPolicy: "Never",
    });
    expect(admit(plugin, pod()).spec).toMatchObject({ priority: 10, priorityClassName: "usual" });
    expect(
      admit(
        priority(() => []),
        pod(),
      ).spec,
    ).toMatchObject({ priority: 0 });
  });

  test("refuses a class that is not there, and a number of the pod's own", () => {
    expect(() => admit(plugin, pod({ priorityClassName: "x" }))).toThrow(
      'pods "p" is forbidden: no PriorityClass with name x was found',
    );
    expect(() => admit(plugin, pod({ priority: 7 }))).toThrow(
      "the integer value of priority (7) must not be provided in pod spec",
    );
    expect(() => admit(plugin, pod({ priority: 10 }))).not.toThrow();
  });

  test("lets one class be the default", () => {
    const served = servedOf({ group: "scheduling.k8s.io", version: "v1", resource: "priorityclasses" });
    const make = (name: string): KubeObject => ({
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name },
      globalDefault: true,
    });
    const there = [make("first")];
    expect(() => admit(oneDefaultPriorityClass, make("second"), { served, there })).toThrow(
      "PriorityClass first is already marked as default. Only one default can exist",
    );
    expect(() => admit(oneDefaultPriorityClass, make("first"), { served, there, operation: "update" })).not.toThrow();
  });
});

describe("ServiceAccount", () => {
  const account: KubeObject = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
    imagePullSecrets: [{ name: "pull" }],
  };

  test("is the default where none is named, with its pull secrets", () => {
    const { spec } = admit(serviceAccount, pod(), { there: [account] });
    expect(spec).toEqual({
      serviceAccountName: "default",
      serviceAccount: "default",
      imagePullSecrets: [{ name: "pull" }],
    });
    expect(
      admit(serviceAccount, pod({ imagePullSecrets: [{ name: "own" }] }), { there: [account] }).spec.imagePullSecrets,
    ).toEqual([{ name: "own" }]);
  });

  test("has to be there", () => {
    expect(() => admit(serviceAccount, pod({ serviceAccountName: "x" }), { there: [account] })).toThrow(
      'pods "p" is forbidden: error looking up service account default/x: serviceaccount "x" not found',
    );
  });
});

test("a new node is not ready, once", () => {
  const served = servedOf({ group: "", version: "v1", resource: "nodes" });
  const node: KubeObject = { apiVersion: "v1", kind: "Node", metadata: { name: "n" } };
  const taints = [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }];
  expect(admit(taintNodesByCondition, node, { served }).spec.taints).toEqual(taints);
  expect(admit(taintNodesByCondition, node, { served }).spec.taints).toEqual(taints);
});

test("a pod's references are found wherever it may name them", () => {
  const object = pod({
    serviceAccountName: "sa",
    imagePullSecrets: [{ name: "s1" }],
    volumes: [
      { name: "a", secret: { secretName: "s2" } },
      { name: "b", configMap: { name: "c1" } },
      { name: "c", projected: { sources: [{ secret: { name: "s3" } }, { configMap: { name: "c2" } }] } },
      { name: "d", persistentVolumeClaim: { claimName: "claim" } },
      { name: "e", ephemeral: { volumeClaimTemplate: {} } },
      { name: "f", csi: { driver: "x", nodePublishSecretRef: { name: "s4" } } },
    ],
    initContainers: [{ name: "i", env: [{ name: "E", valueFrom: { secretKeyRef: { name: "s5", key: "k" } } }] }],
    containers: [
      { name: "c", envFrom: [{ configMapRef: { name: "c3" } }, { secretRef: { name: "s6" } }] },
      {
        name: "d",
        env: [
          { name: "E", value: "plain" },
          { name: "F", valueFrom: { configMapKeyRef: { name: "c4", key: "k" } } },
        ],
      },
    ],
  });
  const names = (resource: string) => [...referenced(object, resource)].sort();
  expect(names("secrets")).toEqual(["s1", "s2", "s3", "s4", "s5", "s6"]);
  expect(names("configmaps")).toEqual(["c1", "c2", "c3", "c4"]);
  expect(names("persistentvolumeclaims")).toEqual(["claim", "p-e"]);
  expect(names("serviceaccounts")).toEqual(["sa"]);
  expect(names("pods")).toEqual([]);
});
