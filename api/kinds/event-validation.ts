import { sameJson } from "../equality.ts";
import { checkQualifiedName } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldRequired } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import { dnsSubdomainComplaints } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import type { EventObject } from "./event-object.ts";

/** What holds for events, which are checked more strictly by their newer API (pkg/apis/core/validation/events.go). */

const at = (name: string): FieldPath => FieldPath.of(name);
const TEXT_LENGTH_MAX = 128;
const NOTE_LENGTH_MAX = 1024;

/** `previous`: what an update is an update of. By the newer API nothing that tells what happened may change. */
export function validateEvent(event: EventObject, isNewApi: boolean, previous?: Readonly<EventObject>): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, involvedObject, eventTime } = event;
  const namespace = involvedObject?.namespace ?? "";
  if (!eventTime) {
    // Events about what has no namespace live in "default".
    const fits = namespace ? namespace === metadata.namespace : metadata.namespace === "default";
    const why = "does not match event.namespace";
    if (!fits) errors.push(fieldInvalid(at("involvedObject").child("namespace"), namespace, why));
  } else validateTimed(event, isNewApi, errors);
  for (const complaint of dnsSubdomainComplaints(metadata.namespace ?? "")) {
    errors.push(fieldInvalid(at("namespace"), metadata.namespace ?? "", complaint));
  }
  if (!isNewApi) return errors;
  if (previous) validateChange(event, previous, errors);
  else validateNew(event, errors);
  return errors;
}

/** An event with an exact time comes of a newer client, whichever API it uses. */
function validateTimed(event: EventObject, isNewApi: boolean, errors: FieldError[]): void {
  const { metadata, involvedObject } = event;
  const namespace = involvedObject?.namespace ?? "";
  if (!namespace && metadata.namespace !== "default" && metadata.namespace !== "kube-system") {
    errors.push(fieldInvalid(at("involvedObject").child("namespace"), namespace, "does not match event.namespace"));
  }
  const controller = event.reportingComponent ?? "";
  const controllerAt = at(isNewApi ? "reportingController" : "reportingComponent");
  if (!controller) errors.push(fieldRequired(controllerAt));
  checkQualifiedName(controller, controllerAt, errors);
  for (const [field, max] of [
    ["reportingInstance", TEXT_LENGTH_MAX],
    ["action", TEXT_LENGTH_MAX],
    ["reason", TEXT_LENGTH_MAX],
  ] as const) {
    const value = event[field] ?? "";
    if (!value) errors.push(fieldRequired(at(field)));
    if (value.length > max) errors.push(fieldInvalid(at(field), "", `can have at most ${max} characters`));
  }
  if ((event.message ?? "").length > NOTE_LENGTH_MAX) {
    errors.push(fieldInvalid(at("message"), "", `can have at most ${NOTE_LENGTH_MAX} characters`));
  }
}

function validateNew(event: EventObject, errors: FieldError[]): void {
  for (const complaint of dnsSubdomainComplaints(event.metadata.name ?? "")) {
    if (event.metadata.name) errors.push(fieldInvalid(at("metadata").child("name"), event.metadata.name, complaint));
  }
  validateSeries(event, errors);
  if (!event.eventTime) errors.push(fieldRequired(at("eventTime")));
  if (event.type !== "Normal" && event.type !== "Warning") {
    errors.push(fieldInvalid(at("type"), "", `has invalid value: ${event.type ?? ""}`));
  }
  for (const field of ["firstTimestamp", "lastTimestamp", "count"] as const) {
    if (event[field]) errors.push(fieldInvalid(at(field), "", "needs to be unset"));
  }
  if (event.source?.component || event.source?.host) {
    errors.push(fieldInvalid(at("source"), "", "needs to be unset"));
  }
}

/** All but the series, which counts on. */
function validateChange(next: EventObject, previous: Readonly<EventObject>, errors: FieldError[]): void {
  if (!sameJson(next.series, previous.series)) validateSeries(next, errors);
  validateImmutable(
    shownReference(next.involvedObject),
    shownReference(previous.involvedObject),
    at("involvedObject"),
    errors,
  );
  for (const [field, shown] of CONSTANT) validateImmutable(shown(next), shown(previous), at(field), errors);
}

type Reference = NonNullable<EventObject["related"]>;

/** References as upstream's errors show them: the fields of its Go types, which carry no JSON names. */
const shownReference = (reference: Reference | undefined): object | null =>
  reference
    ? {
        Kind: reference.kind ?? "",
        Namespace: reference.namespace ?? "",
        Name: reference.name ?? "",
        UID: reference.uid ?? "",
        APIVersion: reference.apiVersion ?? "",
        ResourceVersion: reference.resourceVersion ?? "",
        FieldPath: reference.fieldPath ?? "",
      }
    : null;

/** In upstream's order, which has `reason` twice. */
const CONSTANT: readonly (readonly [field: string, shown: (event: EventObject) => unknown])[] = [
  ["reason", ({ reason = "" }) => reason],
  ["message", ({ message = "" }) => message],
  ["source", ({ source }) => ({ Component: source?.component ?? "", Host: source?.host ?? "" })],
  ["firstTimestamp", ({ firstTimestamp }) => firstTimestamp ?? null],
  ["lastTimestamp", ({ lastTimestamp }) => lastTimestamp ?? null],
  ["count", ({ count = 0 }) => count],
  ["reason", ({ reason = "" }) => reason],
  ["type", ({ type = "" }) => type],
  ["eventTime", ({ eventTime }) => eventTime ?? null],
  ["action", ({ action = "" }) => action],
  ["related", ({ related }) => shownReference(related)],
  ["reportingController", ({ reportingComponent = "" }) => reportingComponent],
  ["reportingInstance", ({ reportingInstance = "" }) => reportingInstance],
];

function validateSeries({ series }: EventObject, errors: FieldError[]): void {
  if (!series) return;
  if ((series.count ?? 0) < 2) errors.push(fieldInvalid("series.count", "", "should be at least 2"));
  if (!series.lastObservedTime) errors.push(fieldRequired("series.lastObservedTime"));
}
