import type { IResourceQuotaSpec } from "kubernetes-models/v1/ResourceQuotaSpec";
import type { IResourceQuotaStatus } from "kubernetes-models/v1/ResourceQuotaStatus";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export interface ResourceQuotaObject extends KubeObject {
  spec: IResourceQuotaSpec;
  status?: IResourceQuotaStatus;
}

export const ResourceQuota = defineKind<ResourceQuotaObject>("v1", "ResourceQuota", {
  resource: "resourcequotas",
});
