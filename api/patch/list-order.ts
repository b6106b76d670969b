import { equalJson, isObject, type Json, type JsonObject, printGo } from "../json-value.ts";

/**
 * The order of a merged list in a strategic merge patch: what the patch names comes in the patch's order, what only the
 * server has keeps its place before those of its former neighbours that it stood before.
 */

/** A strategic merge patch that upstream answers with a bare 500 and this message. */
export class RefusedPatch extends Error {}

export const noMergeKey = (item: JsonObject, key: string): RefusedPatch =>
  new RefusedPatch(`map: ${printGo(item)} does not contain declared merge key: ${key}`);

/** Whether two elements are the same one: by merge key, or as values where there is no key. */
function sameElement(a: Json, b: Json, mergeKey: string): boolean {
  if (mergeKey === "") return equalJson(a, b);
  return isObject(a) && isObject(b) && mergeKey in a && equalJson(a[mergeKey], b[mergeKey]);
}

const indexIn = (list: readonly Json[], item: Json, mergeKey: string): number =>
  list.findIndex((candidate) => sameElement(item, candidate, mergeKey));

/**
 * Orders `merged`. `patchOrder` names the elements of the patch; `serverOrder` is the list before the patch.
 * With a merge key, every element of all three must have it.
 */
export function orderMerged(
  merged: readonly Json[],
  patchOrder: readonly Json[],
  serverOrder: readonly Json[],
  mergeKey: string,
): Json[] {
  if (mergeKey !== "") {
    for (const list of [merged, patchOrder]) {
      for (const item of list) if (isObject(item) && !(mergeKey in item)) throw noMergeKey(item, mergeKey);
    }
  }
  const named: { item: Json; place: number }[] = [];
  const serverOnly: { item: Json; place: number }[] = [];
  for (const item of merged) {
    const place = indexIn(patchOrder, item, mergeKey);
    if (place >= 0) named.push({ item, place });
    else serverOnly.push({ item, place: indexIn(serverOrder, item, mergeKey) });
  }
  named.sort((a, b) => a.place - b.place);
  serverOnly.sort((a, b) => (a.place < 0 || b.place < 0 ? 0 : a.place - b.place));

  const result: Json[] = [];
  let next = 0;
  for (const { item } of named) {
    const place = indexIn(serverOrder, item, mergeKey);
    while (next < serverOnly.length && place >= 0) {
      const candidate = serverOnly[next]!;
      if (candidate.place < 0 || candidate.place > place) break;
      result.push(candidate.item);
      next++;
    }
    result.push(item);
  }
  for (; next < serverOnly.length; next++) result.push(serverOnly[next]!.item);
  return result;
}
