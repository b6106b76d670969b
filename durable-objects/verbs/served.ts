import type { CustomKind } from "../../api/custom/custom-kind.ts";
import type { FieldError } from "../../api/field-error.ts";
import type { KindInfo, KindRef, KindRules, SubresourceInfo } from "../../api/kind.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import { allKinds, findKind, rulesOf, storageKind } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/object.ts";
import { applyPatch } from "../../api/patch/apply-patch.ts";
import { convert } from "../../api/schema/convert.ts";
import { type Decoded, decodeText, decodeValue, type FieldValidation } from "../../api/schema/decode.ts";
import { applyDefaults } from "../../api/schema/defaults.ts";
import { type Shape, shapeOfBuiltIn } from "../../api/schema/shape.ts";
import { ApiError, type GroupResource, notFound, resourceName } from "../../api/status.ts";
import type { PatchType, Target } from "../protocol.ts";
import type { Stored } from "../store/stored.ts";
import type { Answers } from "./answers.ts";
import { objectText } from "./object-text.ts";

/**
 * A served resource with all that verbs need to know of it, built-in or custom. Three versions of a kind matter: the one that is asked for
 * (`info`), the one that objects are stored in, and the one in which a write is carried out (defaults, admission, validation): that of
 * `working`, which is what is stored of a built-in kind, whose rules are written for it, and what is asked for of a custom one.
 */
export interface Served {
  readonly info: KindInfo;
  /** The version that it is stored in from now on. */
  readonly storage: KindInfo;
  readonly working: KindInfo;
  /** Of objects in the working version. */
  readonly rules: KindRules<any>;
  readonly isBuiltIn: boolean;
  /** Undefined of a built-in kind. */
  readonly custom: CustomKind | undefined;
  /** As the store names it: `pods`, `deployments.apps`. */
  readonly resource: string;
  readonly groupResource: GroupResource;
  readonly apiVersion: string;
  /** The kind of a list of it. */
  readonly listKind: string;
  readonly hasStatus: boolean;
  /** What is stored is what is sent: `present` changes nothing. */
  readonly isAsStored: boolean;
  /** The stored text in the version that is served; mostly the same. */
  present(json: string): string;

  /** A request's text as an object of `info`: parsed, checked against the schema, without defaults. @throws ApiError */
  decodeText(text: string, fieldValidation: FieldValidation | undefined): Decoded;
  /** A value, which is used up, as an object of `info`. For what the server makes itself. */
  decodeValue(value: unknown): KubeObject;
  /** Sets the defaults of a decoded object of `info`, which is used up, and converts it to the working version. */
  complete(object: KubeObject): KubeObject;
  /** A stored object in the working version; not to be changed. */
  current(stored: Stored, answers: Answers): Readonly<KubeObject>;
  /** An object of the working version as it is to be stored; the given one is used up. */
  toStored(object: KubeObject, answers: Answers): KubeObject;
  /** What a patch (of `info`) makes of an object of the working version: decoded, without defaults, in `info`. @throws ApiError */
  patch(
    type: PatchType,
    current: Readonly<KubeObject>,
    text: string,
    fieldValidation: FieldValidation | undefined,
  ): Decoded;
  /** A copy of an object of the working version in `info`'s. */
  asInfo(object: Readonly<KubeObject>): KubeObject;

  /** Beyond metadata; texts for `Warning` headers are added to `warnings`. */
  /** `previous`: of what is written by a subresource. */
  validate(object: KubeObject, warnings: string[], previous?: Readonly<KubeObject>): FieldError[];
  validateUpdate(next: KubeObject, previous: Readonly<KubeObject>, warnings: string[]): FieldError[];
  validateStatusUpdate(next: KubeObject, previous: Readonly<KubeObject>, warnings: string[]): FieldError[];

  /** Of custom kinds: an object in another of their versions; `about` tells the conversions of one write apart. The given one is left alone. */
  inVersion?(object: KubeObject, to: KindInfo, answers: Answers, about: string): KubeObject;

  /** Of `info`, for managed fields and apply. */
  readonly shape: Shape;
}

const isSameVersion = (a: KindInfo, b: KindInfo): boolean => a.group === b.group && a.version === b.version;

/** A built-in resource in one of its versions. */
class BuiltIn implements Served {
  readonly info: KindInfo;
  readonly storage: KindInfo;
  readonly working: KindInfo;
  readonly rules: KindRules<any>;
  readonly isBuiltIn = true;
  readonly custom = undefined;
  readonly resource: string;
  readonly groupResource: GroupResource;
  readonly apiVersion: string;
  readonly listKind: string;
  readonly hasStatus: boolean;
  readonly isAsStored: boolean;

  constructor(info: KindInfo) {
    const { group, resource } = info;
    this.info = info;
    this.storage = storageKind(group, resource) ?? info;
    this.working = this.storage;
    this.rules = rulesOf(this.storage);
    this.resource = resourceName(this.storage);
    this.groupResource = { group, resource };
    this.apiVersion = apiVersionOf(info);
    this.listKind = `${info.kind}List`;
    this.hasStatus = info.subresources.some(({ name }) => name === "status");
    this.isAsStored = isSameVersion(info, this.storage);
  }

  get shape(): Shape {
    return shapeOfBuiltIn(this.info);
  }

  present(json: string): string {
    if (this.isAsStored) return json;
    const object = convert(JSON.parse(json) as KubeObject, this.info);
    const { resourceVersion } = object.metadata;
    return objectText(object, resourceVersion === undefined ? undefined : Number(resourceVersion));
  }

  decodeText(text: string, fieldValidation: FieldValidation | undefined): Decoded {
    return decodeText(this.info, text, fieldValidation);
  }

  decodeValue(value: unknown): KubeObject {
    return decodeValue(this.info, value).object;
  }

  complete(object: KubeObject): KubeObject {
    object.metadata ??= { name: "" };
    applyDefaults(this.info, object);
    const stored = convert(object, this.storage);
    this.rules.setDefaults?.(stored);
    return stored;
  }

  current({ object }: Stored): Readonly<KubeObject> {
    return object;
  }

  toStored(object: KubeObject): KubeObject {
    return object;
  }

  patch(
    type: PatchType,
    current: Readonly<KubeObject>,
    text: string,
    fieldValidation: FieldValidation | undefined,
  ): Decoded {
    const shown = this.isAsStored ? current : this.asInfo(current);
    return applyPatch(type as Exclude<PatchType, "apply">, this.info, shown as KubeObject, text, fieldValidation);
  }

  asInfo(object: Readonly<KubeObject>): KubeObject {
    return convert(structuredClone(object) as KubeObject, this.info);
  }

  validate(object: KubeObject, warnings: string[], previous?: Readonly<KubeObject>): FieldError[] {
    const errors = this.rules.validate?.(object, this.info, previous) ?? [];
    // What is refused is not warned about: warnings may count on what validation has seen.
    if (errors.length === 0 && this.rules.warnings) warnings.push(...this.rules.warnings(object));
    return errors;
  }

  validateUpdate(next: KubeObject, previous: Readonly<KubeObject>, warnings: string[]): FieldError[] {
    const { rules, info } = this;
    const errors = [
      ...(rules.validate?.(next, info, previous) ?? []),
      ...(rules.validateUpdate?.(next, previous) ?? []),
    ];
    if (errors.length === 0 && rules.warnings) warnings.push(...rules.warnings(next, previous));
    return errors;
  }

  validateStatusUpdate(next: KubeObject, previous: Readonly<KubeObject>): FieldError[] {
    return this.rules.validateStatusUpdate?.(next, previous) ?? [];
  }
}

const known = new Map<string, Served>();

/** What the API says of a path that nothing is served at. */
export const pathNotFound = (): ApiError =>
  new ApiError("NotFound", "the server could not find the requested resource", {});

type ResourceRef = Pick<KindRef, "group" | "version" | "resource">;

/** A built-in resource. @throws ApiError NotFound where no such resource is built in. */
export function servedOf(ref: ResourceRef): Served {
  const served = builtInAt(ref);
  if (!served) throw pathNotFound();
  return served;
}

/** One of the resources of every cluster, or undefined. */
export function builtInAt({ group, version, resource }: ResourceRef): Served | undefined {
  const key = `${group}/${version}/${resource}`;
  const served = known.get(key);
  if (served) return served;
  const info = findKind(group, version, resource);
  if (!info) return undefined;
  const made = new BuiltIn(info);
  known.set(key, made);
  return made;
}

let builtInResources: ReadonlySet<string> | undefined;

/** Whether a resource, by the store's name, is one of those of every cluster. */
export function isBuiltInResource(resource: string): boolean {
  builtInResources ??= new Set(allKinds().map((kind) => resourceName(kind)));
  return builtInResources.has(resource);
}

/** Where the cluster's own kinds are found: a `Catalog`. */
export interface CustomResources {
  served(group: string, version: string, resource: string): Served | undefined;
}

/** A built-in resource, or one of the cluster's own. @throws ApiError NotFound where no such resource is served. */
export function servedIn(catalog: CustomResources, ref: ResourceRef): Served {
  const served = builtInAt(ref) ?? catalog.served(ref.group, ref.version, ref.resource);
  if (!served) throw pathNotFound();
  return served;
}

/** @throws ApiError NotFound where the resource has no such subresource. */
export function subresourceOf(served: Served, { subresource, name }: Target): SubresourceInfo {
  const found = served.info.subresources.find((each) => each.name === subresource);
  if (!found) throw served.isBuiltIn ? pathNotFound() : notFound(served.groupResource, name);
  return found;
}
