import type { KubeObject } from "../object.ts";

/**
 * HorizontalPodAutoscaler between autoscaling/v1 and v2. v1 knows a CPU target alone; whatever else v2 says travels in
 * annotations, in the shapes that upstream gives it there.
 */

type Fields = Record<string, any>;

const METRICS = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior";

const isCpu = (metric: Fields): boolean => metric["type"] === "Resource" && metric["resource"]?.name === "cpu";

/** v2 → v1, in place. */
export function autoscalerToV1(object: KubeObject): void {
  const { spec = {}, status = {} } = object as Fields;
  const metrics: Fields[] = spec.metrics ?? [];
  const cpu = metrics.find(isCpu)?.["resource"].target?.averageUtilization;
  if (cpu !== undefined) spec.targetCPUUtilizationPercentage = cpu;
  const others = metrics.filter(
    (metric) => !(isCpu(metric) && metric["resource"].target?.averageUtilization !== undefined),
  );
  const current: Fields[] = status.currentMetrics ?? [];
  const currentCpu = current.find(isCpu)?.["resource"].current?.averageUtilization;
  if (currentCpu !== undefined) status.currentCPUUtilizationPercentage = currentCpu;
  annotate(object, METRICS, others.map(metricToV1));
  annotate(object, CURRENT_METRICS, current.map(currentToV1));
  annotate(object, CONDITIONS, status.conditions ?? []);
  if (spec.behavior) annotate(object, BEHAVIOR, spec.behavior);
  delete spec.metrics;
  delete spec.behavior;
  delete status.currentMetrics;
  delete status.conditions;
}

/** v1 → v2, in place. An annotation that cannot be read is dropped, as upstream does. */
export function autoscalerFromV1(object: KubeObject): void {
  object["spec"] ??= {};
  object["status"] ??= {};
  const { spec, status } = object as Fields;
  const metrics: Fields[] = [];
  if (spec.targetCPUUtilizationPercentage !== undefined) {
    const target = { type: "Utilization", averageUtilization: spec.targetCPUUtilizationPercentage };
    metrics.push({ type: "Resource", resource: { name: "cpu", target } });
    delete spec.targetCPUUtilizationPercentage;
  }
  metrics.push(...listIn(take(object, METRICS)).map(metricToV2));
  if (metrics.length > 0) spec.metrics = metrics;
  const behavior = take(object, BEHAVIOR);
  if (typeof behavior === "object" && behavior !== null) spec.behavior = behavior;
  const current = listIn(take(object, CURRENT_METRICS)).map(currentToV2);
  if (current.length === 0 && status.currentCPUUtilizationPercentage !== undefined) {
    const averageUtilization = status.currentCPUUtilizationPercentage;
    current.push({ type: "Resource", resource: { name: "cpu", current: { averageUtilization } } });
  }
  delete status.currentCPUUtilizationPercentage;
  if (current.length > 0) status.currentMetrics = current;
  const conditions = listIn(take(object, CONDITIONS));
  if (conditions.length > 0) status.conditions = conditions;
}

function annotate(object: KubeObject, name: string, value: unknown): void {
  if (Array.isArray(value) && value.length === 0) return;
  object.metadata.annotations = { ...object.metadata.annotations, [name]: JSON.stringify(value) };
}

function take(object: KubeObject, name: string): unknown {
  const annotations = object.metadata.annotations;
  const text = annotations?.[name];
  if (annotations === undefined || text === undefined) return undefined;
  delete annotations[name];
  if (Object.keys(annotations).length === 0) delete object.metadata.annotations;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const listIn = (value: unknown): Fields[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "object" && item !== null) : [];

/** Without the fields that are undefined. */
const compact = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const SOURCES = ["object", "pods", "resource", "containerResource", "external"];

const mapSource = (metric: Fields, change: (source: string, value: Fields) => Fields): Fields => {
  const result: Fields = { type: metric["type"] };
  for (const source of SOURCES) if (metric[source]) result[source] = change(source, metric[source]);
  return result;
};

/** v1's names of a value: in specs they begin with `target`, in statuses with `current`. */
const names = (word: "target" | "current") => ({
  value: `${word}Value`,
  averageValue: `${word}AverageValue`,
  averageUtilization: `${word}AverageUtilization`,
});

const toV1 = (word: "target" | "current") => (metric: Fields) =>
  mapSource(metric, (source, value) => {
    const { value: named, averageValue, averageUtilization } = names(word);
    const amount: Fields = value[word] ?? {};
    const { name: metricName, selector } = value["metric"] ?? {};
    switch (source) {
      case "object":
        return compact({
          target: value["describedObject"],
          metricName,
          selector,
          [named]: amount["value"] ?? "0",
          averageValue: amount["averageValue"],
        });
      case "pods":
        return compact({ metricName, selector, [averageValue]: amount["averageValue"] });
      case "external":
        return compact({
          metricName,
          metricSelector: selector,
          [named]: amount["value"],
          [averageValue]: amount["averageValue"],
        });
      default:
        return compact({
          name: value["name"],
          container: value["container"],
          [averageUtilization]: amount["averageUtilization"],
          [averageValue]: amount["averageValue"],
        });
    }
  });

const toV2 = (word: "target" | "current") => (metric: Fields) =>
  mapSource(metric, (source, value) => {
    const { value: named, averageValue, averageUtilization } = names(word);
    const plain = source === "object" && value["averageValue"] !== undefined ? undefined : value[named];
    const amount = compact({
      value: source === "object" || source === "external" ? plain : undefined,
      averageValue: source === "object" ? value["averageValue"] : value[averageValue],
      averageUtilization: value[averageUtilization],
    });
    if (word === "target") {
      amount["type"] =
        amount["averageUtilization"] !== undefined
          ? "Utilization"
          : amount["value"] !== undefined
            ? "Value"
            : "AverageValue";
    }
    const metricOf = (selector: unknown) => compact({ name: value["metricName"], selector });
    switch (source) {
      case "object":
        return compact({ describedObject: value["target"], metric: metricOf(value["selector"]), [word]: amount });
      case "pods":
        return { metric: metricOf(value["selector"]), [word]: amount };
      case "external":
        return { metric: metricOf(value["metricSelector"]), [word]: amount };
      default:
        return compact({ name: value["name"], container: value["container"], [word]: amount });
    }
  });

const metricToV1 = toV1("target");
const currentToV1 = toV1("current");
const metricToV2 = toV2("target");
const currentToV2 = toV2("current");
