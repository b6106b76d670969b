/**
 * `make-enums GO_CHECKOUT…`: writes api/schema/enums.json, the values of the types that upstream marks as enums (`+enum`), which OpenAPI v3
 * alone tells and `kubectl explain` shows. GO_CHECKOUT are folders with the sources of k8s.io/api, apimachinery and others like them.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { definitionNames } from "../api/schema/facts.ts";

const ENUM = /\/\/ \+enum\n(?:\/\/.*\n)*type (\w+) string\n/g;
/** `Always PullPolicy = "Always"`, `PathTypeExact = PathType("Exact")`, `AddressTypeIPv4 = AddressType(v1.IPv4Protocol)`. */
const CONSTANT = /^\s*(?:const\s+)?(\w+)\s+(?:(\w+)\s*=\s*"([^"]*)"|=\s*(\w+)\((?:"([^"]*)"|\w+\.(\w+))\))/gm;

/** By short name (`core.v1.PullPolicy`, `~apis.meta.v1.…`): the values, sorted. */
export function readEnums(checkouts: readonly string[]): Record<string, string[]> {
  const enums: Record<string, string[]> = {};
  const named = new Map<string, string>();
  const known = new Set(definitionNames().map((name) => name.slice(0, name.lastIndexOf("."))));
  for (const root of checkouts) {
    for (const [folder, text] of sourcesOf(root)) {
      const values = new Map([...text.matchAll(ENUM)].map(([, name]) => [name!, new Set<string>()]));
      for (const [, name, type, value, converted, given, other] of text.matchAll(CONSTANT)) {
        const found = value ?? given ?? named.get(other ?? "");
        if (found === undefined) continue;
        named.set(name!, found);
        values.get(type ?? converted!)?.add(found);
      }
      const group = folder.replace(/^pkg\/apis\//, "^apis/").replaceAll("/", ".");
      if (!known.has(group)) continue;
      for (const [name, set] of values) if (set.size > 0) enums[`${group}.${name}`] = [...set].sort();
    }
  }
  return Object.fromEntries(Object.entries(enums).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The text of each folder's Go files, but for tests. */
function sourcesOf(root: string): Map<string, string> {
  const sources = new Map<string, string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/types.*\.go$/.test(entry.name)) continue;
    const folder = relative(root, entry.parentPath);
    const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
    sources.set(folder, `${sources.get(folder) ?? ""}\n${text}`);
  }
  return sources;
}

if (import.meta.main) {
  const enums = readEnums(process.argv.slice(2));
  writeFileSync(new URL("../api/schema/enums.json", import.meta.url), `${JSON.stringify(enums, undefined, 2)}\n`);
}
