import { ApiError } from "../../api/status.ts";
import type { FeedEvent } from "../protocol.ts";
import { forEachBounded, type HomeSource } from "./home-source.ts";

/** Texts of one page of all homes together; each home gives its share, and at least so much. */
const PAGE_CHARS = 4 << 20;
const HOME_CHARS_MIN = 16 << 10;

/** What happened after a revision and up to another in several homes, in the order of the revisions, a page at a time. */
export class HistoryPages {
  readonly #source: HomeSource;
  readonly #resource: string;
  readonly #upTo: number;
  /** Homes that may have something after `#after`. */
  #homes: string[];
  #after: number;

  /** No home may commit anything more at or below `upTo`. */
  constructor(source: HomeSource, resource: string, homes: string[], { after, upTo }: { after: number; upTo: number }) {
    this.#source = source;
    this.#resource = resource;
    this.#homes = homes;
    this.#after = after;
    this.#upTo = upTo;
  }

  get isDone(): boolean {
    return this.#after >= this.#upTo;
  }

  /** Everything up to here was in the pages so far. */
  get revision(): number {
    return this.#after;
  }

  /** @throws ApiError Expired where a home's history does not reach back that far. */
  async next(): Promise<FeedEvent[]> {
    const events: FeedEvent[] = [];
    const further: string[] = [];
    const share = Math.max(HOME_CHARS_MIN, Math.floor(PAGE_CHARS / Math.max(1, this.#homes.length)));
    // What all homes have told of: a home that has more to tell may have it right after what it told.
    let end = this.#upTo;
    await forEachBounded(this.#homes, async (home) => {
      const answer = await this.#source.changesSince(home, this.#after, [this.#resource], {
        upTo: this.#upTo,
        chars: share,
      });
      if (answer.expired) throw expired();
      if (answer.more) end = Math.min(end, answer.upTo);
      if (answer.more || answer.events.length > 0) further.push(home);
      for (const event of answer.events) events.push(event);
    });
    this.#homes = further;
    this.#after = end;
    // Those beyond the end are read again: keeping them would keep as much as a page for every watch.
    return events.filter(({ revision }) => revision <= end).sort((a, b) => a.revision - b.revision);
  }
}

export const expired = (): ApiError =>
  new ApiError("Expired", "The resourceVersion for the provided watch is too old.");
