import type { KubeObject } from "../../api/object.ts";

type Fields = Record<string, any>;

/** Names of the ConfigMaps, Secrets, ServiceAccounts or PersistentVolumeClaims (`resource`) that a pod refers to. */
export function referenced(pod: Readonly<KubeObject>, resource: string): Set<string> {
  const spec: Fields = pod["spec"] ?? {};
  switch (resource) {
    case "configmaps":
      return new Set([...volumeNames(spec, "configMap", "name"), ...envNames(spec, "configMap")]);
    case "secrets":
      return new Set([
        ...volumeNames(spec, "secret", "secretName", "name"),
        ...envNames(spec, "secret"),
        ...(spec["imagePullSecrets"] ?? []).map(({ name }: Fields) => name),
      ]);
    case "serviceaccounts":
      return new Set([spec["serviceAccountName"]].filter(Boolean));
    case "persistentvolumeclaims":
      return new Set(
        (spec["volumes"] ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }: Fields) => {
          if (ephemeral) return [`${pod.metadata.name}-${name}`];
          return persistentVolumeClaim ? [persistentVolumeClaim.claimName] : [];
        }),
      );
    default:
      return new Set();
  }
}

function volumeNames(spec: Fields, source: string, field: string, projectedField = field): string[] {
  return (spec["volumes"] ?? []).flatMap((volume: Fields) => [
    ...(volume[source] ? [volume[source][field]] : []),
    ...(volume["projected"]?.sources ?? []).flatMap((each: Fields) =>
      each[source] ? [each[source][projectedField]] : [],
    ),
    // CSI and the like keep what they authenticate with in a Secret.
    ...(source === "secret" ? driverSecrets(volume) : []),
  ]);
}

const driverSecrets = (volume: Fields): string[] =>
  Object.values(volume).flatMap((driver: Fields) => {
    const name = driver?.["nodePublishSecretRef"]?.name ?? driver?.["secretRef"]?.name;
    return name ? [name] : [];
  });

function envNames(spec: Fields, source: "configMap" | "secret"): string[] {
  const containers = [
    ...(spec["initContainers"] ?? []),
    ...(spec["containers"] ?? []),
    ...(spec["ephemeralContainers"] ?? []),
  ];
  return containers.flatMap(({ env = [], envFrom = [] }: Fields) => [
    ...env.flatMap(({ valueFrom }: Fields) => valueFrom?.[`${source}KeyRef`]?.name ?? []),
    ...envFrom.flatMap((from: Fields) => from[`${source}Ref`]?.name ?? []),
  ]);
}
