import type { KindRef, KindRules } from "../kind.ts";
import { dnsLabelComplaints } from "../names.ts";
import { claimWarnings, deprecatedLabel, nodeTermWarnings, podWarnings } from "../pod-template/warnings.ts";

/**
 * What upstream accepts of an object of a built-in kind, and warns of: the strategies' WarningsOnCreate and WarningsOnUpdate
 * (pkg/registry, pkg/api/<kind>/warnings.go). The objects are in the storage version.
 */

/** `previous`: of an update. */
type Warnings = (object: any, previous?: Readonly<any>) => string[];

/** Of what has a template of pods: an update that leaves the spec alone brings nothing new. */
const ofTemplate =
  (path: string, templateOf: (spec: any) => any): Warnings =>
  (object, previous) => {
    const template = templateOf(object.spec);
    const isSame = previous && previous.metadata.generation === object.metadata.generation;
    return template?.spec && !isSame ? podWarnings(template, path) : [];
  };
const ofSpecTemplate = ofTemplate("spec.template.", (spec) => spec.template);

const ofName =
  (use: string): Warnings =>
  ({ metadata }, previous) => {
    // Without a name it is refused.
    const complaints = previous || !metadata.name ? [] : dnsLabelComplaints(metadata.name);
    if (complaints.length === 0) return [];
    return [
      `metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${complaints.join(" ")}]`,
    ];
  };

const both =
  (...parts: Warnings[]): Warnings =>
  (object, previous) =>
    parts.flatMap((part) => part(object, previous));

const OLD_CLASS = "volume.beta.kubernetes.io/storage-class";
const CLASS_TEXT = 'deprecated since v1.8; use "storageClassName" attribute instead';
const OLD_OPTIONS = "volume.beta.kubernetes.io/mount-options";

const annotated = ({ metadata }: any, key: string, text: string): string[] =>
  key in (metadata.annotations ?? {}) ? [`metadata.annotations[${key}]: ${text}`] : [];

const OLD_PLUGINS: Record<string, string> = {
  cephfs: "cephfs: deprecated in v1.28, non-functional in v1.31+",
  photonPersistentDisk: "photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+",
  scaleIO: "scaleIO: deprecated in v1.16, non-functional in v1.22+",
  storageos: "storageOS: deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "glusterfs: deprecated in v1.25, non-functional in v1.26+",
  rbd: "rbd: deprecated in v1.28, non-functional in v1.31+",
};

const volumeWarnings: Warnings = (volume) => [
  ...annotated(volume, OLD_CLASS, CLASS_TEXT),
  ...annotated(volume, OLD_OPTIONS, 'deprecated since v1.31; use "mountOptions" attribute instead'),
  ...(volume.spec.persistentVolumeReclaimPolicy === "Recycle"
    ? [
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
      ]
    : []),
  ...(volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term: any, i: number) =>
    nodeTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`),
  ),
  ...Object.entries(OLD_PLUGINS).flatMap(([plugin, text]) => (volume.spec[plugin] ? [`spec.${text}`] : [])),
];

const statefulSetWarnings: Warnings = ({ spec }, previous) => [
  ...(spec.volumeClaimTemplates ?? []).flatMap((claim: any, i: number) =>
    claimWarnings(claim.spec, `spec.volumeClaimTemplates[${i}]${previous ? ".Spec" : ""}`),
  ),
  ...(spec.revisionHistoryLimit < 0
    ? ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"]
    : []),
];

const HINTS = "service.kubernetes.io/topology-aware-hints";

const serviceWarnings: Warnings = ({ metadata, spec }) => {
  const isExternalName = spec.type === "ExternalName";
  const isHeadless = spec.type === "ClusterIP" && spec.clusterIP === "None";
  const hasExternalIps = (spec.externalIPs ?? []).length > 0;
  const warnings: [boolean, string][] = [
    [
      HINTS in (metadata.annotations ?? {}),
      `annotation ${HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`,
    ],
    [isHeadless && Boolean(spec.loadBalancerIP), "spec.loadBalancerIP is ignored for headless services"],
    [isHeadless && hasExternalIps, "spec.externalIPs is ignored for headless services"],
    [
      isHeadless && (spec.sessionAffinity ?? "None") !== "None",
      "spec.SessionAffinity is ignored for headless services",
    ],
    [
      hasExternalIps && !isHeadless && !isExternalName,
      "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
    ],
    [isExternalName && hasExternalIps, 'spec.externalIPs is ignored when spec.type is "ExternalName"'],
    [
      !isExternalName && Boolean(spec.externalName),
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ],
    [
      spec.trafficDistribution === "PreferClose",
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ],
  ];
  return warnings.filter(([is]) => is).map(([, text]) => text);
};

const INGRESS_CLASS = "kubernetes.io/ingress.class";

/** By `group/kind`. */
const WARNINGS: Record<string, Warnings | undefined> = {
  // A pod's spec hardly changes: upstream looks at it once.
  "/Pod": both(ofName("the Pod's hostname"), (pod, previous) => (previous ? [] : podWarnings(pod, ""))),
  "/PodTemplate": (object, previous) =>
    object.template?.spec && previous?.metadata.generation !== object.metadata.generation
      ? podWarnings(object.template, "template.")
      : [],
  "/ReplicationController": ofSpecTemplate,
  "/Service": serviceWarnings,
  "/PersistentVolume": volumeWarnings,
  "/PersistentVolumeClaim": (claim) => [
    ...annotated(claim, OLD_CLASS, CLASS_TEXT),
    ...claimWarnings(claim.spec, "spec"),
  ],
  "apps/DaemonSet": ofSpecTemplate,
  "apps/Deployment": ofSpecTemplate,
  "apps/ReplicaSet": ofSpecTemplate,
  "apps/StatefulSet": both(ofSpecTemplate, statefulSetWarnings),
  "batch/CronJob": both(
    ofName("Pod names and hostnames"),
    ofTemplate("spec.jobTemplate.spec.template.", (spec) => spec.jobTemplate?.spec?.template),
  ),
  "batch/Job": both(ofName("Pod names and hostnames"), ofSpecTemplate),
  "networking.k8s.io/Ingress": ({ metadata }, previous) =>
    !previous && INGRESS_CLASS in (metadata.annotations ?? {})
      ? [`annotation "${INGRESS_CLASS}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  "node.k8s.io/RuntimeClass": ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => {
      const text = deprecatedLabel(label);
      return text ? [`scheduling.nodeSelector: ${text}`] : [];
    }),
};

/** A kind's rules with the warnings about its objects; the rules themselves where there are none, or they have their own. */
export function withWarnings<T>({ group, kind }: Pick<KindRef, "group" | "kind">, rules: KindRules<T>): KindRules<T> {
  const warnings = WARNINGS[`${group}/${kind}`];
  return warnings && !rules.warnings ? { ...rules, warnings } : rules;
}
