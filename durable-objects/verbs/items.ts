import { Stored } from "../store/stored.ts";
import type { NamedText } from "../store/transaction.ts";
import type { View } from "../store/view.ts";
import type { HomeScope } from "./scope.ts";
import { type Selection, selects } from "./selection.ts";
import type { Served } from "./served.ts";

/** A larger list is answered as a stream: an RPC message may not grow without bound. */
export const BODY_CHARS_MAX = 1 << 20;

export interface ItemsOptions {
  scope: HomeScope;
  served: Served;
  selection: Selection;
  /** What the list is of; nothing at or below it is committed any more. */
  revision: number;
  /** The last name of the page before; empty: from the beginning. */
  after: string;
  /** Items at most. */
  limit: number;
}

/** Some items' texts with the commas between them: as text, or as the UTF-8 that SQLite gave. */
export type ItemsPart = string | Uint8Array<ArrayBuffer>;

/** The items of a list in the served version, read bit by bit at one revision while others write. */
export class Items {
  readonly #options: ItemsOptions;
  readonly #view: View;
  /** Of what was read until now: items, and the name up to which all has been looked at. */
  count = 0;
  last: string;

  constructor(options: ItemsOptions) {
    this.#options = options;
    this.#view = options.scope.store.view(options.served.resource, options.revision);
    this.last = options.after;
  }

  /** Whether as many were read as were wanted. */
  get isFull(): boolean {
    return this.count >= this.#options.limit;
  }

  /** How many objects of the resource follow the last one, selected or not; none where a name was asked for. */
  remaining(): number {
    return this.#options.selection.name === undefined ? this.#view.count(this.last) : 0;
  }

  /** Throws ApiError Expired once compaction has passed the revision: what was read until then is not the list. */
  *parts(): Generator<ItemsPart, void> {
    const { scope, served, selection, revision } = this.#options;
    const release = scope.store.hold(revision);
    try {
      if (selection.name !== undefined) yield* this.#one(selection.name);
      else if (selection.matches || !served.isAsStored) yield* this.#looked();
      else yield* this.#passed();
    } finally {
      release();
    }
  }

  /** Nothing has to be looked at: the stored bytes are what is sent. */
  *#passed(): Generator<ItemsPart, void> {
    const { after, limit } = this.#options;
    for (const { bytes, count, last } of this.#view.pieces({ after, limit })) {
      this.count += count;
      this.last = last;
      yield bytes;
    }
  }

  *#looked(): Generator<ItemsPart, void> {
    const { served, after } = this.#options;
    for (const page of this.#view.pages({ after })) {
      let part = "";
      for (const row of page) {
        if (this.isFull) break;
        this.last = row.name;
        if (!this.#selects(row)) continue;
        const json = served.present(row.json);
        part += this.count++ === 0 ? json : `,${json}`;
      }
      if (part !== "") yield part;
      if (this.isFull) return;
    }
  }

  *#one(name: string): Generator<ItemsPart, void> {
    const { scope, served, revision } = this.#options;
    const { store } = scope;
    const row =
      revision >= store.revision
        ? store.read((tx) => tx.get(served.resource, name))
        : store.getAt(served.resource, name, revision);
    if (!row || !this.#selects(row)) return;
    this.count = 1;
    this.last = name;
    yield served.present(row.json);
  }

  #selects(row: NamedText): boolean {
    const { selection, served } = this.#options;
    return !selection.matches || selects(selection, new Stored(served.resource, row.name, row.revision, row.json));
  }
}

/** Only what is asked for is read: memory is held for a piece, and none for a reader that does not read. */
const NOTHING_AHEAD = { highWaterMark: 0 };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const textOf = (parts: readonly ItemsPart[]): string =>
  parts.map((part) => (typeof part === "string" ? part : decoder.decode(part))).join("");

/** `head` (what was read before its reader knew that it would be a stream), the parts that follow, and an end that is known when they are read. */
export function streamOf(
  head: readonly ItemsPart[],
  parts: Generator<ItemsPart, void>,
  end: () => string,
): ReadableStream<Uint8Array> {
  const first = [...head];
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        // A throw breaks the stream: its reader sees that it has not got everything.
        const { value, done } = first.length > 0 ? { value: first.shift()!, done: false } : parts.next();
        if (value !== undefined) controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
        if (!done) return;
        const tail = end();
        if (tail !== "") controller.enqueue(encoder.encode(tail));
        controller.close();
      },
      cancel() {
        parts.return();
      },
    },
    NOTHING_AHEAD,
  );
}
