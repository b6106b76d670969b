import type { IHorizontalPodAutoscalerSpec } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscalerSpec";
import { checkLabelName, checkRequired, checkSupported, complain } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import { pathSegmentComplaints } from "../names.ts";
import { checkContainerResourceName } from "../pod-template/resources.ts";
import { parseQuantity } from "../quantity.ts";

/** What holds for a HorizontalPodAutoscaler's spec (pkg/apis/autoscaling/validation). */

/** In the order in which upstream looks at them. */
const SOURCES = {
  Object: "object",
  External: "external",
  Pods: "pods",
  Resource: "resource",
  ContainerResource: "containerResource",
} as const;
type Source = (typeof SOURCES)[keyof typeof SOURCES];

const PERIOD_SECONDS_MAX = 1800;
const STABILIZATION_SECONDS_MAX = 3600;

interface Reference {
  kind?: string;
  name?: string;
  apiVersion?: string;
}
interface Target {
  type?: string;
  value?: string | number;
  averageValue?: string | number;
  averageUtilization?: number;
}

export function validateAutoscaler(spec: IHorizontalPodAutoscalerSpec, errors: FieldError[]): void {
  const { minReplicas, maxReplicas = 0, scaleTargetRef, metrics = [], behavior } = spec;
  if (typeof minReplicas === "number" && minReplicas < 1) {
    errors.push(fieldInvalid(SPEC.child("minReplicas"), minReplicas, "must be greater than or equal to 1"));
  }
  const maxAt = SPEC.child("maxReplicas");
  if (maxReplicas === 0) errors.push(fieldRequired(maxAt, "must be set and greater than 0"));
  else if (maxReplicas < 0) errors.push(fieldInvalid(maxAt, maxReplicas, "must be greater than or equal to 1"));
  if (typeof minReplicas === "number" && maxReplicas < minReplicas) {
    errors.push(fieldInvalid(maxAt, maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  validateReference(scaleTargetRef ?? {}, { ofScaleTarget: true }, SPEC.child("scaleTargetRef"), errors);
  metrics.forEach((metric, i) => {
    validateMetric(metric, SPEC.child("metrics").index(i), errors);
  });
  if (minReplicas === 0 && !metrics.some(({ type }) => type === "Object" || type === "External")) {
    const why = "must specify at least one Object or External metric to support scaling to zero replicas";
    errors.push(fieldForbidden(SPEC.child("metrics"), why));
  }
  for (const direction of ["scaleUp", "scaleDown"] as const) {
    const rules = behavior?.[direction];
    if (rules) validateRules(rules, SPEC.child("behavior").child(direction), errors);
  }
}

/** A scale target has a group: what has none (`v1`) is not scaled. */
function validateReference(
  { kind, name, apiVersion = "" }: Reference,
  { ofScaleTarget }: { ofScaleTarget: boolean },
  path: FieldPath,
  errors: FieldError[],
): void {
  for (const [field, value] of [
    ["kind", kind],
    ["name", name],
  ] as const) {
    if (checkRequired(value, path.child(field), errors)) {
      complain(pathSegmentComplaints(value!), value, path.child(field), errors);
    }
  }
  const slashes = apiVersion.split("/").length - 1;
  if (slashes > 1) {
    errors.push(fieldInvalid(path.child("apiVersion"), apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else if (slashes === 0 && ofScaleTarget && apiVersion !== "v1") {
    errors.push(fieldInvalid(path.child("apiVersion"), apiVersion, "apiVersion must specify API group"));
  }
}

function validateMetric(metric: any, path: FieldPath, errors: FieldError[]): void {
  const type: string = metric.type ?? "";
  const typeAt = path.child("type");
  if (type === "") errors.push(fieldRequired(typeAt, "must specify a metric source type"));
  const supported = Object.keys(SOURCES).sort();
  const isKnown = Object.hasOwn(SOURCES, type);
  if (!isKnown) errors.push(fieldNotSupported(typeAt, type, supported));
  const present = Object.values(SOURCES).filter((source) => metric[source]);
  const [first] = present;
  if (first) validateSource(first, metric[first], path.child(first), errors);
  // Upstream says it twice of an unknown type.
  if (!isKnown) errors.push(fieldNotSupported(typeAt, type, supported));
  const wanted = isKnown ? SOURCES[type as keyof typeof SOURCES] : undefined;
  if (wanted && !metric[wanted]) {
    errors.push(fieldRequired(path.child(wanted), "must populate information for the given metric source"));
  }
  if (present.length === 1) return;
  for (const source of present) {
    if (source !== wanted) {
      errors.push(fieldForbidden(path.child(source), "must populate the given metric source only"));
    }
  }
}

function validateSource(kind: Source, source: any, path: FieldPath, errors: FieldError[]): void {
  const target: Target = source.target ?? {};
  const at = path.child("target");
  switch (kind) {
    case "object":
    case "external":
    case "pods":
      if (kind === "object") {
        const describedAt = path.child("describedObject");
        validateReference(source.describedObject ?? {}, { ofScaleTarget: false }, describedAt, errors);
      }
      validateIdentifier(source.metric?.name, path.child("metric").child("name"), errors);
      validateTarget(target, at, errors);
      validateValue(kind, target, at, errors);
      return;
    case "resource":
    case "containerResource":
      if (checkRequired(source.name, path.child("name"), errors, "must specify a resource name")) {
        if (kind === "containerResource") checkContainerResourceName(source.name, path.child("name"), errors);
      }
      if (kind === "containerResource") {
        const containerAt = path.child("container");
        if (checkRequired(source.container, containerAt, errors, "must specify a container")) {
          checkLabelName(source.container, containerAt, errors);
        }
      }
      validateTarget(target, at, errors);
      if (target.averageUtilization === undefined && target.averageValue === undefined) {
        const why = "must set either a target raw value or a target utilization";
        errors.push(fieldRequired(at.child("averageUtilization"), why));
      }
      if (target.averageUtilization !== undefined && target.averageValue !== undefined) {
        const why = "may not set both a target raw value and a target utilization";
        errors.push(fieldForbidden(at.child("averageValue"), why));
      }
  }
}

const NO_VALUE = {
  object: "must set either a target value or averageValue",
  external: "must set either a target value for metric or a per-pod target",
  pods: "must specify a positive target averageValue",
};

function validateValue(
  kind: keyof typeof NO_VALUE,
  { value, averageValue }: Target,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (averageValue === undefined && (kind === "pods" || value === undefined)) {
    errors.push(fieldRequired(path.child("averageValue"), NO_VALUE[kind]));
  }
  if (kind === "external" && value !== undefined && averageValue !== undefined) {
    const why = "may not set both a target value for metric and a per-pod target";
    errors.push(fieldForbidden(path.child("value"), why));
  }
}

function validateIdentifier(name: string | undefined, path: FieldPath, errors: FieldError[]): void {
  if (!checkRequired(name, path, errors, "must specify a metric name")) return;
  complain(pathSegmentComplaints(name!), name, path, errors);
}

function validateTarget(target: Target, path: FieldPath, errors: FieldError[]): void {
  const { type = "", averageUtilization } = target;
  if (type === "") errors.push(fieldRequired(path.child("type"), "must specify a metric target type"));
  if (type !== "Utilization" && type !== "Value" && type !== "AverageValue") {
    errors.push(fieldInvalid(path.child("type"), type, "must be either Utilization, Value, or AverageValue"));
  }
  for (const field of ["value", "averageValue"] as const) {
    const quantity = target[field];
    if (quantity === undefined || parseQuantity(quantity).nanos > 0n) continue;
    errors.push(fieldInvalid(path.child(field), quantity, "must be positive"));
  }
  if (typeof averageUtilization === "number" && averageUtilization < 1) {
    errors.push(fieldInvalid(path.child("averageUtilization"), averageUtilization, "must be greater than 0"));
  }
}

function validateRules(rules: any, path: FieldPath, errors: FieldError[]): void {
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  const secondsAt = path.child("stabilizationWindowSeconds");
  if (typeof seconds === "number" && seconds < 0) {
    errors.push(fieldInvalid(secondsAt, seconds, "must be greater than or equal to zero"));
  }
  if (typeof seconds === "number" && seconds > STABILIZATION_SECONDS_MAX) {
    errors.push(fieldInvalid(secondsAt, seconds, `must be less than or equal to ${STABILIZATION_SECONDS_MAX}`));
  }
  if (typeof selectPolicy === "string") {
    checkSupported(selectPolicy, ["Disabled", "Max", "Min"], path.child("selectPolicy"), errors);
  }
  if (policies.length === 0) errors.push(fieldRequired(path.child("policies"), "must specify at least one Policy"));
  policies.forEach(({ type = "", value = 0, periodSeconds = 0 }: any, i: number) => {
    const at = path.child("policies").index(i);
    checkSupported(type, ["Percent", "Pods"], at.child("type"), errors);
    if (value <= 0) errors.push(fieldInvalid(at.child("value"), value, "must be greater than zero"));
    const periodAt = at.child("periodSeconds");
    if (periodSeconds <= 0) errors.push(fieldInvalid(periodAt, periodSeconds, "must be greater than zero"));
    if (periodSeconds > PERIOD_SECONDS_MAX) {
      errors.push(fieldInvalid(periodAt, periodSeconds, `must be less than or equal to ${PERIOD_SECONDS_MAX}`));
    }
  });
  if (tolerance !== undefined && parseQuantity(tolerance).nanos < 0n) {
    errors.push(fieldInvalid(path.child("tolerance"), tolerance, "must be greater than or equal to 0"));
  }
}
