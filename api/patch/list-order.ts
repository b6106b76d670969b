import { isObject, type Json, type JsonObject, printGo } from "../json-value.ts";

/**
 * The order of a merged list in a strategic merge patch: what the patch names comes in the patch's order, what only the
 * server has keeps its place before those of its former neighbours that it stood before.
 */

/** A strategic merge patch that upstream answers with a bare 500 and this message. */
export class RefusedPatch extends Error {}

export const noMergeKey = (item: JsonObject, key: string): RefusedPatch =>
  new RefusedPatch(`map: ${printGo(item)} does not contain declared merge key: ${key}`);

/** A value as text: the same for the same value. Lists are searched by it, so that long ones do not take for ever. */
export const elementKey = (value: Json): string =>
  typeof value === "object" && value !== null ? printGo(value) : (JSON.stringify(value) ?? "");

/** Where each element stands first. */
function placesIn(list: readonly Json[], mergeKey: string): (item: Json) => number {
  const keyOf = (item: Json): string | undefined => {
    if (mergeKey === "") return elementKey(item);
    return isObject(item) && mergeKey in item ? elementKey(item[mergeKey]) : undefined;
  };
  const places = new Map<string, number>();
  list.forEach((item, i) => {
    const key = keyOf(item);
    if (key !== undefined && !places.has(key)) places.set(key, i);
  });
  return (item) => places.get(keyOf(item) ?? "") ?? -1;
}

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
  const [placeInPatch, placeOnServer] = [placesIn(patchOrder, mergeKey), placesIn(serverOrder, mergeKey)];
  const named: { item: Json; place: number }[] = [];
  const serverOnly: { item: Json; place: number }[] = [];
  for (const item of merged) {
    const place = placeInPatch(item);
    if (place >= 0) named.push({ item, place });
    else serverOnly.push({ item, place: placeOnServer(item) });
  }
  named.sort((a, b) => a.place - b.place);
  serverOnly.sort((a, b) => (a.place < 0 || b.place < 0 ? 0 : a.place - b.place));

  const result: Json[] = [];
  let next = 0;
  for (const { item } of named) {
    const place = placeOnServer(item);
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
