import type { IPodStatus } from "kubernetes-models/v1/PodStatus";
import type { KubeObject } from "../object.ts";
import type { PodSpec } from "../pod-template/types.ts";

export interface PodObject extends KubeObject {
  spec: PodSpec;
  status?: IPodStatus;
}
