import type { KindInfo, KindRef, KindRules, SubresourceInfo } from "./kind.ts";
import { withWarnings } from "./kinds/object-warnings.ts";
import { KIND_RULES } from "./kinds/rules.ts";
import { resourceLines } from "./schema/facts.ts";

/** Short names and categories, which the published spec does not tell: those of upstream's registry. */
const NAMES: Record<string, { short?: string; categories?: string } | undefined> = {
  configmaps: { short: "cm" },
  endpoints: { short: "ep" },
  events: { short: "ev" },
  limitranges: { short: "limits" },
  namespaces: { short: "ns" },
  nodes: { short: "no" },
  persistentvolumeclaims: { short: "pvc" },
  persistentvolumes: { short: "pv" },
  pods: { short: "po", categories: "all" },
  replicationcontrollers: { short: "rc", categories: "all" },
  resourcequotas: { short: "quota" },
  serviceaccounts: { short: "sa" },
  services: { short: "svc", categories: "all" },
  "mutatingadmissionpolicies.admissionregistration.k8s.io": { categories: "api-extensions" },
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io": { categories: "api-extensions" },
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": { categories: "api-extensions" },
  "validatingadmissionpolicies.admissionregistration.k8s.io": { categories: "api-extensions" },
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": { categories: "api-extensions" },
  "validatingwebhookconfigurations.admissionregistration.k8s.io": { categories: "api-extensions" },
  "customresourcedefinitions.apiextensions.k8s.io": { short: "crd,crds", categories: "api-extensions" },
  "apiservices.apiregistration.k8s.io": { categories: "api-extensions" },
  "daemonsets.apps": { short: "ds", categories: "all" },
  "deployments.apps": { short: "deploy", categories: "all" },
  "replicasets.apps": { short: "rs", categories: "all" },
  "statefulsets.apps": { short: "sts", categories: "all" },
  "horizontalpodautoscalers.autoscaling": { short: "hpa", categories: "all" },
  "cronjobs.batch": { short: "cj", categories: "all" },
  "jobs.batch": { categories: "all" },
  "certificatesigningrequests.certificates.k8s.io": { short: "csr" },
  "podcertificaterequests.certificates.k8s.io": { short: "pcr" },
  "events.events.k8s.io": { short: "ev" },
  "ingresses.networking.k8s.io": { short: "ing" },
  "ipaddresses.networking.k8s.io": { short: "ip" },
  "networkpolicies.networking.k8s.io": { short: "netpol" },
  "poddisruptionbudgets.policy": { short: "pdb" },
  "priorityclasses.scheduling.k8s.io": { short: "pc" },
  "storageclasses.storage.k8s.io": { short: "sc" },
  "volumeattributesclasses.storage.k8s.io": { short: "vac" },
};

/** The groups in the order of kube-aggregator's priorities, as `/apis` lists them. */
const GROUP_ORDER = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "internal.apiserver.k8s.io",
  "resource.k8s.io",
  "storagemigration.k8s.io",
];

/** One API group and its served versions, best first; the first is preferred. */
export interface GroupInfo {
  readonly name: string;
  readonly versions: readonly string[];
}

const STABILITY = ["alpha", "beta", undefined];

/** v2 before v1 before v1beta2 before v1beta1 before v1alpha1 before other names, by the alphabet (k8s.io/apimachinery/pkg/version). */
export function compareVersions(a: string, b: string): number {
  const rank = (version: string): [number, number, number] => {
    const [, major, stability, minor] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
    return [STABILITY.indexOf(stability as "alpha" | "beta" | undefined), Number(major), Number(minor ?? 0)];
  };
  const [left, right] = [rank(a), rank(b)];
  const isOther = (version: [number, number, number]) => Number.isNaN(version[1]);
  if (isOther(left) || isOther(right)) {
    if (isOther(left) !== isOther(right)) return isOther(left) ? 1 : -1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2];
}

const gvKey = (group: string, version: string): string => `${group}/${version}`;

function readGroups(): GroupInfo[] {
  const versions = new Map<string, string[]>();
  for (const key of Object.keys(resourceLines)) {
    const slash = key.lastIndexOf("/");
    const group = key.slice(0, slash);
    versions.set(group, [...(versions.get(group) ?? []), key.slice(slash + 1)]);
  }
  const place = (group: string) => (GROUP_ORDER.indexOf(group) + 1 || GROUP_ORDER.length + 1) - 1;
  return [...versions]
    .sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1))
    .map(([name, list]) => ({ name, versions: list.sort(compareVersions) }));
}

/** The served groups, the core group (`""`) first; each with its versions, the preferred one first. */
export const groups: readonly GroupInfo[] = readGroups();

function readKind(group: string, version: string, line: string): KindInfo {
  const [resource = "", kind = "", namespaced, verbs = "", ...subresources] = line.split(" ");
  const names = NAMES[group ? `${resource}.${group}` : resource];
  return {
    group,
    version,
    kind,
    resource,
    namespaced: namespaced === "1",
    singular: kind.toLowerCase(),
    shortNames: names?.short?.split(",") ?? [],
    categories: names?.categories ? [names.categories] : [],
    verbs: verbs.split(","),
    subresources: subresources.map((text) => readSubresource(text, { group, version, kind })),
  };
}

function readSubresource(text: string, parent: Pick<KindRef, "group" | "version" | "kind">): SubresourceInfo {
  const [name = "", verbs = "", gvk] = text.split(":");
  const [group, version, kind] = gvk
    ? (gvk.split("/") as [string, string, string])
    : [parent.group, parent.version, parent.kind];
  return { name, group, version, kind, verbs: verbs.split(",") };
}

/** By `group/version`, in the order of the resources' names. */
const byVersion = new Map<string, ReadonlyMap<string, KindInfo>>();

function kindsByResource(group: string, version: string): ReadonlyMap<string, KindInfo> | undefined {
  const key = gvKey(group, version);
  let kinds = byVersion.get(key);
  if (!kinds) {
    const lines = resourceLines[key];
    if (!lines) return undefined;
    kinds = new Map(lines.map((line) => readKind(group, version, line)).map((info) => [info.resource, info]));
    byVersion.set(key, kinds);
  }
  return kinds;
}

/** The kind served at a resource's address. */
export const findKind = (group: string, version: string, resource: string): KindInfo | undefined =>
  kindsByResource(group, version)?.get(resource);

/** The kinds served in one version of a group, ordered by resource; empty where it is not served. */
export const kindsOf = (group: string, version: string): readonly KindInfo[] => [
  ...(kindsByResource(group, version)?.values() ?? []),
];

/** By the names an object carries. */
export function kindByGvk(group: string, version: string, kind: string): KindInfo | undefined {
  for (const info of kindsByResource(group, version)?.values() ?? []) if (info.kind === kind) return info;
  return undefined;
}

/** Every served kind in every served version, in the order of `groups`. */
export const allKinds = (): readonly KindInfo[] =>
  groups.flatMap(({ name, versions }) => versions.flatMap((version) => kindsOf(name, version)));

const rules = new Map<string, KindRules<any>>(
  KIND_RULES.map((kind) => [`${kind.group}/${kind.kind}`, withWarnings(kind, kind.rules)] as const),
);
const NO_RULES: KindRules<any> = {};

/** What the kind's own file says; rules are written for the storage version. */
export const rulesOf = ({ group, kind }: Pick<KindRef, "group" | "kind">): KindRules<any> =>
  rules.get(`${group}/${kind}`) ?? NO_RULES;

/**
 * The kind in which objects of a resource are stored: the preferred version of its group; events of `events.k8s.io` are core
 * events. Undefined where the resource is not served.
 */
export function storageKind(group: string, resource: string): KindInfo | undefined {
  if (group === "events.k8s.io" && resource === "events") return findKind("", "v1", "events");
  for (const version of groups.find(({ name }) => name === group)?.versions ?? []) {
    const info = findKind(group, version, resource);
    if (info) return info;
  }
  return undefined;
}

/** The version of `storageKind`. */
export const storageVersion = (group: string, resource: string): string | undefined =>
  storageKind(group, resource)?.version;
