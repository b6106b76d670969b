import type { FeedEvent, RequestOptions } from "../protocol.ts";
import { Stored } from "../store/stored.ts";
import { withRevision } from "../verbs/object-text.ts";
import { type Selection, selectionOf, selects } from "../verbs/selection.ts";
import type { Served } from "../verbs/served.ts";
import { addedEvent } from "./home-source.ts";

/** What a watch tells of what happens. */
export class WatchFilter {
  readonly #served: Served;
  readonly #selection: Selection;

  /** @throws ApiError where a selector cannot be understood. */
  constructor(served: Served, options: RequestOptions) {
    this.#served = served;
    this.#selection = selectionOf(options, served.rules, "");
  }

  /** Every event is told as it is: those who are served the same version are told the same. */
  get isEverything(): boolean {
    return this.#selection.isEverything;
  }

  /** One line of a watch; empty where the event is none of the watcher's. */
  line(event: FeedEvent): string {
    const { type, revision, json, previousJson } = event;
    const served = this.#served;
    if (this.isEverything) return watchLine(type, served.present(json));
    if (type !== "MODIFIED" || previousJson === undefined)
      return this.#selects(event, json) ? watchLine(type, served.present(json)) : "";
    const saw = this.#selects(event, previousJson);
    if (this.#selects(event, json)) return watchLine(saw ? "MODIFIED" : "ADDED", served.present(json));
    // To its watcher the object is gone: as it was last seen, at the revision of its leaving.
    return saw ? watchLine("DELETED", served.present(withRevision(previousJson, revision))) : "";
  }

  /** The line of an object that is there from the beginning. */
  stateLine(object: { resource: string; json: string }): string {
    return this.isEverything ? watchLine("ADDED", this.#served.present(object.json)) : this.line(addedEvent(object));
  }

  #selects({ resource, name, revision }: FeedEvent, text: string): boolean {
    return selects(this.#selection, new Stored(resource, name, revision, text));
  }
}

export const watchLine = (type: string, json: string): string => `{"type":"${type}","object":${json}}\n`;
