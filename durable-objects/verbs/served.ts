import type { KindInfo, KindRef, KindRules, SubresourceInfo } from "../../api/kind.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import { findKind, rulesOf, storageKind } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/object.ts";
import { convert } from "../../api/schema/convert.ts";
import { ApiError, type GroupResource, resourceName } from "../../api/status.ts";
import type { Target } from "../protocol.ts";
import { objectText } from "./object-text.ts";

/** A served resource with all that verbs need to know of it. */
export interface Served {
  readonly info: KindInfo;
  /** The version that it is stored in, and that `rules` are written for. */
  readonly storage: KindInfo;
  readonly rules: KindRules<any>;
  /** As the store names it: `pods`, `deployments.apps`. */
  readonly resource: string;
  readonly groupResource: GroupResource;
  readonly apiVersion: string;
  readonly hasStatus: boolean;
  /** It is served in the version that it is stored in: `present` changes nothing. */
  readonly isAsStored: boolean;
  /** The stored text in the version that is served; mostly the same. */
  present(json: string): string;
}

const isAsStored = (info: KindInfo, storage: KindInfo): boolean =>
  storage.group === info.group && storage.version === info.version;

/** A resource that is stored in another version than it is asked for in. */
function presenter(info: KindInfo, storage: KindInfo): Served["present"] {
  if (isAsStored(info, storage)) return (json) => json;
  return (json) => {
    const object = convert(JSON.parse(json) as KubeObject, info);
    const { resourceVersion } = object.metadata;
    return objectText(object, resourceVersion === undefined ? undefined : Number(resourceVersion));
  };
}

const known = new Map<string, Served>();

/** What the API says of a path that nothing is served at. */
export const pathNotFound = (): ApiError =>
  new ApiError("NotFound", "the server could not find the requested resource", {});

/** @throws ApiError NotFound where no such resource is served. */
export function servedOf({ group, version, resource }: Pick<KindRef, "group" | "version" | "resource">): Served {
  const key = `${group}/${version}/${resource}`;
  let served = known.get(key);
  if (!served) {
    const info = findKind(group, version, resource);
    if (!info) throw pathNotFound();
    const storage = storageKind(group, resource) ?? info;
    served = {
      info,
      storage,
      rules: rulesOf(storage),
      resource: resourceName(storage),
      groupResource: { group, resource },
      apiVersion: apiVersionOf(info),
      hasStatus: info.subresources.some(({ name }) => name === "status"),
      isAsStored: isAsStored(info, storage),
      present: presenter(info, storage),
    };
    known.set(key, served);
  }
  return served;
}

/** @throws ApiError NotFound where the resource has no such subresource. */
export function subresourceOf(served: Served, { subresource }: Target): SubresourceInfo {
  const found = served.info.subresources.find(({ name }) => name === subresource);
  if (!found) throw pathNotFound();
  return found;
}
