import type { ILimitRangeSpec } from "kubernetes-models/v1/LimitRangeSpec";
import { checkQualifiedName } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { roundToMilli } from "../pod-template/defaults.ts";
import { checkContainerResourceName, checkResourceName, type ResourceList } from "../pod-template/resources.ts";
import { canonicalizeQuantity, parseQuantity } from "../quantity.ts";
import { defineKind } from "./define-kind.ts";

export interface LimitRangeObject extends KubeObject {
  spec: ILimitRangeSpec;
}
type Item = ILimitRangeSpec["limits"][number];
type Field = "max" | "min" | "default" | "defaultRequest" | "maxLimitRequestRatio";

const FIELDS: readonly Field[] = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];
const TYPES = ["Pod", "Container", "PersistentVolumeClaim"];

/** What one pod, container or claim of a namespace may ask for. */
export const LimitRange = defineKind<LimitRangeObject>("v1", "LimitRange", {
  resource: "limitranges",
  setDefaults(range) {
    range.spec ??= { limits: [] };
    const { spec } = range;
    // Upstream writes what is not there.
    if (!spec.limits?.length) spec.limits = null as never;
    for (const item of spec?.limits ?? []) {
      for (const field of FIELDS) roundToMilli(item[field]);
      if (item.type !== "Container") continue;
      item.default = { ...item.max, ...item.default };
      item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
    }
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const seen = new Set<string>();
    spec?.limits?.forEach((item, i) => {
      const at = SPEC.child("limits").index(i);
      const before = errors.length;
      checkQualifiedName(item.type, at.child("type"), errors);
      if (errors.length === before && !item.type.includes("/") && !TYPES.includes(item.type)) {
        errors.push(fieldInvalid(at.child("type"), item.type, "must be a standard limit type or fully qualified"));
      }
      if (seen.has(item.type)) errors.push(fieldDuplicate(at.child("type"), item.type));
      seen.add(item.type);
      validateItem(item, at, errors);
    });
    return errors;
  },
});

function validateItem(item: Item, path: FieldPath, errors: FieldError[]): void {
  const names = new Set<string>();
  const check = item.type === "Pod" || item.type === "Container" ? checkContainerResourceName : checkResourceName;
  let readable = true;
  for (const field of FIELDS) {
    for (const [name, value] of Object.entries(item[field] ?? {})) {
      names.add(name);
      const at = path.child(field).key(name);
      check(name, at, errors);
      try {
        parseQuantity(value);
      } catch (error) {
        readable = false;
        errors.push(fieldInvalid(at, value, (error as Error).message));
      }
    }
  }
  if (item.type === "Pod") {
    for (const field of ["default", "defaultRequest"] as const) {
      const given = Object.keys(item[field] ?? {}).length > 0;
      if (given) errors.push(fieldForbidden(path.child(field), "may not be specified when `type` is 'Pod'"));
    }
  }
  if (item.type === "PersistentVolumeClaim" && !item.min?.["storage"] && !item.max?.["storage"]) {
    const why = "either minimum or maximum storage value is required, but neither was provided";
    errors.push(fieldRequired(path.child("limits"), why));
  }
  if (readable) for (const name of names) compareBounds(item, name, path, errors);
}

/** Which of two bounds may not exceed which, and what upstream says and blames. */
const ORDER: readonly [lesser: Field, greater: Field, words: [string, string], blamed: Field][] = [
  ["min", "max", ["min value", "max value"], "min"],
  ["min", "defaultRequest", ["min value", "default request value"], "defaultRequest"],
  ["defaultRequest", "max", ["default request value", "max value"], "defaultRequest"],
  ["defaultRequest", "default", ["default request value", "default limit value"], "defaultRequest"],
  ["min", "default", ["min value", "default value"], "default"],
  ["default", "max", ["default value", "max value"], "default"],
];

function compareBounds(item: Item, name: string, path: FieldPath, errors: FieldError[]): void {
  const of = (field: Field) => (item[field] as ResourceList | undefined)?.[name];
  for (const [lesser, greater, [left, right], blamed] of ORDER) {
    const [low, high] = [of(lesser), of(greater)];
    if (low === undefined || high === undefined || parseQuantity(low).nanos <= parseQuantity(high).nanos) continue;
    const why = `${left} ${canonicalizeQuantity(low)} is greater than ${right} ${canonicalizeQuantity(high)}`;
    errors.push(fieldInvalid(path.child(blamed).key(name), of(blamed), why));
  }
  const ratio = of("maxLimitRequestRatio");
  if (ratio !== undefined && parseQuantity(ratio).nanos < 1_000_000_000n) {
    const why = `ratio ${canonicalizeQuantity(ratio)} is less than 1`;
    errors.push(fieldInvalid(path.child("maxLimitRequestRatio").key(name), ratio, why));
  }
}
