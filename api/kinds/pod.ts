import { type FieldError, fieldForbidden } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import { qosClassOf } from "../pod-qos.ts";
import { setPodOnlyDefaults, setPodSpecDefaults } from "../pod-template/defaults.ts";
import { mergeLabelKeys } from "../pod-template/label-keys.ts";
import { validatePodSpec } from "../pod-template/validate.ts";
import { defineKind } from "./define-kind.ts";
import { podColumns } from "./pod-columns.ts";
import type { PodObject } from "./pod-object.ts";
import { ephemeralContainers, resize } from "./pod-parts.ts";
import { validatePodStatusUpdate, validatePodUpdate } from "./pod-update.ts";
import { keepStatus } from "./status.ts";

export type { PodObject };

/** Containers that run together, on one node. */
export const Pod = defineKind<PodObject>("v1", "Pod", {
  resource: "pods",
  columns: podColumns,
  completed({ status }) {
    if (status?.phase === "Succeeded") return { reason: "Succeeded", message: "The pod has completed successfully." };
    if (status?.phase === "Failed") return { reason: "Failed", message: "The pod failed." };
    return undefined;
  },
  setDefaults({ spec }) {
    if (!spec) return;
    setPodSpecDefaults(spec);
    setPodOnlyDefaults(spec);
  },
  prepareForCreate(pod) {
    pod.status = { phase: "Pending", qosClass: qosClassOf(pod.spec) };
    mergeLabelKeys(pod.spec, pod.metadata.labels);
    if (pod.spec.schedulingGates?.length) {
      const { creationTimestamp } = pod.metadata;
      pod.status.conditions = [
        {
          type: "PodScheduled",
          status: "False",
          // Upstream writes the empty time.
          lastProbeTime: null as never,
          ...(creationTimestamp && { lastTransitionTime: creationTimestamp }),
          reason: "SchedulingGated",
          message: "Scheduling is blocked due to non-empty scheduling gates",
        },
      ];
    }
  },
  prepareForUpdate: keepStatus,
  validate(pod, _info, previous) {
    const errors: FieldError[] = [];
    validatePodSpec(pod.spec, { podName: pod.metadata.name }, SPEC, errors);
    if (!pod.spec.serviceAccountName) forbidTokens(pod, errors);
    if (!previous && pod.spec.ephemeralContainers?.length) {
      errors.push(fieldForbidden(SPEC.child("ephemeralContainers"), "cannot be set on create"));
    }
    return errors;
  },
  validateUpdate: validatePodUpdate,
  validateStatusUpdate: validatePodStatusUpdate,
  partialUpdates: { ephemeralcontainers: ephemeralContainers, resize },
  deletionGraceSeconds(pod, requested) {
    const { phase } = pod.status ?? {};
    // Nothing runs that would need time: not placed yet, or at its end.
    if (!pod.spec.nodeName || phase === "Failed" || phase === "Succeeded") return 0;
    const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
  selectableFields: ({ spec, status }) => ({
    "spec.nodeName": spec?.nodeName ?? "",
    "spec.restartPolicy": spec?.restartPolicy ?? "",
    "spec.schedulerName": spec?.schedulerName ?? "",
    "spec.serviceAccountName": spec?.serviceAccountName ?? "",
    "spec.hostNetwork": String(spec?.hostNetwork ?? false),
    "status.phase": status?.phase ?? "",
    "status.podIP": status?.podIP ?? "",
    "status.podIPs": status?.podIP ?? "",
    "status.nominatedNodeName": status?.nominatedNodeName ?? "",
  }),
  hasGeneration: true,
});

function forbidTokens(pod: PodObject, errors: FieldError[]): void {
  pod.spec.volumes?.forEach((volume, i) => {
    volume.projected?.sources?.forEach((source, j) => {
      if (!source.serviceAccountToken) return;
      const at = SPEC.child("volumes")
        .index(i)
        .child("projected")
        .child("sources")
        .index(j)
        .child("serviceAccountToken");
      errors.push(fieldForbidden(at, "must not be specified when serviceAccountName is not set"));
    });
  });
}
