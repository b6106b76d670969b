import { humanDuration } from "../../api/duration.ts";
import type { Json } from "../../api/json-value.ts";
import { oneLine } from "../one-line.ts";
import { printTable } from "../table.ts";
import { type Change, changesBetween } from "./changes.ts";
import type { ObjectVersion } from "./object-history.ts";

const CHANGES_SHOWN_MAX = 4;
const VALUE_CHARACTERS_MAX = 40;
const PLAIN = /^[\w./:@%+=,-]+$/;
/** Stands for a value that is nobody's to read. */
const HIDDEN = "(hidden)";
const UNSET = "(unset)";

/** What one version did: a line of `cox history`. */
export interface HistoryEntry {
  revision: number;
  /** RFC 3339. */
  time: string;
  author: string;
  type: ObjectVersion["type"];
  /** Where it differs from the version before; of a modification alone, and absent where history does not keep that one. */
  changes?: Change[];
}

/**
 * What each of an object's versions did.
 *
 * @param versions the newest first
 * @param options secret: no value is told, only where it changed
 */
export function entriesOf(
  versions: readonly ObjectVersion[],
  { limit, secret }: { limit: number; secret: boolean },
): HistoryEntry[] {
  return versions.slice(0, limit).map(({ revision, time, author, type, object }, i) => {
    const previous = versions[i + 1];
    const entry = { revision, time, author, type };
    if (type !== "MODIFIED" || !previous) return entry;
    const changes = changesBetween(previous.object, object);
    return { ...entry, changes: secret ? changes.map(hide) : changes };
  });
}

const hide = ({ path, ...values }: Change): Change => ({
  path,
  ...("from" in values && { from: HIDDEN }),
  ...("to" in values && { to: HIDDEN }),
});

/** The entries as a table. `now`: milliseconds since 1970. */
export function printHistory(entries: readonly HistoryEntry[], now: number): string {
  const rows = entries.map((entry) => [
    String(entry.revision),
    `${entry.time} (${humanDuration(Math.max(0, now - Date.parse(entry.time)))} ago)`,
    entry.author || "-",
    describeEntry(entry),
  ]);
  return printTable([["REVISION", "WHEN", "WHO", "WHAT"], ...rows.map((row) => row.map(oneLine))]);
}

function describeEntry({ type, changes }: HistoryEntry): string {
  if (type === "ADDED") return "created";
  if (type === "DELETED") return "deleted";
  if (!changes) return "changed (history does not keep what it was before)";
  if (changes.length === 0) return "nothing but bookkeeping";
  const shown = changes
    .slice(0, CHANGES_SHOWN_MAX)
    .map((change) => `${change.path}: ${shortened(change.from)} → ${shortened(change.to)}`);
  const more = changes.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

function shortened(value: Json): string {
  if (value === undefined) return UNSET;
  const text = typeof value === "string" && (value === HIDDEN || PLAIN.test(value)) ? value : JSON.stringify(value);
  const characters = [...text];
  return characters.length <= VALUE_CHARACTERS_MAX
    ? text
    : `${characters.slice(0, VALUE_CHARACTERS_MAX - 1).join("")}…`;
}
