import type { PartAnswer, PartRequest } from "../protocol.ts";
import { BODY_CHARS_MAX, Items, type ItemsPart, streamOf, textOf } from "./items.ts";
import type { HomeScope } from "./scope.ts";
import { selectionOf } from "./selection.ts";
import { servedIn } from "./served.ts";

/** Texts of a limited answer, about: it is one message. What does not fit is left for the next one (`remaining` tells). */
const LIMITED_CHARS_MAX = 8 << 20;

/** This home's share of a list across namespaces. Nothing at or below its revision is committed any more. */
export function readPart(scope: HomeScope, { target, options, revision, after, limit }: PartRequest): PartAnswer {
  const nothing = { items: "", count: 0, last: after, remaining: 0 };
  if (!scope.store.reaches(revision)) return { ...nothing, expired: true };
  const served = servedIn(scope.catalog, target);
  const selection = selectionOf(options, served.rules, scope.namespace);
  const items = new Items({ scope, served, selection, revision, after, limit: limit || Number.MAX_SAFE_INTEGER });

  const parts = items.parts();
  const read: ItemsPart[] = [];
  for (let size = 0; size <= (limit > 0 ? LIMITED_CHARS_MAX : BODY_CHARS_MAX); ) {
    const { value, done } = parts.next();
    if (done) return limit > 0 ? limited(items, read) : { ...nothing, items: textOf(read), expired: false };
    read.push(value);
    size += value.length;
  }
  if (limit === 0) return { ...nothing, items: streamOf(read, parts, () => ""), expired: false };
  parts.return();
  return limited(items, read);
}

const limited = (items: Items, read: readonly ItemsPart[]): PartAnswer => ({
  expired: false,
  items: textOf(read),
  count: items.count,
  last: items.last,
  remaining: items.remaining(),
});
