import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type VolumeAttachmentObject = KubeObject;

export const VolumeAttachment = defineKind<VolumeAttachmentObject>("storage.k8s.io/v1", "VolumeAttachment", {
  resource: "volumeattachments",
  namespaced: false,
});
