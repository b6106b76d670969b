import type { FeedEvent, RequestOptions } from "../protocol.ts";
import { Stored } from "../store/stored.ts";
import { withRevision } from "../verbs/object-text.ts";
import { selectionOf, selects } from "../verbs/selection.ts";
import type { Served } from "../verbs/served.ts";

/** One line of a watch; empty where the event is none of the watcher's. */
export type WatchFilter = (event: FeedEvent) => string;

/** @throws ApiError where a selector cannot be understood. */
export function watchFilter({ rules, present }: Served, options: RequestOptions): WatchFilter {
  const selection = selectionOf(options, rules, "");
  if (selection.isEverything) return ({ type, json }) => watchLine(type, present(json));

  return ({ type, revision, resource, name, json, previousJson }) => {
    const isSelected = (text: string): boolean => selects(selection, new Stored(resource, name, revision, text));
    if (type !== "MODIFIED" || previousJson === undefined)
      return isSelected(json) ? watchLine(type, present(json)) : "";
    const saw = isSelected(previousJson);
    if (isSelected(json)) return watchLine(saw ? "MODIFIED" : "ADDED", present(json));
    // To its watcher the object is gone: as it was last seen, at the revision of its leaving.
    return saw ? watchLine("DELETED", present(withRevision(previousJson, revision))) : "";
  };
}

export const watchLine = (type: string, json: string): string => `{"type":"${type}","object":${json}}\n`;
