import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export interface CSINodeObject extends KubeObject {
  spec: { drivers?: unknown[] };
}

/** The storage drivers of a node. */
export const CSINode = defineKind<CSINodeObject>("storage.k8s.io/v1", "CSINode", {
  resource: "csinodes",
  namespaced: false,
  columns: [
    {
      name: "Drivers",
      type: "integer",
      description: "How many there are.",
      value: ({ spec }) => spec?.drivers?.length ?? 0,
    },
  ],
});
