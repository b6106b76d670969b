import type { ILimitRangeSpec } from "kubernetes-models/v1/LimitRangeSpec";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export interface LimitRangeObject extends KubeObject {
  spec: ILimitRangeSpec;
}

export const LimitRange = defineKind<LimitRangeObject>("v1", "LimitRange", {
  resource: "limitranges",
});
