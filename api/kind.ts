import type { FieldError } from "./field-error.ts";
import type { KubeObject, User } from "./object.ts";

/** A kind as code names it: `api/kinds/*.ts` exports one for each built-in that code speaks of (`Pod`, `Service`). */
export interface KindRef<T = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural, lower case. */
  readonly resource: string;
  readonly namespaced: boolean;
  /** Carries the object's type alone; never set. */
  readonly type?: T;
}

/** One served group, version and resource; the table of all is `api/kinds.ts`. */
export interface KindInfo extends KindRef {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceInfo[];
}

export interface SubresourceInfo {
  /** `status`, `scale`, `log`, … */
  readonly name: string;
  /** What travels, where it is not the parent's kind: `autoscaling/v1 Scale`. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** metav1.TableColumnDefinition, and how a cell is had. */
export interface Column<T> {
  name: string;
  /** `name` for the first column, else mostly empty. */
  format?: string;
  type?: "string" | "integer" | "number" | "boolean";
  description?: string;
  /** 0 is always shown, 1 in `-o wide` only. */
  priority?: 0 | 1;
  /** `now`: milliseconds since 1970, for ages. */
  value(object: T, now: number): string | number | boolean | null;
}

/** How a subresource that is a part of the object is written: what it takes of the given object, and what it refuses. */
export interface PartialUpdate<T = KubeObject> {
  /** Takes into `next` what this way may not change; changes it in place. `now`: RFC 3339, to the second. */
  keep(next: T, previous: T, now: string): void;
  /** `validate(next)` of the kind runs as well. */
  validate(next: T, previous: T): FieldError[];
}

/** What a schema cannot say of one kind. Everything is optional: a kind without a file is served by its schema alone. */
export interface KindRules<T = KubeObject> {
  /** Beyond the Name column, which may be named to have it elsewhere; Age is added last unless the kind names it itself. */
  columns?: Column<T>[];
  /** Upstream prints no Age for this kind. */
  withoutAge?: boolean;
  /** Table rows of objects that have run to their end carry this as their `Completed` condition. */
  completed?(object: T): { reason: string; message: string } | undefined;
  /** Defaults that depend on other fields; changes the object in place. The schema's own defaults are set before. */
  setDefaults?(object: T): void;
  /** Upstream's strategy PrepareForCreate: drops what clients may not set (status); changes the object in place. `user`: whose request it is. */
  prepareForCreate?(object: T, user?: User): void;
  /** Upstream's strategy PrepareForUpdate for the main resource; changes `next` in place. */
  prepareForUpdate?(next: T, previous: T): void;
  /**
   * `asked`: the version that the request is made in; the object is in the storage version. `previous`: what an update is
   * an update of.
   */
  validate?(object: T, asked?: Pick<KindRef, "group" | "version">, previous?: Readonly<T>): FieldError[];
  /** What an update may not change; `validate(next)` has run before. */
  validateUpdate?(next: T, previous: T): FieldError[];
  validateStatusUpdate?(next: T, previous: T): FieldError[];
  /** By subresource: `ephemeralcontainers`, `resize`, `approval`. */
  partialUpdates?: Readonly<Record<string, PartialUpdate<T>>>;
  /** Texts for `Warning` headers (upstream's WarningsOnCreate and WarningsOnUpdate); `previous` at an update of the main resource. */
  warnings?(object: T, previous?: T): string[];
  /** Names are RFC 1123 subdomains unless the kind is stricter (`label` for services' kin) or laxer (`path` for RBAC). */
  nameRule?: "subdomain" | "label" | "label1035" | "path";
  /** Seconds that a graceful delete takes; absent: deleted at once. `requested` is DeleteOptions.gracePeriodSeconds. */
  deletionGraceSeconds?(object: T, requested: number | undefined): number;
  /** Field selectors may not name metadata.namespace: upstream tells this kind's fields one by one. */
  withoutNamespaceField?: true;
  /** What upstream says of a field that selectors may not name, where it has words of its own. */
  unknownField?(field: string): string;
  /** Fields beyond metadata.name and metadata.namespace that field selectors may name, and the object's values of them. */
  selectableFields?(object: T): Record<string, string>;
  /** Dotted paths that make the scale subresource, as in a CRD (`spec.replicas`). `selector` is the path to a LabelSelector or a map. */
  scale?: { specReplicas: string; statusReplicas: string; selector: string };
  /** The spec's fields are compared for `metadata.generation` unless the kind has no generation upstream. */
  hasGeneration?: boolean;
}

export interface Kind<T = KubeObject> extends KindRef<T> {
  readonly rules: KindRules<T>;
}
