import { badRequest } from "../../api/status.ts";
import type { HomeAnswer, RequestOptions } from "../protocol.ts";
import { checkListOptions } from "../verbs/resource-version.ts";
import type { Served } from "../verbs/served.ts";
import { forEachBounded } from "./home-source.ts";

/** A body longer than this travels in pieces. */
const BODY_LENGTH_MAX = 4 << 20;

export interface ListOptions {
  served: Served;
  options: RequestOptions;
  /** All namespaces, sorted. */
  namespaces: string[];
  /** Lists one namespace as the user. */
  list(namespace: string, options: RequestOptions): Promise<HomeAnswer>;
  /** Of a first page: the list's revision, once it is known where each home was read. */
  revisionOf(homes: ReadonlyMap<string, number>): number;
}

interface Part {
  revision: number;
  continue: string;
  /** The items' texts, joined by commas. */
  items: string;
  count: number;
}

/** One list over all namespaces, in order of namespace and name. @throws ApiError where the options are wrong. */
export async function mergeLists({ served, options, namespaces, list, revisionOf }: ListOptions): Promise<HomeAnswer> {
  checkListOptions(options, false);
  const token = options.continue ? readToken(options.continue) : undefined;
  const { continue: _, ...rest } = options;
  const limit = options.limit || Number.POSITIVE_INFINITY;
  const homes = new Map<string, number>();
  const parts = new Map<string, Part>();
  let refusal: HomeAnswer | undefined;
  let count = 0;
  let next: { namespace: string; continue: string } | undefined;

  const read = async (namespace: string, more: RequestOptions): Promise<Part | undefined> => {
    const answer = await list(namespace, { ...rest, ...more });
    if (answer.code !== 200) {
      refusal ??= answer;
      return undefined;
    }
    const part = readPart(await textOf(answer.body), limit);
    homes.set(namespace, part.revision);
    parts.set(namespace, part);
    count += part.count;
    return part;
  };

  const ahead = namespaces.filter((namespace) => !token || namespace >= token.namespace);
  if (limit === Number.POSITIVE_INFINITY) {
    await forEachBounded(ahead, async (namespace) => {
      if (!refusal) await read(namespace, continuation(namespace, token));
    });
  } else {
    // One after the other: most pages are full after the first few.
    for (const [i, namespace] of ahead.entries()) {
      const part = await read(namespace, { limit: limit - count, ...continuation(namespace, token) });
      if (!part) break;
      if (part.continue) next = { namespace, continue: part.continue };
      else if (count >= limit && ahead[i + 1] !== undefined) next = { namespace: ahead[i + 1]!, continue: "" };
      if (next) break;
    }
  }
  if (refusal) return refusal;

  const revision = token?.revision ?? revisionOf(homes);
  const metadata = { resourceVersion: String(revision), ...(next && { continue: writeToken({ ...next, revision }) }) };
  const head = JSON.stringify({ kind: `${served.info.kind}List`, apiVersion: served.apiVersion, metadata });
  const items = ahead.map((namespace) => parts.get(namespace)?.items ?? "").filter((text) => text !== "");
  return { code: 200, body: bodyOf([`${head.slice(0, -1)},"items":[`, items, "]}"]) };
}

const continuation = (namespace: string, token: Token | undefined): RequestOptions =>
  token && token.continue !== "" && namespace === token.namespace ? { continue: token.continue } : {};

const ITEMS = '"items":[';

/** Takes a list apart without parsing its items: their texts go on as they are. */
function readPart(text: string, limit: number): Part {
  const start = text.indexOf(ITEMS);
  const end = text.lastIndexOf("]");
  if (start < 0 || end < start) throw new Error("a home answered with something that is no list");
  const { metadata } = JSON.parse(`${text.slice(0, start)}"items":[]}`);
  const items = text.slice(start + ITEMS.length, end).trim();
  return {
    revision: Number(metadata.resourceVersion),
    continue: metadata.continue ?? "",
    items,
    // Only pages have to be counted, and they are small.
    count: items === "" || limit === Number.POSITIVE_INFINITY ? 0 : JSON.parse(`[${items}]`).length,
  };
}

async function textOf(body: string | ReadableStream<Uint8Array>): Promise<string> {
  return typeof body === "string" ? body : await new Response(body).text();
}

function bodyOf([head, items, tail]: [string, string[], string]): string | ReadableStream<Uint8Array> {
  const length = items.reduce((sum, text) => sum + text.length + 1, head.length + tail.length);
  if (length <= BODY_LENGTH_MAX) return `${head}${items.join(",")}${tail}`;
  const pieces = [head, ...items.flatMap((text, i) => (i === 0 ? [text] : [",", text])), tail];
  const encoder = new TextEncoder();
  let at = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const piece = pieces[at++];
      if (piece === undefined) controller.close();
      else controller.enqueue(encoder.encode(piece));
    },
  });
}

interface Token {
  namespace: string;
  /** The home's own token; empty: begin with this namespace. */
  continue: string;
  /** Of the first page, and so of all. */
  revision: number;
}

const writeToken = ({ namespace, continue: inHome, revision }: Token): string =>
  btoa(JSON.stringify({ v: 1, namespace, continue: inHome, revision }));

function readToken(text: string): Token {
  try {
    const { v, namespace, continue: inHome, revision } = JSON.parse(atob(text));
    if (v === 1 && typeof namespace === "string" && typeof inHome === "string" && Number.isSafeInteger(revision)) {
      return { namespace, continue: inHome, revision };
    }
  } catch {
    // Told below, as any other text that is no token of ours.
  }
  throw badRequest("continue key is not valid");
}
