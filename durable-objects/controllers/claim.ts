import type { KindRef } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Matcher } from "../../api/selector.ts";
import type { View, Write } from "./controller.ts";
import { controllerOf } from "./controller.ts";
import { controllerReference } from "./pod-from-template.ts";

/**
 * What an owner controls: objects with its reference that match its selector, and those nobody controls that match (it
 * adopts them). What has its reference and matches no longer is released. An owner that is being deleted adopts nothing.
 */
export function claim<T extends KubeObject>(
  view: View,
  kind: KindRef<T>,
  owner: Readonly<KubeObject>,
  ownerKind: KindRef,
  selector: Matcher,
  isClaimable: (object: Readonly<T>) => boolean = () => true,
): { claimed: Readonly<T>[]; writes: Write[] } {
  const claimed: Readonly<T>[] = [];
  const writes: Write[] = [];
  const isLeaving = Boolean(owner.metadata.deletionTimestamp);
  for (const object of view.list(kind, { ownedBy: owner })) {
    if (!isClaimable(object)) continue;
    if (selector.matches(object.metadata.labels)) claimed.push(object);
    else if (!isLeaving) {
      const ownerReferences = object.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid);
      writes.push({ op: "update", kind, object: { ...object, metadata: { ...object.metadata, ownerReferences } } });
    }
  }
  if (isLeaving) return { claimed, writes };
  for (const object of view.list(kind)) {
    if (controllerOf(object) || object.metadata.deletionTimestamp) continue;
    if (!selector.matches(object.metadata.labels) || !isClaimable(object)) continue;
    const ownerReferences = [
      ...(object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid),
      controllerReference(owner, ownerKind),
    ];
    writes.push({ op: "update", kind, object: { ...object, metadata: { ...object.metadata, ownerReferences } } });
    claimed.push(object);
  }
  return { claimed, writes };
}
