import { ageSince } from "../duration.ts";
import { defineKind } from "./define-kind.ts";
import type { EventObject } from "./event-object.ts";
import { validateEvent } from "./event-validation.ts";

export type { EventObject };

/** Something that happened to an object, for people to read. */
export const Event = defineKind<EventObject>("v1", "Event", {
  resource: "events",
  // The newer API is stricter, in its validation.
  nameRule: "path",
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
  setDefaults(event) {
    // Upstream writes what is not there.
    event.reportingComponent ??= "";
    event.reportingInstance ??= "";
    for (const field of ["eventTime", "firstTimestamp", "lastTimestamp"] as const) event[field] ??= null as never;
  },
  validate: (event, asked, previous) => validateEvent(event, asked?.group === "events.k8s.io", previous),
  // Under the names of both APIs; upstream offers in each its own.
  selectableFields: ({ involvedObject, reason, reportingComponent, source, type }) => ({
    ...referenceFields("involvedObject", involvedObject),
    ...referenceFields("regarding", involvedObject),
    reason: reason ?? "",
    reportingComponent: reportingComponent ?? "",
    reportingController: reportingComponent ?? "",
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

function referenceFields(name: string, reference: EventObject["involvedObject"] | undefined): Record<string, string> {
  const fields = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] as const;
  return Object.fromEntries(fields.map((field) => [`${name}.${field}`, reference?.[field] ?? ""]));
}
