import { checkRequired, checkSubdomain } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldRequired } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { checkDriverName } from "../pod-template/volume-sources.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface VolumeAttachmentObject extends KubeObject {
  spec: { attacher: string; nodeName: string; source: { persistentVolumeName?: string; inlineVolumeSpec?: unknown } };
  status?: { attached?: boolean };
}

/** A volume that should be attached to a node. */
export const VolumeAttachment = defineKind<VolumeAttachmentObject>("storage.k8s.io/v1", "VolumeAttachment", {
  resource: "volumeattachments",
  namespaced: false,
  columns: [
    { name: "Attacher", format: "name", description: "The driver.", value: ({ spec }) => spec?.attacher ?? "" },
    { name: "PV", description: "The volume.", value: ({ spec }) => spec?.source?.persistentVolumeName ?? "" },
    { name: "Node", description: "The node.", value: ({ spec }) => spec?.nodeName ?? "" },
    {
      name: "Attached",
      type: "boolean",
      description: "Whether it is.",
      value: ({ status }) => status?.attached ?? false,
    },
  ],
  prepareForCreate: startStatus({ attached: false }),
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    const { attacher, nodeName = "", source = {} } = spec ?? {};
    checkDriverName(attacher, SPEC.child("attacher"), errors);
    const at = SPEC.child("source");
    const { persistentVolumeName: name, inlineVolumeSpec: inline } = source;
    const why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    if (name === undefined && !inline) errors.push(fieldRequired(at, why));
    else if (name !== undefined && inline) errors.push(fieldForbidden(at, why));
    else if (name !== undefined) {
      const nameAt = at.child("persistentVolumeName");
      checkRequired(name, nameAt, errors, "must specify non empty persistentVolumeName");
      checkSubdomain(name, nameAt, errors);
    }
    checkSubdomain(nodeName, SPEC.child("nodeName"), errors);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.spec, previous.spec, SPEC, errors);
    return errors;
  },
});
