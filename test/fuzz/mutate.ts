import type { Random } from "./random.ts";

/** As deep as this program itself can print. */
const DEPTH = 1_000;
const LONG = 70_000;

/** What programs that read JSON have stumbled over. */
const NASTY: readonly ((random: Random) => unknown)[] = [
  () => null,
  () => "",
  () => 0,
  () => -1,
  () => 1.5,
  () => 2 ** 53,
  () => 1e308,
  () => true,
  () => [],
  () => ({}),
  () => [null],
  () => [[], {}, ""],
  () => ({ "": "" }),
  () => JSON.parse('{"__proto__":{"a":1},"constructor":1,"toString":1}'),
  () => "__proto__",
  () => "\u0000\ud800\u2028é\u{1f6a2}",
  () => "a".repeat(LONG),
  () => `${"(a+".repeat(50)})+$`,
  () => "9".repeat(400),
  () => "1e999999999",
  () => "-9223372036854775808",
  () => "2026-13-45T99:99:99Z",
  () => "/../%2e%2e/\\",
  () => "a/b/c",
  () => "$(A)$$((B))",
  () => "self.all(x, self.all(y, self.all(z, x == y && y == z)))",
  () => "[?(@.a==1)]..*",
  () => nested(DEPTH),
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

export const nasty = (random: Random): unknown => random.pick(NASTY)(random);

/** A copy of a JSON value with some of its places changed: another value, none, a field more, twice the same. */
export function mutated(value: unknown, random: Random): unknown {
  const copy = { root: structuredClone(value) };
  for (let times = 1 + random.below(3); times > 0; times--) changeOne(copy, random);
  return copy.root;
}

function changeOne(copy: { root: unknown }, random: Random): void {
  const places = placesOf(copy);
  const { holder, key } = random.pick(places);
  const action = random.below(6);
  const current = holder[key];
  if (action === 0 && holder !== copy) {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  } else if (action === 1 && Array.isArray(holder)) holder.push(structuredClone(current));
  else if (action === 2 && typeof current === "object" && current !== null && !Array.isArray(current))
    (current as Record<string, unknown>)[random.pick(["extra", "name", "$patch", "f:a", "x-y", ""])] = nasty(random);
  else if (action === 3) {
    // What stands elsewhere has another type, or the same one in the wrong place.
    const other = random.pick(places);
    holder[key] = structuredClone(other.holder[other.key]);
  } else holder[key] = nasty(random);
}

interface Place {
  holder: Record<string, unknown>;
  key: string;
}

/** Only so many are looked at: some values are huge. */
const PLACES_MAX = 2_000;

function placesOf(root: { root: unknown }): Place[] {
  const places: Place[] = [{ holder: root, key: "root" }];
  for (let i = 0; i < places.length && places.length < PLACES_MAX; i++) {
    const { holder, key } = places[i]!;
    const value = holder[key];
    if (typeof value !== "object" || value === null) continue;
    for (const inner of Object.keys(value)) places.push({ holder: value as Record<string, unknown>, key: inner });
  }
  return places;
}

/** The same bytes but for some of them. */
export function mutatedBytes(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = random.below(6); times > 0 && copy.length > 0; times--)
    copy[random.below(copy.length)] = random.below(256);
  return random.below(4) === 0 ? copy.subarray(0, random.below(copy.length + 1)) : copy;
}
