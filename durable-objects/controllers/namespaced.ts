import type { AnyController } from "./controller.ts";
import { deployment } from "./deployment.ts";
import { endpointSlice } from "./endpoint-slice.ts";
import { endpoints } from "./endpoints.ts";
import { eventTtl } from "./event-ttl.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { podGc } from "./pod-gc.ts";
import { replicaSet } from "./replica-set.ts";
import { serviceAccount } from "./service-account.ts";

/** The controllers of every NamespaceHome; `rootCaPublisher` joins them where the API's certificate is known. */
export const NAMESPACED_CONTROLLERS: readonly AnyController[] = [
  deployment,
  replicaSet,
  endpoints,
  endpointSlice,
  serviceAccount,
  garbageCollector,
  podGc,
  eventTtl,
];
