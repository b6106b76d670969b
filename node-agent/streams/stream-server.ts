import type { IContainerStatus } from "kubernetes-models/v1/ContainerStatus";
import type { Logger } from "pino";
import type { PodObject } from "../../api/kinds/pod.ts";
import type { Observations } from "../observations.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** What serving a stream needs of the agent. */
export interface StreamServer {
  runtime: Runtime;
  observations: Observations;
  /** Of the node itself. */
  nodeIp: string;
  /** Of this uid, if it is on this node. */
  findPod(uid: string): PodObject | undefined;
  /** As the pod's status last told of it. */
  containerStatus(uid: string, container: string): IContainerStatus | undefined;
  log: Logger;
  now(): number;
}
