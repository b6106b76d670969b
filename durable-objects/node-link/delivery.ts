import { WATCHED_RESOURCES } from "../../api/node-link.ts";
import type { Delivery } from "../protocol.ts";

/**
 * A delivery as `watch` messages of `api/node-link.ts`, one resource each and none longer than `bytesMax` unless a single
 * object is. Objects are spliced in as stored: nothing is parsed.
 */
export function* watchMessages(delivery: Delivery, bytesMax: number): Generator<string> {
  for (const resource of WATCHED_RESOURCES) {
    const events = delivery.events
      .filter((event) => event.resource === resource)
      .map(({ type, json }) => `{"type":"${type}","object":${json}}`);
    if (events.length === 0 && !delivery.reset && !delivery.synced) continue;
    const batches = batchesOf(events, bytesMax - ENVELOPE_BYTES);
    for (const [index, batch] of batches.entries()) {
      const reset = delivery.reset && index === 0 ? ',"reset":true' : "";
      const synced = delivery.synced && index === batches.length - 1 ? ',"synced":true' : "";
      yield `{"type":"watch","resource":"${resource}"${reset}${synced},"events":[${batch.join(",")}]}`;
    }
  }
}

const ENVELOPE_BYTES = 128;

/** Runs of texts whose lengths add up to at most `max`; at least one run, which may be empty. */
function batchesOf(texts: string[], max: number): string[][] {
  const batches: string[][] = [[]];
  let length = 0;
  for (const text of texts) {
    if (length + text.length > max && batches.at(-1)!.length > 0) {
      batches.push([]);
      length = 0;
    }
    batches.at(-1)!.push(text);
    length += text.length + 1;
  }
  return batches;
}
