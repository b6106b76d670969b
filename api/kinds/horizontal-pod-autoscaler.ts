import type { IHorizontalPodAutoscalerSpec } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscalerSpec";
import type { IHorizontalPodAutoscalerStatus } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscalerStatus";
import type { FieldError } from "../field-error.ts";
import type { KubeObject } from "../object.ts";
import { validateAutoscaler } from "./autoscaler-validation.ts";
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
      validateAutoscaler(spec, errors);
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
