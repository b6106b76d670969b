import { ApiError } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { Stored } from "../store/stored.ts";
import type { NamedText } from "../store/transaction.ts";
import { textAnswer } from "./answer.ts";
import { type ContinueToken, decodeContinue, encodeContinue, INCONSISTENT } from "./continue-token.ts";
import { checkListOptions, checkNotFuture, currentVersion, parseResourceVersion } from "./resource-version.ts";
import type { Call } from "./scope.ts";
import { type Selection, selectionOf, selects } from "./selection.ts";

/** Objects read from the store at a time. */
const READ_ITEMS = 500;
/** A larger list is answered as a stream: an RPC message may not grow without bound. */
const BODY_CHARS_MAX = 1 << 20;

/** A list at one revision. Without selectors the stored texts are passed on as they are. */
export function list(call: Call): HomeAnswer {
  const { options, served, scope } = call;
  checkListOptions(options, false);
  const selection = selectionOf(options, served.rules, scope.namespace);
  const start = options.continue ? decodeContinue(options.continue) : firstPage(call);
  if (start.revision > 0 && !scope.store.reaches(start.revision)) return expired(call, start);
  return new Listing(call, selection, start).answer();
}

/** Revision 0: as it is now. */
function firstPage({ options, served, scope }: Call): ContinueToken {
  const revision = parseResourceVersion(options.resourceVersion, served.groupResource);
  checkNotFuture(revision, scope.store.revision, scope.now());
  // Unset, resourceVersionMatch means Exact for a paged list at a revision: the meaning it had before it existed.
  const isExact =
    options.resourceVersionMatch === "Exact" || (!options.resourceVersionMatch && options.limit && revision > 0);
  return { revision: isExact ? Math.min(revision, currentVersion(scope.store.revision)) : 0, after: "" };
}

function expired({ options }: Call, { after }: ContinueToken): HomeAnswer {
  if (!options.continue) throw new ApiError("Expired", "The resourceVersion for the provided list is too old.");
  const status = new ApiError(
    "Expired",
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
      "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
      "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
      "deleted between the time the first chunk was returned and now may show up in the list.",
  ).toStatus();
  const token = encodeContinue({ revision: INCONSISTENT, after });
  return textAnswer(410, JSON.stringify({ ...status, metadata: { continue: token } }));
}

/** One answer to one list. */
class Listing {
  readonly #call: Call;
  readonly #selection: Selection;
  /** Of the store when the list began; what changes while it is streamed does not show. */
  readonly #now: number;
  /** The revision that is told, and that later pages are of. */
  readonly #revision: number;
  readonly #isPast: boolean;
  #after: string;
  #left: number;
  #items = 0;

  constructor(call: Call, selection: Selection, start: ContinueToken) {
    this.#call = call;
    this.#selection = selection;
    this.#now = call.scope.store.revision;
    this.#isPast = start.revision > 0 && start.revision < this.#now;
    this.#revision = start.revision > 0 ? start.revision : currentVersion(this.#now);
    this.#after = start.after;
    this.#left = call.options.limit || Number.POSITIVE_INFINITY;
  }

  answer(): HomeAnswer {
    const { apiVersion, info } = this.#call.served;
    let text = `{"kind":"${info.kind}List","apiVersion":"${apiVersion}","metadata":{`;
    // Known beforehand only for what has no pages: kubectl and client-go ask for pages of 500.
    const isPaged = Number.isFinite(this.#left);
    if (isPaged) {
      let items = "";
      for (const part of this.#parts()) items += part;
      return textAnswer(200, `${text}${this.#meta()}},"items":[${items}]}`);
    }
    text += `${this.#meta()}},"items":[`;
    const parts = this.#parts();
    for (;;) {
      const { value, done } = parts.next();
      if (done) return textAnswer(200, `${text}]}`);
      text += value;
      if (text.length > BODY_CHARS_MAX) return textAnswer(200, streamOf(text, parts, "]}"));
    }
  }

  #meta(): string {
    const next = this.#continuation();
    if (!next) return `"resourceVersion":"${this.#revision}"`;
    const remaining = next.remaining === undefined ? "" : `,"remainingItemCount":${next.remaining}`;
    return `"resourceVersion":"${this.#revision}","continue":"${next.token}"${remaining}`;
  }

  /** Where the page ended before the list did. */
  #continuation(): { token: string; remaining: number | undefined } | undefined {
    if (this.#left > 0) return undefined;
    const { scope, served } = this.#call;
    const remaining = this.#isPast
      ? scope.store.listAt(served.resource, this.#revision, { after: this.#after, limit: 0 }).remaining
      : scope.store.read((tx) => tx.count(served.resource, this.#after));
    if (remaining === 0) return undefined;
    const token = encodeContinue({ revision: this.#revision, after: this.#after });
    // As upstream: with a selector nobody knows how many of the rest it selects.
    return { token, remaining: this.#selection.isEverything ? remaining : undefined };
  }

  /** The items' texts, some at a time, with the commas between them. */
  *#parts(): Generator<string, void> {
    if (this.#selection.name !== undefined) {
      const text = this.#readOne(this.#selection.name);
      if (text && this.#selects(text)) yield this.#call.served.present(text.json);
      return;
    }
    const { present } = this.#call.served;
    while (this.#left > 0) {
      const limit = Math.min(READ_ITEMS, this.#selection.matches ? READ_ITEMS : this.#left);
      const rows = this.#read(limit);
      let part = "";
      for (const row of rows) {
        if (this.#left === 0) break;
        this.#after = row.name;
        if (!this.#selects(row)) continue;
        const json = present(row.json);
        part += this.#items++ === 0 ? json : `,${json}`;
        this.#left--;
      }
      if (part !== "") yield part;
      if (rows.length < limit) return;
    }
  }

  #selects(row: NamedText): boolean {
    if (!this.#selection.matches) return true;
    return selects(this.#selection, new Stored(this.#call.served.resource, row.name, row.revision, row.json));
  }

  #readOne(name: string): NamedText | undefined {
    const { scope, served } = this.#call;
    if (this.#isPast) return scope.store.getAt(served.resource, name, this.#revision);
    return scope.store.read((tx) => tx.get(served.resource, name));
  }

  #read(limit: number): NamedText[] {
    const { store } = this.#call.scope;
    const { resource } = this.#call.served;
    const page = { after: this.#after, limit };
    if (this.#isPast) return store.listAt(resource, this.#revision, page).texts;
    // A stream is read while others write: what it has begun to tell, it goes on telling.
    if (store.revision !== this.#now) return store.listAt(resource, this.#now, page).texts;
    return store.read((tx) => (this.#selection.matches ? tx.list(resource, page) : tx.texts(resource, page)));
  }
}

const encoder = new TextEncoder();

function streamOf(head: string, parts: Generator<string, void>, tail: string): ReadableStream<Uint8Array> {
  let first: string | undefined = head;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (first !== undefined) {
        controller.enqueue(encoder.encode(first));
        first = undefined;
        return;
      }
      const { value, done } = parts.next();
      controller.enqueue(encoder.encode(done ? tail : value));
      if (done) controller.close();
    },
    cancel() {
      parts.return();
    },
  });
}
