import type { IControllerRevision } from "kubernetes-models/apps/v1/ControllerRevision";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type ControllerRevisionObject = Omit<IControllerRevision, "apiVersion" | "kind" | "metadata"> & KubeObject;

export const ControllerRevision = defineKind<ControllerRevisionObject>("apps/v1", "ControllerRevision", {
  resource: "controllerrevisions",
});
