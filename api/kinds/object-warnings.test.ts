import { expect, test } from "vitest";
import type { KubeObject } from "../object.ts";
import { withWarnings } from "./object-warnings.ts";

const container = (more: object = {}) => ({ name: "c", image: "i", ...more });
const pod = (spec: object, metadata: object = {}) =>
  ({
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name: "a", ...metadata },
    spec: { containers: [container()], ...spec },
  }) as unknown as KubeObject;
const objectWarnings = (kind: { group: string; kind: string }, object: KubeObject, previous?: KubeObject): string[] =>
  withWarnings<any>(kind, {}).warnings?.(object, previous) ?? [];
const of = (kind: string, group = "") => ({ group, kind });

test.each<[string, KubeObject, string[]]>([
  ["nothing to say", pod({}), []],
  ["no name, which is refused", pod({}, { name: undefined }), []],
  [
    "a name that makes no hostname",
    pod({}, { name: "a.b" }),
    [
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: " +
        "[must not contain dots]",
    ],
  ],
  [
    "an old label",
    pod({ nodeSelector: { "beta.kubernetes.io/os": "linux" } }),
    ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  ],
  [
    "an old label in an affinity",
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "beta.kubernetes.io/arch", operator: "Exists" }] }],
          },
        },
      },
    }),
    [
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: " +
        'beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead',
    ],
  ],
  [
    "a variable that hides another",
    pod({
      containers: [
        container({
          env: [
            { name: "A", value: "1" },
            { name: "A", value: "2" },
            { name: "B", value: "1" },
            { name: "B", value: "$(B)2" },
          ],
        }),
      ],
    }),
    ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
  ],
  [
    "a port that two containers have",
    pod({
      containers: [
        container({ ports: [{ containerPort: 80, protocol: "TCP", name: "http" }] }),
        container({ name: "d", ports: [{ containerPort: 80, protocol: "TCP", name: "http" }] }),
      ],
    }),
    [
      "spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]",
      'spec.containers[1].ports[0]: duplicate port name "http" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ],
  ],
  [
    "a part of a byte",
    pod({ containers: [container({ resources: { limits: { memory: "100m" } } })] }),
    ['spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer'],
  ],
  [
    "a spread that matches nothing",
    pod({ topologySpreadConstraints: [{ topologyKey: "kubernetes.io/hostname" }] }),
    ["spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"],
  ],
  [
    "a volume of old",
    pod({ volumes: [{ name: "v", gitRepo: { repository: "r" } }] }),
    ["spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"],
  ],
])("%s", (_, object, warnings) => {
  expect(objectWarnings(of("Pod"), object)).toEqual(warnings);
});

test("a template is warned of by its path, and again only when the spec has changed", () => {
  const template = pod({ hostAliases: [{ ip: "1.1.1.1" }, { ip: "1.1.1.1" }] });
  const deployment = (generation: number) =>
    ({ metadata: { name: "web", generation }, spec: { template } }) as unknown as KubeObject;
  const warning = ['spec.template.spec.hostAliases[1].ip: duplicate ip "1.1.1.1"'];
  expect(objectWarnings(of("Deployment", "apps"), deployment(1))).toEqual(warning);
  expect(objectWarnings(of("Deployment", "apps"), deployment(2), deployment(1))).toEqual(warning);
  expect(objectWarnings(of("Deployment", "apps"), deployment(1), deployment(1))).toEqual([]);
});

test.each<[string, object, string[]]>([
  ["Service", { type: "ClusterIP", clusterIP: "10.96.0.9" }, []],
  [
    "Service",
    { type: "ClusterIP", clusterIP: "None", externalIPs: ["1.2.3.4"], sessionAffinity: "ClientIP" },
    ["spec.externalIPs is ignored for headless services", "spec.SessionAffinity is ignored for headless services"],
  ],
  [
    "Service",
    { type: "ClusterIP", clusterIP: "10.96.0.9", externalName: "a.example" },
    ['spec.externalName is ignored when spec.type is not "ExternalName"'],
  ],
  [
    "PersistentVolume",
    { persistentVolumeReclaimPolicy: "Recycle", rbd: {} },
    [
      "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
      "spec.rbd: deprecated in v1.28, non-functional in v1.31+",
    ],
  ],
  [
    "PersistentVolumeClaim",
    { resources: { requests: { storage: "1500m" } } },
    ['spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer'],
  ],
])("%s %j", (kind, spec, warnings) => {
  expect(objectWarnings(of(kind), { metadata: { name: "a" }, spec } as unknown as KubeObject)).toEqual(warnings);
});

test("nobody warns of kinds that have no warnings, whatever they are called", () => {
  const object = { metadata: { name: "a" } } as unknown as KubeObject;
  expect(objectWarnings(of("ConfigMap"), object)).toEqual([]);
});
