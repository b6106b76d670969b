import { JUMPS, OWN_CHAIN, type RuleSet } from "./iptables-rules.ts";

type Table = keyof RuleSet;
/** Filter first: where a Service lost its endpoints, it is refused before its old rules are gone. */
const TABLES: readonly Table[] = ["filter", "nat"];

/** The portmap plugin's chains; it never removes those that all host ports share, those of one end in a hash. */
export const HOST_PORT_CHAIN = /^CNI-(HOSTPORT-(DNAT|MASQ|SETMARK)|DN-.+)$/;

/** What `iptables-save` says of one table, as far as it concerns some chains (mostly ours). */
export interface SavedTable {
  /** Those chains, and how many rules each has. */
  chains: Map<string, number>;
  /** Rules of other chains that lead into those, as they follow `-A`. */
  jumps: string[];
}

/** Reads the output of `iptables-save -t TABLE`; `concerned` says which chains' names are looked for. */
export function parseSave(text: string, concerned: RegExp = OWN_CHAIN): SavedTable {
  const chains = new Map<string, number>();
  const jumps: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith(":")) {
      const chain = line.slice(1, line.indexOf(" "));
      if (concerned.test(chain)) chains.set(chain, 0);
    } else if (line.startsWith("-A ")) {
      const chain = line.slice(3, line.indexOf(" ", 3));
      const count = chains.get(chain);
      if (count !== undefined) chains.set(chain, count + 1);
      else if (concerned.test(line.slice(line.lastIndexOf(" -j ") + 4).trim())) jumps.push(line.slice(3));
    }
  }
  return { chains, jumps };
}

/** The text for `iptables-restore --noflush` that makes `next` of `applied`; undefined where nothing differs. */
export function restoreChanges(applied: RuleSet, next: RuleSet): string | undefined {
  return joinTables(
    TABLES.map((table) => {
      const changed = [...next[table]].filter(([chain, rules]) => !sameRules(applied[table].get(chain), rules));
      const gone = [...applied[table].keys()].filter((chain) => !next[table].has(chain));
      return { table, changed, gone, jumps: [] };
    }),
  );
}

/**
 * The text that makes `next` of whatever is there: all chains are written anew, chains of ours that are not in `next`
 * removed, jumps that are missing put first in their chains.
 */
export function restoreAll(saved: Record<Table, SavedTable>, next: RuleSet): string {
  const text = joinTables(
    TABLES.map((table) => ({
      table,
      changed: [...next[table]],
      gone: [...saved[table].chains.keys()].filter((chain) => !next[table].has(chain)),
      jumps: missingJumps(table, saved[table]),
    })),
  );
  return text ?? "";
}

/** The text that removes all chains of `saved`, and what leads there; undefined where there is nothing. */
export function restoreNothing(saved: Record<Table, SavedTable>): string | undefined {
  return joinTables(
    TABLES.map((table) => ({
      table,
      changed: [],
      gone: [...saved[table].chains.keys()],
      jumps: saved[table].jumps.map((jump) => `-D ${jump}`),
    })),
  );
}

/** A pod still has a host port. */
export function hasHostPorts(saved: Record<Table, SavedTable>): boolean {
  return [...saved.nat.chains.keys()].some((chain) => chain.startsWith("CNI-DN-"));
}

/** Somebody else has flushed, removed or added to what was applied. */
export function differs(saved: Record<Table, SavedTable>, applied: RuleSet): boolean {
  return TABLES.some(
    (table) =>
      missingJumps(table, saved[table]).length > 0 ||
      saved[table].chains.size !== applied[table].size ||
      [...applied[table]].some(([chain, rules]) => saved[table].chains.get(chain) !== rules.length),
  );
}

function missingJumps(table: Table, saved: SavedTable): string[] {
  const missing = JUMPS.filter(
    (jump) =>
      jump.table === table &&
      !saved.jumps.some((line) => line.startsWith(`${jump.from} `) && line.trim().endsWith(` -j ${jump.to}`)),
  );
  // Each goes to the first place: the last one put there stands first.
  return missing.reverse().map((jump) => `-I ${jump.from} ${jump.rule} -j ${jump.to}`);
}

interface TableChange {
  table: Table;
  changed: (readonly [chain: string, rules: readonly string[]])[];
  gone: readonly string[];
  jumps: readonly string[];
}

function joinTables(changes: readonly TableChange[]): string | undefined {
  const text = changes.map(tableText).join("");
  return text === "" ? undefined : text;
}

/** Naming a chain empties it; one that is to go is emptied first too, so that the order of going does not matter. */
function tableText({ table, changed, gone, jumps }: TableChange): string {
  if (changed.length + gone.length + jumps.length === 0) return "";
  const lines = [`*${table}`];
  for (const [chain] of changed) lines.push(`:${chain} - [0:0]`);
  for (const chain of gone) lines.push(`:${chain} - [0:0]`);
  for (const [chain, rules] of changed) for (const rule of rules) lines.push(`-A ${chain} ${rule}`);
  lines.push(...jumps);
  for (const chain of gone) lines.push(`-X ${chain}`);
  lines.push("COMMIT", "");
  return lines.join("\n");
}

function sameRules(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((rule, i) => rule === b[i]);
}
