import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One JSON field of a Go struct: what its tag and type say that the published spec leaves out. */
export interface GoField {
  /** As reflect prints the type without pointers: `v1.RestartPolicy`, `[]v1.Container`. */
  type: string;
  pointer: boolean;
  omitEmpty: boolean;
  omitZero: boolean;
  /** Its number on the wire; below an embedded struct the path to it: `2.5`. */
  number?: string;
  /** JSON text of the field's default. */
  default?: string;
}

/** Fields by JSON name; embedded structs are flattened. */
export type GoStruct = Map<string, GoField>;

interface RawField {
  json: string;
  type: string;
  inline: boolean;
  omitEmpty: boolean;
  omitZero: boolean;
  number?: string;
  default?: string;
}

interface RawStruct {
  /** Folder and package, for names that are not qualified. */
  folder: string;
  fields: RawField[];
}

const FIELD = /^\s*(?:(\w+)\s+)?(\S+)\s+`[^`]*json:"([^"]*)"[^`]*`/;
const PROTOBUF = /\bprotobuf:"\w+,(\d+),[^"]*"/;
const IMPORT = /^\s*(?:import\s+)?(?:(\w+)\s+)?"(k8s\.io\/[^"]+)"/;

/**
 * Reads the Go struct types below checkouts of k8s.io/api, apimachinery and others like them. Answers a lookup by folder and type name
 * (`core/v1`, `PodSpec`).
 */
export function readGoTypes(checkouts: string[]): (folder: string, name: string) => GoStruct | undefined {
  const structs = new Map<string, RawStruct>();
  /** `type A = b.B` and `type A b.B`. */
  const aliases = new Map<string, string>();
  const constants = new Map<string, string>();
  for (const checkout of checkouts)
    for (const file of goFiles(checkout)) readFile(checkout, file, { structs, aliases, constants });
  const done = new Map<string, GoStruct>();
  const lookUp = (folder: string, target: string): GoStruct | undefined => {
    const dot = target.lastIndexOf(".");
    return dot < 0 ? flatten(folder, target) : flatten(target.slice(0, dot), target.slice(dot + 1));
  };
  const flatten = (folder: string, name: string): GoStruct | undefined => {
    const key = `${folder}.${name}`;
    const ready = done.get(key);
    if (ready) return ready;
    const alias = aliases.get(key);
    if (alias !== undefined) return lookUp(folder, alias);
    const raw = structs.get(key);
    if (!raw) return undefined;
    const result: GoStruct = new Map();
    done.set(key, result);
    for (const field of raw.fields) {
      if (field.inline) {
        const inner = lookUp(raw.folder, field.type.replace(/^\*/, ""));
        for (const [json, { number, ...value }] of inner ?? [])
          result.set(json, { ...value, ...below(field.number, number) });
      } else {
        result.set(field.json, {
          type: printed(field.type.replace(/^\*/, "")),
          pointer: field.type.startsWith("*"),
          omitEmpty: field.omitEmpty,
          omitZero: field.omitZero,
          ...(field.number !== undefined && { number: field.number }),
          ...(field.default !== undefined && { default: resolveDefault(field.default, raw.folder, constants) }),
        });
      }
    }
    return result;
  };
  return flatten;
}

/** An embedded struct is flat in JSON and a message of its own on the wire; TypeMeta is not sent at all. */
const below = (outer: string | undefined, inner: string | undefined): { number?: string } =>
  outer !== undefined && inner !== undefined ? { number: `${outer}.${inner}` } : {};

/** `ref(Name)` stands for a constant of the same package. */
function resolveDefault(text: string, folder: string, constants: Map<string, string>): string {
  const reference = /^ref\((\w+)\)$/.exec(text);
  return reference ? (constants.get(`${folder}.${reference[1]}`) ?? "null") : text;
}

function* goFiles(root: string): Generator<string> {
  for (const entry of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    if (entry.endsWith(".go") && !entry.endsWith("_test.go") && !/zz_generated|generated\.|\/testing\//.test(entry))
      yield entry;
  }
}

interface Found {
  structs: Map<string, RawStruct>;
  aliases: Map<string, string>;
  constants: Map<string, string>;
}

function readFile(root: string, file: string, { structs, aliases, constants }: Found): void {
  const folder = file.slice(0, file.lastIndexOf("/"));
  const imports = new Map<string, string>();
  let struct: RawStruct | undefined;
  let marker: string | undefined;
  for (const line of readFileSync(join(root, file), "utf8").split("\n")) {
    if (!struct) {
      const imported = IMPORT.exec(line);
      if (imported) {
        const path = imported[2]!.replace(/^k8s\.io\/(api|apimachinery|apiextensions-apiserver|kube-aggregator)\//, "");
        imports.set(imported[1] ?? path.slice(path.lastIndexOf("/") + 1), path);
      }
      const constant = /^\s*(\w+)\s+\w+\s*=\s*("[^"]*")/.exec(line);
      if (constant) constants.set(`${folder}.${constant[1]}`, constant[2]!);
      const alias = /^type (\w+) (?:= )?(\w+\.[A-Z]\w*)$/.exec(line);
      if (alias) aliases.set(`${folder}.${alias[1]}`, qualify(alias[2]!, folder, imports));
      const start = /^type (\w+) struct \{/.exec(line);
      if (start) {
        struct = { folder, fields: [] };
        structs.set(`${folder}.${start[1]}`, struct);
      }
      continue;
    }
    if (line === "}") {
      struct = undefined;
      continue;
    }
    const comment = /^\s*\/\/(?:\s*\+default=(.*))?/.exec(line);
    if (comment) {
      marker = comment[1] ?? marker;
      continue;
    }
    const match = FIELD.exec(line);
    if (!match) continue;
    const fallback = marker;
    marker = undefined;
    const [json = "", ...flags] = match[3]!.split(",");
    if (json === "-") continue;
    const number = PROTOBUF.exec(line)?.[1];
    struct.fields.push({
      json,
      type: qualify(match[2]!, folder, imports),
      inline: json === "" && (flags.includes("inline") || match[1] === undefined),
      omitEmpty: flags.includes("omitempty"),
      omitZero: flags.includes("omitzero"),
      ...(number !== undefined && { number }),
      ...(fallback !== undefined && { default: fallback }),
    });
  }
}

const BUILT_IN = new Set(["string", "bool", "int", "int32", "int64", "float64", "byte", "uint8", "interface{}", "map"]);

/** Gives every named type its full folder: `PodSpec` in core/v1 is `core/v1.PodSpec`. */
const qualify = (type: string, folder: string, imports: Map<string, string>): string =>
  type.replace(/([A-Za-z_]\w*\.)?([A-Za-z_]\w*)/g, (whole, prefix: string | undefined, name: string) => {
    if (!prefix) return BUILT_IN.has(name) || name === "interface" ? whole : `${folder}.${name}`;
    return `${imports.get(prefix.slice(0, -1)) ?? prefix.slice(0, -1)}.${name}`;
  });

/** As reflect prints it: the package's own name, not its folder. */
const printed = (type: string): string => type.replace(/(?:[\w.]+\/)+(\w+)\./g, "$1.").replace(/\bbyte\b/g, "uint8");
