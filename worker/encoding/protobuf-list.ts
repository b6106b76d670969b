import { assert } from "../../api/assert.ts";
import type { JsonObject } from "../../api/json-value.ts";
import { ListEncoder } from "../../api/protobuf/encode-object.ts";
import { ApiError } from "../../api/status.ts";
import type { Negotiated } from "./negotiate.ts";

/** What a list may take in protobuf: its beginning tells its length, so it has to be held until its end is known. */
const LIST_BYTES_MAX = 48 * 1024 * 1024;

const ITEMS = '"items":[';

/**
 * A list that a home sends bit by bit as JSON, in protobuf. The JSON is never held as a whole: items are encoded as they come.
 * 413 where the result would be too large: such a list can be had in pages, or as JSON.
 */
export async function encodeList(
  json: ReadableStream<Uint8Array>,
  as: Negotiated["as"],
  metaVersion: Negotiated["metaVersion"],
): Promise<ReadableStream<Uint8Array>> {
  const splitter = new ListSplitter();
  const decoder = new TextDecoder();
  let list: ListEncoder | undefined;
  const take = (text: string) => {
    for (const items of splitter.take(text)) {
      list ??= encoderFor(splitter.head, as, metaVersion);
      list.add(items);
    }
    if (list && list.length > LIST_BYTES_MAX) throw tooLarge();
  };
  const reader = json.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read())
    take(decoder.decode(read.value, { stream: true }));
  take(decoder.decode());
  list ??= encoderFor(splitter.head, as, metaVersion);
  return streamOf(list.finish(splitter.rest()));
}

const tooLarge = (): ApiError =>
  new ApiError(
    "RequestEntityTooLarge",
    "the list is too large to be sent in protobuf: ask for it in pages (limit), or in JSON",
    {},
  );

function encoderFor({ apiVersion, kind }: JsonObject, as: Negotiated["as"], metaVersion: string): ListEncoder {
  return as === "object"
    ? new ListEncoder(apiVersion as string, (kind as string).replace(/List$/, ""))
    : new ListEncoder(`meta.k8s.io/${metaVersion}`, "PartialObjectMetadata");
}

function streamOf(chunks: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < chunks.length) controller.enqueue(chunks[next++]!);
      else controller.close();
    },
  });
}

const QUOTE = 0x22;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const END = 0x5d;

/** Takes a list's JSON apart as it comes: what is before the items, the items, what is behind them. */
export class ListSplitter {
  /** What has not been given away; the items in it begin at its start. */
  #text = "";
  /** How far it has been looked at. */
  #position = 0;
  #depth = 0;
  #inText = false;
  #isInItems = false;
  #isAtEnd = false;
  #head: JsonObject = {};

  /** What stood before the items: `kind`, `apiVersion`, mostly `metadata`. */
  get head(): JsonObject {
    return this.#head;
  }

  /** The list without its items, once everything has been taken. */
  rest(): JsonObject {
    assert(this.#isAtEnd, "the list has an end");
    return { ...this.#head, ...(JSON.parse(`{${this.#text.replace(/^,/, "")}`) as JsonObject) };
  }

  /** The items that are complete with this text. */
  *take(text: string): Generator<JsonObject[], void> {
    this.#text += text;
    if (!this.#isInItems && !this.#isAtEnd) this.#readHead();
    if (!this.#isInItems) return;
    const end = this.#scan();
    const items = this.#text.slice(0, end).replace(/^,/, "");
    if (items !== "") yield JSON.parse(`[${items}]`) as JsonObject[];
    const behind = this.#isAtEnd ? end + 1 : end;
    this.#text = this.#text.slice(behind);
    this.#position -= behind;
  }

  #readHead(): void {
    const at = this.#text.indexOf(ITEMS);
    if (at < 0) return;
    this.#head = JSON.parse(`${this.#text.slice(0, at)}"items":[]}`) as JsonObject;
    delete this.#head["items"];
    this.#text = this.#text.slice(at + ITEMS.length);
    this.#isInItems = true;
  }

  /** Goes on to the end of the text or of the items, and answers where the last complete item ends. */
  #scan(): number {
    const text = this.#text;
    let end = 0;
    for (let i = this.#position; ; i++) {
      if (this.#inText) {
        i = endOfText(text, i);
        if (i < 0) {
          // A backslash at the end is looked at again with what follows it.
          this.#position = text.length - trailingBackslashes(text, text.length);
          return end;
        }
        this.#inText = false;
        continue;
      }
      if (i >= text.length) {
        this.#position = i;
        return end;
      }
      const code = text.charCodeAt(i);
      if (code === QUOTE) this.#inText = true;
      else if (code === OPEN) this.#depth++;
      else if (code === CLOSE) {
        if (--this.#depth === 0) end = i + 1;
      } else if (code === END && this.#depth === 0) {
        this.#isInItems = false;
        this.#isAtEnd = true;
        this.#position = i;
        return i;
      }
    }
  }
}

/** The closing quote of a JSON text that goes on at `from`; -1 where it is yet to come. */
function endOfText(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    if (trailingBackslashes(text, at, from) % 2 === 0) return at;
  }
  return -1;
}

function trailingBackslashes(text: string, end: number, start = 0): number {
  let count = 0;
  while (end - count > start && text[end - count - 1] === "\\") count++;
  return count;
}
