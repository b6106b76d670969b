import { Event, type EventObject } from "../../api/kinds/event.ts";
import type { HomeController } from "./controller.ts";
import { timeOf } from "./pod-state.ts";

/** How long an Event is kept after it last happened (kube-apiserver's --event-ttl). */
export const EVENT_TTL_SECONDS = 3_600;
const DELETES_MAX = 100;
/** Sweeps are no closer together than this: events expire in groups, not one by one. */
const SWEEP_SECONDS_MIN = 60;

/** Deletes Events when their time is up. */
export const eventTtl: HomeController = {
  name: "event-ttl-controller",
  watches: [{ kind: Event, matters: (_event, previous) => previous === undefined }],
  reconcileHome(view, { now }) {
    const expired: string[] = [];
    let next: number | undefined;
    for (const event of view.list(Event)) {
      const expiresAt = lastHappened(event) + EVENT_TTL_SECONDS * 1_000;
      if (expiresAt <= now) expired.push(event.metadata.name);
      else if (next === undefined || expiresAt < next) next = expiresAt;
    }
    const writes = expired.slice(0, DELETES_MAX).map((name) => ({ op: "delete" as const, kind: Event, name }));
    if (expired.length > DELETES_MAX) return { writes, again: { inSeconds: 0 } };
    if (next === undefined) return { writes };
    return { writes, again: { inSeconds: Math.max(SWEEP_SECONDS_MIN, Math.ceil((next - now) / 1_000)) } };
  },
};

const lastHappened = ({ metadata, lastTimestamp, eventTime, series }: Readonly<EventObject>): number =>
  Math.max(
    ...[metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime].map(
      (time) => timeOf(time as string | null | undefined) ?? 0,
    ),
  );
