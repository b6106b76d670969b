import type { KindRef } from "../../api/kind.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import type { PodObject } from "../../api/kinds/pod.ts";
import { generatedName } from "../../api/names.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "../../api/object.ts";

/** The reference that makes `owner` the controller of what carries it. */
export const controllerReference = (
  owner: Readonly<KubeObject>,
  { group, version, kind }: KindRef,
): OwnerReference => ({
  apiVersion: apiVersionOf({ group, version }),
  kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: true,
});

interface PodTemplate {
  metadata?: Partial<Omit<ObjectMeta, "creationTimestamp">>;
  spec?: unknown;
}

/** A new pod as its template says, controlled by `owner`. Shares the template's (frozen) parts. */
export function podFromTemplate(
  template: PodTemplate,
  owner: Readonly<KubeObject>,
  kind: KindRef,
  suffix: string,
): PodObject {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const generateName = `${owner.metadata.name}-`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: generatedName(generateName, suffix),
      generateName,
      ...(owner.metadata.namespace && { namespace: owner.metadata.namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerReference(owner, kind)],
    },
    spec: template.spec as PodObject["spec"],
  };
}
