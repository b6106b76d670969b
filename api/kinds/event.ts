import type { IEvent } from "kubernetes-models/v1/Event";
import { ageSince } from "../duration.ts";
import { type FieldError, fieldInvalid } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type EventObject = Omit<IEvent, "apiVersion" | "kind" | "metadata"> & KubeObject;

const INVOLVED_NAMESPACE = FieldPath.of("involvedObject").child("namespace");

/** Something that happened to an object, for people to read. */
export const Event = defineKind<EventObject>("v1", "Event", {
  resource: "events",
  withoutAge: true,
  columns: [
    { name: "Last Seen", description: "When it last happened.", value: lastSeen },
    { name: "Type", description: "Normal or Warning.", value: ({ type }) => type ?? "" },
    { name: "Reason", description: "Why, in a word.", value: ({ reason }) => reason ?? "" },
    {
      name: "Object",
      description: "What it happened to.",
      value({ involvedObject: { kind = "", name } = {} }) {
        return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
      },
    },
    {
      name: "Subobject",
      priority: 1,
      description: "Which part of the object.",
      value: ({ involvedObject }) => involvedObject?.fieldPath ?? "",
    },
    {
      name: "Source",
      priority: 1,
      description: "Who says so.",
      value({ source, reportingComponent, reportingInstance }) {
        const component = source?.component || reportingComponent || "";
        const instance = source?.host || reportingInstance;
        return instance ? `${component}, ${instance}` : component;
      },
    },
    { name: "Message", description: "What happened.", value: ({ message }) => (message ?? "").trim() },
    { name: "First Seen", priority: 1, description: "When it first happened.", value: firstSeen },
    {
      name: "Count",
      priority: 1,
      description: "How often it happened.",
      value: ({ series, count }) => (series ? (series.count ?? 0) : count || 1),
    },
    {
      name: "Name",
      priority: 1,
      format: "name",
      description: "Name of the event.",
      value: ({ metadata }) => metadata.name,
    },
  ],
  validate({ metadata, involvedObject }) {
    const errors: FieldError[] = [];
    const namespace = involvedObject?.namespace ?? "";
    // Events about what has no namespace live in "default".
    const fits = namespace ? namespace === metadata.namespace : metadata.namespace === "default";
    if (!fits) errors.push(fieldInvalid(INVOLVED_NAMESPACE, namespace, "does not match event.namespace"));
    return errors;
  },
  selectableFields: ({ involvedObject, reason, reportingComponent, source, type }) => ({
    "involvedObject.kind": involvedObject?.kind ?? "",
    "involvedObject.namespace": involvedObject?.namespace ?? "",
    "involvedObject.name": involvedObject?.name ?? "",
    "involvedObject.uid": involvedObject?.uid ?? "",
    "involvedObject.apiVersion": involvedObject?.apiVersion ?? "",
    "involvedObject.resourceVersion": involvedObject?.resourceVersion ?? "",
    "involvedObject.fieldPath": involvedObject?.fieldPath ?? "",
    reason: reason ?? "",
    reportingComponent: reportingComponent ?? "",
    source: source?.component || reportingComponent || "",
    type: type ?? "",
  }),
});

function firstSeen({ firstTimestamp, eventTime }: EventObject, now: number): string {
  return ageSince(firstTimestamp || eventTime, now);
}

function lastSeen(event: EventObject, now: number): string {
  if (event.series) return ageSince(event.series.lastObservedTime, now);
  return event.lastTimestamp ? ageSince(event.lastTimestamp, now) : firstSeen(event, now);
}
