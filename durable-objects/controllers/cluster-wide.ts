import { admissionPolicyStatus } from "./admission-policy-status.ts";
import type { AnyController } from "./controller.ts";
import { flowControlBootstrap } from "./flow-control-bootstrap.ts";
import { flowSchemaStatus } from "./flow-schema-status.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { nodeIpam } from "./node-ipam.ts";
import { nodeLifecycle, type Presence } from "./node-lifecycle.ts";

/** What the ClusterHome's controllers must be told. */
export interface ClusterFacts {
  /** The range that nodes' pod ranges are cut from, as `10.244.0.0/16`. */
  podCidr: string;
  /** What the home knows of a node's link; undefined where the node has never dialled in. */
  presenceOf(node: string): Presence | undefined;
}

/** The controllers of a ClusterHome. When a node's presence changes, `ControllerLoop.look` is to be called for it. */
export const clusterWideControllers = ({ podCidr, presenceOf }: ClusterFacts): readonly AnyController[] => [
  nodeIpam(podCidr),
  nodeLifecycle(presenceOf),
  admissionPolicyStatus,
  flowControlBootstrap,
  flowSchemaStatus,
  garbageCollector,
];
