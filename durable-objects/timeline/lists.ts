import { ApiError, badRequest } from "../../api/status.ts";
import type { HomeAnswer, PartAnswer, PartRequest, RequestOptions, Target } from "../protocol.ts";
import { textAnswer } from "../verbs/answer.ts";
import { decodeContinue, encodeContinue, INCONSISTENT } from "../verbs/continue-token.ts";
import { expiredPage, expiredRevision } from "../verbs/list.ts";
import { checkListOptions, checkReadable, parseResourceVersion } from "../verbs/resource-version.ts";
import { type Selection, selectionOf } from "../verbs/selection.ts";
import type { Served } from "../verbs/served.ts";
import { unavailable } from "./calls.ts";
import { forEachBounded, HOMES_AT_ONCE } from "./home-source.ts";
import { readAhead } from "./read-ahead.ts";

/** A larger list is answered as a stream: an RPC message may not grow without bound. */
const BODY_CHARS_MAX = 1 << 20;
/** Streamed in pieces of about this length: small namespaces are sent together. */
const PIECE_CHARS = 256 << 10;
/** Text that is read of namespaces whose turn has not come. */
const AHEAD_CHARS_MAX = 8 << 20;

export interface ListsOptions {
  /** A revision that everything acknowledged until now is at or below. */
  cut(): Promise<number>;
  /** At or below it no home commits any more, other than those that are asked when they are read. */
  announced(): number;
  /** Names of the namespaces at a revision, sorted; undefined where history does not reach back to it. */
  namespacesAt(revision: number): Promise<string[] | undefined>;
  /** One home's items. @throws ApiError where it does not answer. */
  readPart(namespace: string, request: PartRequest): Promise<PartAnswer>;
  /** Whether the histories of all these reach back to a revision. */
  reaches(namespaces: string[], revision: number): Promise<boolean>;
}

/** Where the next page begins; all pages are of one revision. */
interface Token {
  revision: number;
  namespace: string;
  /** The last name of the page before in this namespace; empty: from its beginning. */
  after: string;
  /** How many objects follow the page before; undefined where nobody has counted them. */
  remaining: number | undefined;
}

interface Listing {
  served: Served;
  selection: Selection;
  revision: number;
  /** Those that are still to be read, the first one after `after`. */
  namespaces: string[];
  after: string;
  read(namespace: string, limit: number): Promise<PartAnswer>;
}

/** Lists of one resource in all namespaces, by namespace and name, at one revision. Items are passed on as they are stored. */
export class Lists {
  readonly #options: ListsOptions;

  constructor(options: ListsOptions) {
    this.#options = options;
  }

  /** @throws ApiError */
  async list(served: Served, target: Target, options: RequestOptions): Promise<HomeAnswer> {
    checkListOptions(options, false);
    const selection = selectionOf(options, served.rules, "");
    const token = options.continue ? readToken(options.continue) : undefined;
    const given = this.#given(options, token);
    const revision = given ?? (await this.#options.cut());
    const after = token?.after ?? "";
    const gone = (namespace: string, name: string): HomeAnswer => {
      if (!token) throw expiredRevision();
      return expiredPage(startOf(namespace, name, undefined));
    };

    const all = await this.#options.namespacesAt(revision);
    if (!all) return gone(token?.namespace ?? "", after);
    const namespaces = token ? all.filter((namespace) => namespace >= token.namespace) : all;
    const { labelSelector, fieldSelector } = options;
    const selectors = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
    const listing: Listing = {
      served,
      selection,
      revision,
      namespaces,
      after,
      read: (namespace, limit) => {
        const from = namespace === token?.namespace ? after : "";
        return this.#options.readPart(namespace, { target, options: selectors, revision, after: from, limit });
      },
    };
    if (options.limit) {
      return (await this.#page(listing, options.limit, token)) ?? gone(token?.namespace ?? "", after);
    }
    // Once it has begun nobody can be told that the beginning was of no use.
    const isPast = given !== undefined && !(await this.#options.reaches(namespaces, revision));
    return isPast ? gone(token?.namespace ?? "", after) : await this.#whole(listing);
  }

  /** The revision that the options name, if they name one; otherwise any will do that is new enough. */
  #given(options: RequestOptions, token: Token | undefined): number | undefined {
    const scope = { highest: () => this.#options.announced() };
    if (token) {
      checkReadable(token.revision, options, scope);
      return token.revision === INCONSISTENT ? options.at : token.revision;
    }
    const { resourceVersionMatch: match } = options;
    const asked = parseResourceVersion(options.resourceVersion);
    checkReadable(asked, options, scope);
    // Unset, resourceVersionMatch means Exact for a paged list at a revision: the meaning it had before it existed.
    const isExact = match === "Exact" || (!match && options.limit && asked > 0);
    // A cut is at or above everything announced, and so what was asked for.
    return isExact ? asked : options.at;
  }

  /** Undefined where a home's history does not reach back to the revision. */
  async #page(listing: Listing, limit: number, token: Token | undefined): Promise<HomeAnswer | undefined> {
    const { served, selection, revision, namespaces } = listing;
    const texts: string[] = [];
    let left = limit;
    let next: Pick<Token, "namespace" | "after"> | undefined;
    let remaining = 0;
    // One after the other: most pages are full after the first few.
    let at = 0;
    for (; at < namespaces.length && !next; at++) {
      const namespace = namespaces[at]!;
      const part = await listing.read(namespace, left);
      if (part.expired) return undefined;
      if (part.count > 0) texts.push(part.items as string);
      left -= part.count;
      // A home's answer may stop early, at what one message holds.
      if (left > 0 && part.remaining === 0) continue;
      remaining = part.remaining;
      if (remaining > 0) next = { namespace, after: part.last };
      else if (at + 1 < namespaces.length) next = { namespace: namespaces[at + 1]!, after: "" };
    }
    // As upstream: with a selector nobody knows how many of the rest it selects.
    let count: number | undefined;
    if (next && selection.isEverything) {
      // At one revision what was counted for the first page stays true.
      if (token?.remaining !== undefined) count = token.remaining - (limit - left);
      else {
        const further = await this.#count(listing, namespaces.slice(at));
        if (further === undefined) return undefined;
        count = remaining + further;
      }
      if (count <= 0) next = undefined;
    }
    const continuation = next && {
      continue: encodeContinue({ revision, after: startOf(next.namespace, next.after, count) }),
      ...(count !== undefined && { remainingItemCount: count }),
    };
    return textAnswer(
      200,
      `${head(served, { resourceVersion: String(revision), ...continuation })}${texts.join(",")}]}`,
    );
  }

  /** How many objects are in these namespaces; undefined where a history does not reach back. */
  async #count({ read }: Listing, namespaces: string[]): Promise<number | undefined> {
    let count = 0;
    let isExpired = false;
    await forEachBounded(namespaces, async (namespace) => {
      if (isExpired) return;
      const part = await read(namespace, 1);
      isExpired ||= part.expired;
      count += part.count + part.remaining;
    });
    return isExpired ? undefined : count;
  }

  async #whole(listing: Listing): Promise<HomeAnswer> {
    const { served, revision } = listing;
    const pieces = piecesOf(listing);
    let text = head(served, { resourceVersion: String(revision) });
    for (;;) {
      const { value, done } = await pieces.next().catch((error: unknown) => {
        // A home's stream has broken, and nothing of the list has been sent yet.
        throw error instanceof ApiError ? error : unavailable();
      });
      if (done) return textAnswer(200, `${text}]}`);
      if (typeof value !== "string") return textAnswer(200, streamOf([encoder.encode(text), value], pieces));
      text += value;
      if (text.length > BODY_CHARS_MAX) return textAnswer(200, streamOf([encoder.encode(text)], pieces));
    }
  }
}

type Piece = string | Uint8Array;

const encoder = new TextEncoder();

const head = ({ listKind, apiVersion }: Served, metadata: Record<string, unknown>): string =>
  `${JSON.stringify({ kind: listKind, apiVersion, metadata }).slice(0, -1)},"items":[`;

/** The items of all namespaces with the commas between them. Throws where one cannot be read: a list must not end early unnoticed. */
async function* piecesOf({ namespaces, read }: Listing): AsyncGenerator<Piece, void> {
  const parts = readAhead(namespaces, (namespace) => read(namespace, 0), {
    width: HOMES_AT_ONCE,
    sizeMax: AHEAD_CHARS_MAX,
    sizeOf: ({ items }) => (typeof items === "string" ? items.length : 0),
    drop: ({ items }) => void (typeof items !== "string" && items.cancel().catch(() => undefined)),
  });
  let text = "";
  let comma = "";
  for await (const { expired, items } of parts) {
    if (expired) throw expiredRevision();
    if (typeof items !== "string") {
      for await (const bytes of chunksOf(items)) {
        if (text + comma !== "") yield text + comma;
        text = "";
        comma = "";
        yield bytes;
      }
      comma = ",";
    } else if (items !== "") {
      text += comma + items;
      comma = ",";
      if (text.length < PIECE_CHARS) continue;
      yield text;
      text = "";
    }
  }
  if (text !== "") yield text;
}

/** Of a stream of items, of which there is at least one. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  let isDone = false;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      isDone = done;
      if (done) return;
      if (value.length > 0) yield value;
    }
  } finally {
    if (!isDone) await reader.cancel().catch(() => undefined);
  }
}

function streamOf(begin: Uint8Array[], pieces: AsyncGenerator<Piece, void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const begun = begin.shift();
      if (begun) {
        controller.enqueue(begun as Uint8Array<ArrayBuffer>);
        return;
      }
      // What it throws breaks the stream: whoever reads it knows that this is not all.
      const { value, done } = await pieces.next();
      if (done) {
        controller.enqueue(encoder.encode("]}"));
        controller.close();
      } else controller.enqueue((typeof value === "string" ? encoder.encode(value) : value) as Uint8Array<ArrayBuffer>);
    },
    async cancel() {
      await pieces.return();
    },
  });
}

/** `<namespace>/<name>/<remaining>`: none of the three can hold a slash. */
const startOf = (namespace: string, after: string, remaining: number | undefined): string =>
  `${namespace}/${after}/${remaining ?? ""}`;

function readToken(text: string): Token {
  const { revision, after: start } = decodeContinue(text);
  const [namespace, after, remaining, ...rest] = start.split("/");
  if (namespace === undefined || after === undefined || !/^\d*$/.test(remaining ?? "-") || rest.length > 0) {
    throw badRequest(`continue key is not valid: ${JSON.stringify(start)}`);
  }
  return { revision, namespace, after, remaining: remaining ? Number(remaining) : undefined };
}
