import type { EventObject } from "../../api/kinds/event.ts";
import type { KubeObject } from "../../api/object.ts";

export type { EventObject };

/** What somebody has to say about an object. */
export interface Happening {
  about: KubeObject;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  /** Who says so, as upstream names its component: `deployment-controller`. */
  component: string;
  /** The node it is said from. */
  host?: string;
  fieldPath?: string;
}

// The bounds are those of client-go's EventCorrelator.
/** So many different messages of one reason about one object are told apart within the window; more are combined. */
const SIMILAR_MAX = 10;
const SIMILAR_WINDOW_SECONDS = 600;
const COMBINED_PREFIX = "(combined from similar events): ";
/** So many events about one object are written in a burst; then one in so many seconds. */
const BURST_MAX = 25;
const REFILL_SECONDS = 300;
/** Subjects remembered; the one heard of longest ago is forgotten. */
const SUBJECTS_MAX = 4_096;
/** Longer messages are cut, as upstream's API would refuse them. */
const MESSAGE_LENGTH_MAX = 1_024;

/** What to write: a new Event, an old one with its count raised, or nothing (too many of the kind). */
export type Recorded = { op: "create" | "update"; event: EventObject } | undefined;

/**
 * Turns happenings into Event objects, repeated ones into a higher count, floods into nothing. An event's name is made
 * of what it says, so the same one is found again after a restart; only the flood's bounds are kept in memory.
 */
export class EventRecorder {
  readonly #similar = new Map<string, { messages: Set<string>; last: number }>();
  readonly #tokens = new Map<string, { tokens: number; last: number }>();

  /** `find`: the Event of this name in the object's namespace, if there is one. */
  record(happening: Happening, now: number, find: (name: string) => EventObject | undefined): Recorded {
    if (!this.#spend(happening, now)) return undefined;
    const { message, identity } = this.#combine(happening, now);
    const { about, type, reason, component, host, fieldPath } = happening;
    const name = eventName(about, identity);
    const timestamp = `${new Date(now).toISOString().slice(0, 19)}Z`;
    const known = find(name);
    if (known)
      return {
        op: "update",
        event: { ...known, message, count: (known.count ?? 1) + 1, lastTimestamp: timestamp },
      };
    const namespace = about.metadata.namespace || "default";
    return {
      op: "create",
      event: {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name, namespace },
        involvedObject: {
          apiVersion: about.apiVersion,
          kind: about.kind,
          ...(about.metadata.namespace && { namespace: about.metadata.namespace }),
          name: about.metadata.name,
          ...(about.metadata.uid && { uid: about.metadata.uid }),
          ...(about.metadata.resourceVersion && { resourceVersion: about.metadata.resourceVersion }),
          ...(fieldPath && { fieldPath }),
        },
        reason,
        message,
        source: { component, ...(host && { host }) },
        firstTimestamp: timestamp,
        lastTimestamp: timestamp,
        count: 1,
        type,
        reportingComponent: component,
        reportingInstance: host ?? "",
      },
    };
  }

  /** Takes a token of the subject's bucket; false where it is empty. */
  #spend({ about, component, host }: Happening, now: number): boolean {
    const subject = JSON.stringify([component, host, about.kind, about.metadata.name, about.metadata.uid]);
    const known = this.#tokens.get(subject) ?? { tokens: BURST_MAX, last: now };
    const tokens = Math.min(BURST_MAX, known.tokens + Math.max(0, now - known.last) / 1_000 / REFILL_SECONDS);
    remember(this.#tokens, subject, { tokens: tokens >= 1 ? tokens - 1 : tokens, last: now });
    return tokens >= 1;
  }

  #combine({ about, type, reason, message, component, host, fieldPath }: Happening, now: number) {
    const kind = [component, host, about.kind, about.metadata.name, about.metadata.uid, type, reason];
    const cut = message.slice(0, MESSAGE_LENGTH_MAX);
    const key = JSON.stringify(kind);
    const known = this.#similar.get(key);
    const fresh = !known || now - known.last > SIMILAR_WINDOW_SECONDS * 1_000;
    const messages = fresh ? new Set<string>() : known.messages;
    if (messages.size < SIMILAR_MAX || messages.has(cut)) {
      messages.add(cut);
      remember(this.#similar, key, { messages, last: now });
      return { message: cut, identity: JSON.stringify([...kind, fieldPath, cut]) };
    }
    remember(this.#similar, key, { messages, last: now });
    return {
      message: (COMBINED_PREFIX + cut).slice(0, MESSAGE_LENGTH_MAX),
      identity: JSON.stringify([...kind, COMBINED_PREFIX]),
    };
  }
}

/** A name as upstream's, `<object>.<16 hex digits>`; the digits are made of what the event says. */
function eventName(about: KubeObject, identity: string): string {
  const suffix = `.${hex(fnv1a(identity, 0x811c9dc5))}${hex(fnv1a(identity, 0x050c5d1f))}`;
  return about.metadata.name.slice(0, 253 - suffix.length) + suffix;
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");

function fnv1a(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= SUBJECTS_MAX) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
