import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface VolumeAttachmentObject extends KubeObject {
  spec: { attacher: string; nodeName: string; source: { persistentVolumeName?: string } };
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
});
