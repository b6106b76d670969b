import type { IHorizontalPodAutoscalerSpec } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscalerSpec";
import type { IHorizontalPodAutoscalerStatus } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscalerStatus";
import { checkRequired, checkSupported, complain } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import { pathSegmentComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus } from "./status.ts";

export interface HorizontalPodAutoscalerObject extends KubeObject {
  spec: IHorizontalPodAutoscalerSpec;
  status?: IHorizontalPodAutoscalerStatus;
}

type Metric = NonNullable<IHorizontalPodAutoscalerSpec["metrics"]>[number];
type MetricStatus = NonNullable<IHorizontalPodAutoscalerStatus["currentMetrics"]>[number];

const SOURCES = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
} as const;
const METRICS_SHOWN_MAX = 2;
const CPU_PERCENT = 80;

/** Scales a workload by what its pods consume. */
export const HorizontalPodAutoscaler = defineKind<HorizontalPodAutoscalerObject>(
  "autoscaling/v2",
  "HorizontalPodAutoscaler",
  {
    resource: "horizontalpodautoscalers",
    columns: [
      {
        name: "Reference",
        description: "What it scales.",
        value: ({ spec }) => `${spec.scaleTargetRef?.kind}/${spec.scaleTargetRef?.name}`,
      },
      {
        name: "Targets",
        description: "What is measured, and what it should be.",
        value: ({ spec, status }) => describeMetrics(spec.metrics ?? [], status?.currentMetrics ?? []),
      },
      { name: "MinPods", description: "Never fewer.", value: ({ spec }) => String(spec.minReplicas ?? "<unset>") },
      { name: "MaxPods", description: "Never more.", value: ({ spec }) => spec.maxReplicas ?? 0 },
      { name: "Replicas", description: "Pods there are.", value: ({ status }) => status?.currentReplicas ?? 0 },
    ],
    setDefaults({ spec }) {
      if (!spec) return;
      spec.minReplicas ??= 1;
      if (!spec.metrics?.length) {
        spec.metrics = [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: CPU_PERCENT } },
          },
        ];
      }
      if (!spec.behavior) return;
      spec.behavior.scaleUp = {
        stabilizationWindowSeconds: 0,
        selectPolicy: "Max",
        policies: [
          { type: "Pods", value: 4, periodSeconds: 15 },
          { type: "Percent", value: 100, periodSeconds: 15 },
        ],
        ...spec.behavior.scaleUp,
      };
      spec.behavior.scaleDown = {
        selectPolicy: "Max",
        policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
        ...spec.behavior.scaleDown,
      };
    },
    prepareForCreate(autoscaler) {
      autoscaler.status = { currentMetrics: null as never, desiredReplicas: 0 } as IHorizontalPodAutoscalerStatus;
    },
    prepareForUpdate: keepStatus,
    validate({ spec }) {
      const errors: FieldError[] = [];
      const { minReplicas, maxReplicas = 0, scaleTargetRef } = spec;
      if (typeof minReplicas === "number" && minReplicas < 1) {
        errors.push(fieldInvalid(SPEC.child("minReplicas"), minReplicas, "must be greater than or equal to 1"));
      }
      if (maxReplicas < 1) errors.push(fieldInvalid(SPEC.child("maxReplicas"), maxReplicas, "must be greater than 0"));
      if (typeof minReplicas === "number" && maxReplicas < minReplicas) {
        const why = "must be greater than or equal to `minReplicas`";
        errors.push(fieldInvalid(SPEC.child("maxReplicas"), maxReplicas, why));
      }
      for (const field of ["kind", "name"] as const) {
        const at = SPEC.child("scaleTargetRef").child(field);
        const value = scaleTargetRef?.[field] ?? "";
        if (checkRequired(value, at, errors)) complain(pathSegmentComplaints(value), value, at, errors);
      }
      spec.metrics?.forEach((metric, i) => {
        const at = SPEC.child("metrics").index(i);
        if (!checkRequired(metric.type, at.child("type"), errors, "must specify a metric source type")) return;
        checkSupported(metric.type, Object.keys(SOURCES), at.child("type"), errors);
        const wanted = SOURCES[metric.type as keyof typeof SOURCES];
        for (const source of Object.values(SOURCES)) {
          if (source !== wanted && metric[source]) {
            errors.push(fieldForbidden(at.child(source), "must populate the given metric source only"));
          }
        }
        if (wanted && !metric[wanted]) {
          errors.push(fieldRequired(at.child(wanted), "must populate information for the given metric source"));
        }
      });
      return errors;
    },
  },
);

function describeMetrics(metrics: readonly Metric[], statuses: readonly MetricStatus[]): string {
  if (metrics.length === 0) return "<none>";
  const shown = metrics.slice(0, METRICS_SHOWN_MAX).map((metric, i) => describeMetric(metric, statuses[i]));
  const more = metrics.length - METRICS_SHOWN_MAX;
  return more > 0 ? `${shown.join(", ")} + ${more} more...` : shown.join(", ");
}

function describeMetric(metric: Metric, status: MetricStatus | undefined): string {
  const kind = SOURCES[metric.type as keyof typeof SOURCES];
  const source = kind && metric[kind];
  if (!source) return "<unknown type>";
  const target = source.target ?? {};
  const current = status?.[kind]?.current;
  const value = (field: "averageValue" | "value"): string =>
    `${current?.[field] ?? "<unknown>"}/${target[field] ?? "<auto>"}`;
  if (kind === "resource" || kind === "containerResource") {
    const name = (source as { name?: string }).name;
    if (target.averageValue !== undefined) return `${name}: ${value("averageValue")}`;
    const percent = (amount: number | undefined, otherwise: string): string =>
      amount === undefined ? otherwise : `${amount}%`;
    return `${name}: ${percent(current?.averageUtilization, "<unknown>")}/${percent(target.averageUtilization, "<auto>")}`;
  }
  if (kind === "pods") return value("averageValue");
  return target.averageValue === undefined ? value("value") : `${value("averageValue")} (avg)`;
}
