import type { ILeaseSpec } from "kubernetes-models/coordination.k8s.io/v1/LeaseSpec";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export interface LeaseObject extends KubeObject {
  spec: ILeaseSpec;
}

export const Lease = defineKind<LeaseObject>("coordination.k8s.io/v1", "Lease", {
  resource: "leases",
});
