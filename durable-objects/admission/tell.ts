import type { Admission } from "./plugin.ts";

/** What webhooks and policies may say to the client of one request, and in one sentence: they are headers (upstream's bounds are in runes). */
const WARNINGS_MAX = 50;
const WARNING_CHARS_MAX = 1024;
/** What one of them may say to the audit log. */
const ANNOTATIONS_MAX = 50;
const ANNOTATION_CHARS_MAX = 10 * 1024;

/** Texts for `Warning` headers, none of them twice. */
export function tellWarnings({ warnings }: Admission, texts: readonly string[]): void {
  for (const text of texts.slice(0, WARNINGS_MAX)) {
    const shown = text.slice(0, WARNING_CHARS_MAX);
    if (warnings.length < WARNINGS_MAX && !warnings.includes(shown)) warnings.push(shown);
  }
}

export function tellAnnotations(
  { annotations }: Admission,
  told: Readonly<Record<string, string>>,
  prefix: string,
): void {
  if (!annotations) return;
  for (const [key, value] of Object.entries(told).slice(0, ANNOTATIONS_MAX)) {
    annotations[`${prefix}${key}`] = value.slice(0, ANNOTATION_CHARS_MAX);
  }
}
