import { assert } from "../assert.ts";
import type { KindRef } from "../kind.ts";
import { apiVersionOf } from "../kinds/define-kind.ts";
import type { KubeObject } from "../object.ts";
import { autoscalerFromV1, autoscalerToV1 } from "./convert-autoscaler.ts";

type Fields = Record<string, any>;
type Convert = (object: KubeObject) => void;

const CORE_EVENT = "/v1/Event";
const NEW_EVENT = "events.k8s.io/v1/Event";

/** Versions whose shapes differ; between all others only `apiVersion` changes. Each changes the object in place. */
const CONVERSIONS: Record<string, Convert | undefined> = {
  [`${NEW_EVENT}>${CORE_EVENT}`]: (event) => rename(event, EVENT_NAMES),
  [`${CORE_EVENT}>${NEW_EVENT}`]: (event) =>
    rename(
      event,
      EVENT_NAMES.map(([a, b]) => [b, a]),
    ),
  "autoscaling/v1/HorizontalPodAutoscaler>autoscaling/v2/HorizontalPodAutoscaler": autoscalerFromV1,
  "autoscaling/v2/HorizontalPodAutoscaler>autoscaling/v1/HorizontalPodAutoscaler": autoscalerToV1,
  ...resourceConversions("ResourceClaim", (object) => requestsIn(object["spec"])),
  ...resourceConversions("ResourceClaimTemplate", (object) => requestsIn(object["spec"]?.spec)),
  "resource.k8s.io/v1beta1/ResourceSlice>resource.k8s.io/v1/ResourceSlice": (slice) => {
    for (const device of slice["spec"]?.devices ?? []) unwrap(device, "basic");
  },
  "resource.k8s.io/v1/ResourceSlice>resource.k8s.io/v1beta1/ResourceSlice": (slice) => {
    for (const device of slice["spec"]?.devices ?? []) wrap(device, "basic", ["name"]);
  },
};

const keyOf = ({ group, version, kind }: Pick<KindRef, "group" | "version" | "kind">): string =>
  `${group}/${version}/${kind}`;

/**
 * The object in another version of its kind. The given object is used up. `to` is a kind that is served under the same
 * resource; asking for another is a bug.
 */
export function convert(object: KubeObject, to: Pick<KindRef, "group" | "version" | "kind">): KubeObject {
  const apiVersion = apiVersionOf(to);
  if (object.apiVersion === apiVersion) return object;
  assert(object.kind === to.kind, `${object.kind} cannot become a ${to.kind}`);
  const slash = object.apiVersion.indexOf("/");
  const from = {
    group: slash < 0 ? "" : object.apiVersion.slice(0, slash),
    version: object.apiVersion.slice(slash + 1),
    kind: object.kind,
  };
  CONVERSIONS[`${keyOf(from)}>${keyOf(to)}`]?.(object);
  object.apiVersion = apiVersion;
  return object;
}

/** events.k8s.io's names, and those of the core group. */
const EVENT_NAMES: [string, string][] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
];

function rename(object: Fields, names: [string, string][]): void {
  for (const [from, to] of names) {
    if (object[from] === undefined) continue;
    object[to] = object[from];
    delete object[from];
  }
}

const requestsIn = (spec: Fields | undefined): Fields[] => spec?.["devices"]?.requests ?? [];

/** Since v1beta2 what a device request asks for is in `exactly`, unless it is a list of alternatives. */
function resourceConversions(kind: string, requests: (object: Fields) => Fields[]): Record<string, Convert> {
  const conversions: Record<string, Convert> = {};
  for (const later of ["v1", "v1beta2"]) {
    conversions[`resource.k8s.io/v1beta1/${kind}>resource.k8s.io/${later}/${kind}`] = (object) => {
      for (const request of requests(object)) if (!request["firstAvailable"]) wrap(request, "exactly", ["name"]);
    };
    conversions[`resource.k8s.io/${later}/${kind}>resource.k8s.io/v1beta1/${kind}`] = (object) => {
      for (const request of requests(object)) unwrap(request, "exactly");
    };
  }
  return conversions;
}

/** Moves all fields but the kept ones into one below. */
function wrap(object: Fields, name: string, kept: string[]): void {
  const inner: Fields = {};
  for (const key of Object.keys(object)) {
    if (kept.includes(key)) continue;
    inner[key] = object[key];
    delete object[key];
  }
  if (Object.keys(inner).length > 0) object[name] = inner;
}

function unwrap(object: Fields, name: string): void {
  const inner = object[name];
  delete object[name];
  Object.assign(object, inner);
}
