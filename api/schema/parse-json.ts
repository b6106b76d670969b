import { badRequest } from "../status.ts";
import { JsonSyntaxError, scanJson } from "./scan-json.ts";

/** Deeper nesting is refused before anything walks it. No Kubernetes type nests nearly as deep; upstream stops at 10,000. */
export const DEPTH_MAX = 1_000;

export interface ParsedJson {
  value: unknown;
  /** Paths of fields given more than once; the last one won. Empty unless asked for. */
  duplicates: readonly string[];
}

const NONE: readonly string[] = [];

/**
 * Parses the text of a request's body, `strict`: looks for fields that are given twice.
 * Throws a 400 ApiError in upstream's words; `kind` is what the address takes.
 */
export function parseJson(text: string, { strict, kind }: { strict: boolean; kind: string }): ParsedJson {
  try {
    return parseText(text, strict);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${error.message}`, text);
  }
}

/** As `parseJson`, but throws a JsonSyntaxError, for callers that have a sentence of their own (patches). */
export function parseText(text: string, strict: boolean): ParsedJson {
  const { depth, colons } = survey(text);
  if (depth > DEPTH_MAX) throw new JsonSyntaxError("exceeded max depth");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    scanJson(text);
    throw new JsonSyntaxError((error as Error).message);
  }
  return { value, duplicates: strict && countKeys(value) !== colons ? scanJson(text) : NONE };
}

/** The body is not an object that has a kind. */
export const unrecognized = (kind: string, why: string, text: string): Error =>
  badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summarize(text)})`);

const SUMMARY_BYTES = 30;

/** The beginning of a body as upstream shows it: text where it looks like JSON, else hexadecimal. */
function summarize(text: string): string {
  if (text === "") return "<empty>";
  const bytes = new TextEncoder().encode(text.slice(0, SUMMARY_BYTES + 1));
  const more = bytes.length > SUMMARY_BYTES ? " ..." : "";
  const head = bytes.subarray(0, SUMMARY_BYTES);
  if (text.startsWith("{")) return new TextDecoder().decode(head) + more;
  return Array.from(head, (byte) => byte.toString(16).padStart(2, "0")).join("") + more;
}

const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;

/** One pass over what is not inside strings: how deep it nests, and how many fields it gives. */
function survey(text: string): { depth: number; colons: number } {
  let colons = 0;
  let level = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i);
      if (i < 0) break;
    } else if (code === COLON) colons++;
    else if (code === 123 || code === 91) {
      level++;
      if (level > depth) depth = level;
    } else if (code === 125 || code === 93) level--;
  }
  return { depth, colons };
}

/** The index of the quote that closes the string opened at `start`, or -1. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") count += countKeys(item);
    return count;
  }
  for (const key in value) {
    count++;
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === "object") count += countKeys(item);
  }
  return count;
}
