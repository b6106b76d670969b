import type { INamespaceSpec } from "kubernetes-models/v1/NamespaceSpec";
import type { INamespaceStatus } from "kubernetes-models/v1/NamespaceStatus";
import { type FieldError, fieldInvalid } from "../field-error.ts";
import { type FieldPath, SPEC, STATUS } from "../field-path.ts";
import { qualifiedNameComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus } from "./status.ts";

export interface NamespaceObject extends KubeObject {
  spec: INamespaceSpec;
  status?: INamespaceStatus;
}

const FINALIZER = "kubernetes";
const NAME_LABEL = "kubernetes.io/metadata.name";

/** A scope for names, and for who may do what. */
export const Namespace = defineKind<NamespaceObject>("v1", "Namespace", {
  resource: "namespaces",
  namespaced: false,
  nameRule: "label",
  columns: [{ name: "Status", description: "Active, or going.", value: ({ status }) => status?.phase ?? "" }],
  setDefaults: setNameLabel,
  prepareForCreate(namespace) {
    // Once more: a generated name was not known before.
    setNameLabel(namespace);
    namespace.status = { phase: "Active" };
    namespace.spec ??= {};
    const finalizers = namespace.spec.finalizers ?? [];
    namespace.spec.finalizers = finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER];
  },
  prepareForUpdate(next, previous) {
    // Only the finalize subresource takes finalizers away.
    next.spec = { ...next.spec, finalizers: previous.spec?.finalizers };
    if (!next.spec.finalizers) delete next.spec.finalizers;
    keepStatus(next, previous);
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    spec?.finalizers?.forEach((finalizer) => {
      validateFinalizer(finalizer, SPEC.child("finalizers"), errors);
    });
    return errors;
  },
  validateStatusUpdate({ metadata, status }) {
    const phase = status?.phase ?? "";
    const wanted = metadata.deletionTimestamp ? "Terminating" : "Active";
    if (phase === wanted) return [];
    const when = metadata.deletionTimestamp ? "is not empty" : "is empty";
    return [fieldInvalid(STATUS.child("Phase"), phase, `may only be '${wanted}' if \`deletionTimestamp\` ${when}`)];
  },
  withoutNamespaceField: true,
  selectableFields: ({ status }) => ({ "status.phase": status?.phase ?? "" }),
});

function setNameLabel({ metadata }: NamespaceObject): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name };
}

function validateFinalizer(finalizer: string, path: FieldPath, errors: FieldError[]): void {
  const complaints = qualifiedNameComplaints(finalizer);
  for (const complaint of complaints) errors.push(fieldInvalid(path, finalizer, complaint));
  if (complaints.length > 0 || finalizer.includes("/") || finalizer === FINALIZER) return;
  errors.push(fieldInvalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified"));
}
