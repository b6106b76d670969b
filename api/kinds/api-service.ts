import { checkRequired, checkSubdomain, checkSupported, complain } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldRequired } from "../field-error.ts";
import { METADATA, SPEC, STATUS } from "../field-path.ts";
import { dns1035LabelComplaints, pathSegmentComplaints, portComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus } from "./status.ts";

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface APIServiceObject extends KubeObject {
  spec: {
    group?: string;
    version?: string;
    groupPriorityMinimum?: number;
    versionPriority?: number;
    service?: { namespace?: string; name?: string; port?: number };
    caBundle?: string;
    insecureSkipTLSVerify?: boolean;
  };
  status?: { conditions?: Condition[] };
}

const GROUP_PRIORITY_MAX = 20_000;
const VERSION_PRIORITY_MAX = 1_000;
const PORT = 443;

/** A version of an API group, served here or by a service. */
export const APIService = defineKind<APIServiceObject>("apiregistration.k8s.io/v1", "APIService", {
  resource: "apiservices",
  namespaced: false,
  // The name is made of the spec, which says more of it.
  nameRule: "path",
  columns: [
    {
      name: "Service",
      description: "The service that serves it.",
      value: ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : "Local"),
    },
    { name: "Available", description: "Whether it answers.", value: describeAvailable },
    AGE,
  ],
  setDefaults({ spec }) {
    if (spec?.service) spec.service.port ??= PORT;
  },
  prepareForCreate(service) {
    service.status = {};
    if (service.spec?.service) return;
    const { creationTimestamp } = service.metadata;
    service.status.conditions = [
      {
        type: "Available",
        status: "True",
        ...(creationTimestamp && { lastTransitionTime: creationTimestamp }),
        reason: "Local",
        message: "Local APIServices are always available",
      },
    ];
  },
  prepareForUpdate: keepStatus,
  validate({ metadata, spec = {} }) {
    const errors: FieldError[] = [];
    const { group = "", version = "", groupPriorityMinimum = 0, versionPriority = 0, service, caBundle } = spec;
    const name = metadata.name ?? "";
    const required = `${version}.${group}`;
    if (name !== required && pathSegmentComplaints(name).length === 0) {
      const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(required)}`;
      if (name) errors.push(fieldInvalid(METADATA.child("name"), name, why));
    }
    if (group) checkSubdomain(group, SPEC.child("group"), errors);
    else if (version !== "v1") {
      const why = "only v1 may have an empty group and it better be legacy kube";
      errors.push(fieldRequired(SPEC.child("group"), why));
    }
    complain(dns1035LabelComplaints(version), version, SPEC.child("version"), errors);
    if (groupPriorityMinimum <= 0 || groupPriorityMinimum > GROUP_PRIORITY_MAX) {
      const why = `must be positive and less than ${GROUP_PRIORITY_MAX}`;
      errors.push(fieldInvalid(SPEC.child("groupPriorityMinimum"), groupPriorityMinimum, why));
    }
    if (versionPriority <= 0 || versionPriority > VERSION_PRIORITY_MAX) {
      const why = `must be positive and less than ${VERSION_PRIORITY_MAX}`;
      errors.push(fieldInvalid(SPEC.child("versionPriority"), versionPriority, why));
    }
    const insecureAt = SPEC.child("insecureSkipTLSVerify");
    if (!service) {
      if (caBundle) {
        const bytes = `${atob(caBundle).length} bytes`;
        errors.push(fieldInvalid(SPEC.child("caBundle"), bytes, "local APIServices may not have a caBundle"));
      }
      const why = "local APIServices may not have insecureSkipTLSVerify";
      if (spec.insecureSkipTLSVerify) errors.push(fieldInvalid(insecureAt, true, why));
      return errors;
    }
    checkRequired(service.namespace, SPEC.child("service").child("namespace"), errors);
    checkRequired(service.name, SPEC.child("service").child("name"), errors);
    const complaints = portComplaints(service.port ?? 0);
    if (complaints.length > 0) {
      const why = `port is not valid: ${complaints.join(", ")}`;
      errors.push(fieldInvalid(SPEC.child("service").child("port"), service.port ?? 0, why));
    }
    if (spec.insecureSkipTLSVerify && caBundle) {
      errors.push(fieldInvalid(insecureAt, true, "may not be true if caBundle is present"));
    }
    return errors;
  },
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [];
    status?.conditions?.forEach((condition, i) => {
      const at = STATUS.child("conditions").index(i).child("status");
      checkSupported(condition.status, ["True", "False", "Unknown"], at, errors);
    });
    return errors;
  },
});

function describeAvailable({ status }: APIServiceObject): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (!condition) return "Unknown";
  return condition.status === "True" || !condition.reason
    ? condition.status
    : `${condition.status} (${condition.reason})`;
}
