import type { CustomKind } from "../../api/custom/custom-kind.ts";
import type { KindInfo } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Target } from "../protocol.ts";
import type { CustomResources, Served } from "../verbs/served.ts";

/**
 * What the cluster's own objects add to the API of each of its homes, as of one moment. Synchronous: what a request needs of it has been
 * fetched before its transaction begins.
 */
export interface Catalog extends CustomResources {
  /** Another one for every other content; 0: nothing is known yet. */
  readonly revision: number;
  /** One version of a custom resource; undefined where none of that name is served (or what it takes was not fetched). */
  custom(group: string, version: string, resource: string): CustomKind | undefined;
  /** As `custom`, with all that verbs need to know of it; the same value as long as its definition is the same. */
  served(group: string, version: string, resource: string): Served | undefined;
  /** All custom kinds that are served, in all served versions. */
  kinds(): readonly KindInfo[];
  /**
   * All objects of a resource that every home has to know: `(mutating|validating)webhookconfigurations.admissionregistration.k8s.io`,
   * `(mutating|validating)admissionpolicies.…` and their `…policybindings.…`, by name. Frozen; the same array as long as `revision` is.
   */
  objects(resource: string): readonly Readonly<KubeObject>[];
}

/** Where a home has its catalog from. */
export interface CatalogSource {
  /** As it was known last. */
  readonly catalog: Catalog;
  /** Makes sure that the catalog is as it is now; mostly there is nothing to wait for. @throws ApiError */
  fresh(): Promise<void> | undefined;
  /** As `fresh`, and that all is here that serving a custom resource takes, if it is one. @throws ApiError */
  learn(target: Pick<Target, "group" | "version" | "resource">): Promise<void> | undefined;
}

const NONE: readonly never[] = [];

/** Of a home that knows of nothing but the built-in kinds. */
export const EMPTY_CATALOG: Catalog = {
  revision: 0,
  custom: () => undefined,
  served: () => undefined,
  kinds: () => NONE,
  objects: () => NONE,
};

export const NO_CUSTOM_RESOURCES: CatalogSource = {
  catalog: EMPTY_CATALOG,
  fresh: () => undefined,
  learn: () => undefined,
};
