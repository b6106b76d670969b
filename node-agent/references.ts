import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type { KubeObject } from "../api/object.ts";

export type ReferencedResource = "configmaps" | "secrets";

/** A ConfigMap or Secret of the pod's namespace that something in the pod names. */
export interface Reference {
  resource: ReferencedResource;
  name: string;
}

/** What the referenced objects are: undefined where there is none of this name. */
export type ReferencedObjects = (resource: ReferencedResource, name: string) => KubeObject | undefined;

/** Everything that containers' environments refer to. */
export function environmentReferences(spec: IPodSpec): Reference[] {
  const found: Reference[] = [];
  const add = (resource: ReferencedResource, name: string | undefined) => {
    if (name) found.push({ resource, name });
  };
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    for (const source of container.envFrom ?? []) {
      add("configmaps", source.configMapRef?.name);
      add("secrets", source.secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      add("configmaps", valueFrom?.configMapKeyRef?.name);
      add("secrets", valueFrom?.secretKeyRef?.name);
    }
  }
  return unique(found);
}

/** Everything that the pod's volumes are filled from. */
export function volumeReferences(spec: IPodSpec): Reference[] {
  const found: Reference[] = [];
  const add = (resource: ReferencedResource, name: string | undefined) => {
    if (name) found.push({ resource, name });
  };
  for (const volume of spec.volumes ?? []) {
    add("configmaps", volume.configMap?.name);
    add("secrets", volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) {
      add("configmaps", source.configMap?.name);
      add("secrets", source.secret?.name);
    }
  }
  return unique(found);
}

const unique = (references: Reference[]): Reference[] => [
  ...new Map(references.map((reference) => [`${reference.resource}/${reference.name}`, reference])).values(),
];
