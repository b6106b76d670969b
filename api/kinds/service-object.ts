import type { IServiceSpec } from "kubernetes-models/v1/ServiceSpec";
import type { IServiceStatus } from "kubernetes-models/v1/ServiceStatus";
import type { KubeObject } from "../object.ts";

export interface ServiceObject extends KubeObject {
  spec: IServiceSpec;
  status?: IServiceStatus;
}
