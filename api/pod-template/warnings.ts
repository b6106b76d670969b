import { quantityToMilli } from "../quantity.ts";

/**
 * What upstream accepts of a pod, and warns of (pkg/api/pod/warnings.go): what is no longer heeded, and what hardly means what it says.
 * `at`: how the paths begin, `""` for pods and `spec.template.` for what is made from a template.
 */

/** pkg/api/node: labels that have another name now. */
const DEPRECATED_LABELS: Record<string, string | undefined> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  "app.kubernetes.io/created-by": "deprecated since v1.9",
  "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
};

const DEPRECATED_ANNOTATIONS: Record<string, string> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};

const DEPRECATED_VOLUMES: Record<string, string> = {
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  gitRepo: "deprecated in v1.11, and disabled by default in v1.33+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  flocker: "deprecated in v1.22, non-functional in v1.25+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
  quobyte: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
};
/** As upstream's paths have them. */
const VOLUME_NAMES: Record<string, string | undefined> = { storageos: "storageOS" };

const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";

/** The text about a label of nodes, where it is an old one. */
export const deprecatedLabel = (label: string): string | undefined =>
  Object.hasOwn(DEPRECATED_LABELS, label) ? DEPRECATED_LABELS[label] : undefined;

interface Warned {
  metadata?: { annotations?: Record<string, string> } | undefined;
  spec: any;
}

/** A pod or the template of one. */
export function podWarnings({ metadata, spec }: Warned, at: string): string[] {
  const annotations = metadata?.annotations ?? {};
  return [
    ...placementWarnings(spec, at),
    ...Object.entries(DEPRECATED_ANNOTATIONS).flatMap(([key, text]) =>
      key in annotations ? [`${at}metadata.annotations[${key}]: ${text}`] : [],
    ),
    ...volumeWarnings(spec, at),
    ...duplicates(spec.hostAliases, "ip", (i, ip) => `${at}spec.hostAliases[${i}].ip: duplicate ip "${ip}"`),
    ...duplicates(
      spec.imagePullSecrets,
      "name",
      (i, name) => `${at}spec.imagePullSecrets[${i}].name: duplicate name "${name}"`,
    ),
    ...each(spec.imagePullSecrets).flatMap(({ name = "" }, i) =>
      name === "" ? [`${at}spec.imagePullSecrets[${i}].name: invalid empty name ""`] : [],
    ),
    ...fractions(spec.overhead, `${at}spec.overhead`),
    ...(SECCOMP_POD in annotations && !spec.securityContext?.seccompProfile
      ? [`${at}metadata.annotations[${SECCOMP_POD}]: non-functional in v1.27+; use the "seccompProfile" field instead`]
      : []),
    ...containersOf(spec, at).flatMap(({ container, path }) => containerWarnings(container, path, annotations, at)),
    ...portWarnings(spec, at),
    ...(spec.terminationGracePeriodSeconds < 0
      ? [`${at}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinityWarnings(spec, at),
  ];
}

const each = (list: any[] | undefined | null): any[] => list ?? [];

function duplicates(list: any[] | undefined, key: string, text: (i: number, value: string) => string): string[] {
  const seen = new Set<string>();
  return each(list).flatMap((item, i) => {
    const value: string = item[key] ?? "";
    if (seen.has(value)) return [text(i, value)];
    seen.add(value);
    return [];
  });
}

function placementWarnings(spec: any, at: string): string[] {
  const warnings: string[] = [];
  for (const label of Object.keys(spec.nodeSelector ?? {})) {
    const text = deprecatedLabel(label);
    if (text) warnings.push(`${at}spec.nodeSelector[${label}]: ${text}`);
  }
  const node = `${at}spec.affinity.nodeAffinity`;
  const affinity = spec.affinity?.nodeAffinity;
  const required = `${node}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  for (const [i, term] of each(affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).entries())
    warnings.push(...nodeTermWarnings(term, `${required}[${i}]`));
  const preferred = `${node}.preferredDuringSchedulingIgnoredDuringExecution`;
  for (const [i, term] of each(affinity?.preferredDuringSchedulingIgnoredDuringExecution).entries())
    warnings.push(...nodeTermWarnings(term.preference ?? {}, `${preferred}[${i}].preference`));
  for (const [i, constraint] of each(spec.topologySpreadConstraints).entries()) {
    const path = `${at}spec.topologySpreadConstraints[${i}]`;
    const text = deprecatedLabel(constraint.topologyKey);
    if (text) warnings.push(`${path}.topologyKey: ${constraint.topologyKey} is ${text}`);
    if (!constraint.labelSelector) warnings.push(`${path}.labelSelector: ${MATCHES_NONE}`);
  }
  return warnings;
}

const MATCHES_NONE = "a null labelSelector results in matching no pod";

/** A NodeSelectorTerm. */
export const nodeTermWarnings = (term: any, path: string): string[] =>
  each(term.matchExpressions).flatMap(({ key }, i) => {
    const text = deprecatedLabel(key);
    return text ? [`${path}.matchExpressions[${i}].key: ${key} is ${text}`] : [];
  });

function affinityWarnings(spec: any, at: string): string[] {
  const warnings: string[] = [];
  for (const name of ["podAffinity", "podAntiAffinity"]) {
    const affinity = spec.affinity?.[name];
    const path = `${at}spec.affinity.${name}`;
    for (const [i, term] of each(affinity?.requiredDuringSchedulingIgnoredDuringExecution).entries())
      if (!term.labelSelector)
        warnings.push(`${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector: ${MATCHES_NONE}`);
    for (const [i, term] of each(affinity?.preferredDuringSchedulingIgnoredDuringExecution).entries())
      if (!term.podAffinityTerm?.labelSelector)
        warnings.push(
          `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.labelSelector: ${MATCHES_NONE}`,
        );
  }
  return warnings;
}

const volumeWarnings = (spec: any, at: string): string[] =>
  each(spec.volumes).flatMap((volume, i) => [
    ...Object.entries(DEPRECATED_VOLUMES).flatMap(([name, text]) =>
      volume[name] ? [`${at}spec.volumes[${i}].${VOLUME_NAMES[name] ?? name}: ${text}`] : [],
    ),
    ...claimWarnings(
      volume.ephemeral?.volumeClaimTemplate?.spec,
      `${at}spec.volumes[${i}].ephemeral.volumeClaimTemplate.spec`,
    ),
  ]);

/** A PersistentVolumeClaimSpec. */
export const claimWarnings = (spec: any, path: string): string[] => [
  ...fractions(spec?.resources?.requests, `${path}.resources.requests`, ["storage"]),
  ...fractions(spec?.resources?.limits, `${path}.resources.limits`, ["storage"]),
];

const BYTES = ["memory", "ephemeral-storage"];

const fractions = (amounts: Record<string, string> | undefined, path: string, names = BYTES): string[] =>
  names.flatMap((name) => {
    const amount = amounts?.[name];
    if (amount === undefined || quantityToMilli(amount) % 1000 === 0) return [];
    return [`${path}[${name}]: fractional byte value "${amount}" is invalid, must be an integer`];
  });

/** Init containers first, as upstream visits them. */
function containersOf(spec: any, at: string): { container: any; path: string }[] {
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((list) =>
    each(spec[list]).map((container, i) => ({ container, path: `${at}spec.${list}[${i}]` })),
  );
}

function containerWarnings(container: any, path: string, annotations: Record<string, string>, at: string): string[] {
  const { name, securityContext, resources = {} } = container;
  const seccomp = SECCOMP_CONTAINER + name;
  const appArmor = APP_ARMOR + name;
  const limits = resources.limits ?? {};
  const requests = resources.requests ?? {};
  return [
    ...(seccomp in annotations && !securityContext?.seccompProfile
      ? [`${at}metadata.annotations[${seccomp}]: non-functional in v1.27+; use the "seccompProfile" field instead`]
      : []),
    ...(appArmor in annotations && !securityContext?.appArmorProfile
      ? [`${at}metadata.annotations[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`]
      : []),
    ...BYTES.flatMap((resource) => [
      ...fractions(limits, `${path}.resources.limits`, [resource]),
      ...fractions(requests, `${path}.resources.requests`, [resource]),
    ]),
    ...envWarnings(container.env, path),
  ];
}

/** A variable may build on the one of that name before it; where it does not, that one is lost. */
function envWarnings(env: any[] | undefined, path: string): string[] {
  const seen = new Set<string>();
  return each(env).flatMap(({ name, value = "", valueFrom }, i) => {
    const isFirst = !seen.has(name);
    seen.add(name);
    const before = `$(${name})`;
    if (isFirst || (!valueFrom && value !== before && value.includes(before))) return [];
    return [`${path}.env[${i}]: hides previous definition of "${name}", which may be dropped when using apply`];
  });
}

interface Port {
  path: string;
  hostIP: string;
  hostPort: number;
}

function portWarnings(spec: any, at: string): string[] {
  const warnings: string[] = [];
  const byPort = new Map<string, Port[]>();
  const byName = new Map<string, string>();
  const names: string[] = [];
  for (const { container, path } of containersOf(spec, at)) {
    for (const [i, { containerPort, protocol, hostIP = "", hostPort = 0, name }] of each(container.ports).entries()) {
      const port = { path: `${path}.ports[${i}]`, hostIP, hostPort };
      const key = `${containerPort}/${protocol}`;
      const others = byPort.get(key) ?? [];
      for (const other of others) warnings.push(...clash(port, other));
      byPort.set(key, [...others, port]);
      const first = name && byName.get(name);
      if (first) {
        names.push(
          `${port.path}: duplicate port name "${name}" with ${first}, services and probes that select ports by name will use ${first}`,
        );
      } else if (name) byName.set(name, port.path);
    }
  }
  return [...warnings, ...names];
}

function clash(port: Port, other: Port): string[] {
  if (port.hostIP === other.hostIP && port.hostPort === other.hostPort)
    return [`${port.path}: duplicate port definition with ${other.path}`];
  if (port.hostPort === 0 || other.hostPort === 0)
    return [`${port.path}: overlapping port definition with ${other.path}`];
  if (port.hostPort === other.hostPort && (port.hostIP === "") !== (other.hostIP === ""))
    return [`${port.path}: dangerously ambiguous port definition with ${other.path}`];
  return [];
}
