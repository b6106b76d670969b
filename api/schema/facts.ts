import facts from "./facts.json" with { type: "json" };

/**
 * The facts about the built-in kinds, as `scripts/make-schemas.ts` wrote them to facts.json. A definition is one line of text,
 * read when it is first asked for: an isolate that serves ConfigMaps never looks at PodSpec.
 *
 *     line      = ["!"] property (";" property)*      "!": the whole is atomic to server-side apply
 *               | "=" code                             a single value with rules of its own (`=q`: Quantity)
 *     property  = name " " type (" " flag)*
 *     type      = code | "#" index in base 36 | "[" type (list) | "{" type (map)
 *     code      = s string, i int32, l int64, d double, b boolean, y bytes, q Quantity, t Time, m MicroTime,
 *                 x IntOrString, r RawExtension, f FieldsV1, j any JSON; of apiextensions: n JSON,
 *                 u JSONSchemaPropsOrStringArray, v JSONSchemaPropsOrBool, w JSONSchemaPropsOrArray, which have no type in OpenAPI
 *     flag      = "!" required, "*" pointer in Go, "+" never omitted, "~" omitted when zero although a struct,
 *                 "a" atomic, "e" set, "k:" map keys, "p:" patch strategies ":" merge key, "d:" default as JSON,
 *                 digits: the field's number in protobuf, `2.5` where it is field 5 of a message that is field 2 on the wire
 *                 and flat in JSON,
 *                 "'" Go's name of the type where it is not the usual one
 */
export type ScalarCode =
  | "s"
  | "i"
  | "l"
  | "d"
  | "b"
  | "y"
  | "q"
  | "t"
  | "m"
  | "x"
  | "r"
  | "f"
  | "j"
  | "n"
  | "u"
  | "v"
  | "w";

/** A schema or something else: JSONSchemaPropsOrStringArray, JSONSchemaPropsOrBool, JSONSchemaPropsOrArray. */
export type SchemaCode = "u" | "v" | "w";

export const isSchemaCode = (code: ScalarCode): code is SchemaCode => code === "u" || code === "v" || code === "w";

/** How the names of definitions begin here, and how in the published document; the last fits all others. */
export const NAME_ROOTS: readonly (readonly [short: string, published: string])[] = [
  ["~", "io.k8s.apimachinery.pkg."],
  ["^", "io.k8s.apiextensions-apiserver.pkg."],
  ["@", "io.k8s.kube-aggregator.pkg."],
  ["", "io.k8s.api."],
];

export type Type =
  | { readonly form: "scalar"; readonly code: ScalarCode }
  | { readonly form: "list"; readonly of: Type }
  | { readonly form: "map"; readonly of: Type }
  | { readonly form: "struct"; readonly definition: Definition };

/** One property of a definition. */
export interface Property {
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
  /** Absent and zero are two things. */
  readonly pointer: boolean;
  /** Written even where it is zero. */
  readonly neverOmitted: boolean;
  /** A struct that is left out where it is zero. */
  readonly omitZero: boolean;
  readonly listType: "atomic" | "set" | "map" | undefined;
  readonly mapKeys: readonly string[];
  readonly patchStrategies: readonly string[];
  readonly mergeKey: string;
  /** JSON text. */
  readonly default: string | undefined;
  /** The field's number in protobuf, after those of the messages around it that JSON does not have; empty where it is not sent. */
  readonly numbers: readonly number[];
  /** As Go prints the type in an error: `[]v1.Container`. */
  readonly goType: string;
}

export class Definition {
  /** `core.v1.PodSpec`; how others begin is in NAME_ROOTS. */
  readonly name: string;
  readonly #text: string;
  #properties: Map<string, Property> | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.#text = text;
  }

  /** `PodSpec`. */
  get structName(): string {
    return this.name.slice(this.name.lastIndexOf(".") + 1);
  }

  /** `v1.PodSpec`. */
  get goType(): string {
    return this.name.split(".").slice(-2).join(".");
  }

  get atomic(): boolean {
    return this.#text.startsWith("!");
  }

  get properties(): ReadonlyMap<string, Property> {
    this.#properties ??= readProperties(this.atomic ? this.#text.slice(1) : this.#text);
    return this.#properties;
  }

  /** The code of a definition that is a single value. */
  get scalar(): ScalarCode | undefined {
    return this.#text.startsWith("=") ? (this.#text[1] as ScalarCode) : undefined;
  }
}

const names = facts.names.split(" ");
const places: ReadonlyMap<string, number> = new Map(names.map((name, index) => [name, index]));
const definitions: (Definition | undefined)[] = new Array(names.length);

const definitionAt = (index: number): Definition => {
  definitions[index] ??= new Definition(names[index]!, facts.definitions[index]!);
  return definitions[index];
};

/** The short names of all definitions. */
export const definitionNames = (): readonly string[] => names;

/** By short name: `apps.v1.DeploymentSpec`, `~apis.meta.v1.ObjectMeta`. */
export function definitionNamed(name: string): Definition | undefined {
  const index = places.get(name);
  return index === undefined ? undefined : definitionAt(index);
}

const kindDefinitions: Record<string, string | undefined> = facts.kinds;

/** The definition of a kind, or nothing where it is not known here. */
export function definitionOf(group: string, version: string, kind: string): Definition | undefined {
  const name = kindDefinitions[`${group}/${version}/${kind}`];
  return name === undefined ? undefined : definitionNamed(name);
}

/** `group/version` → lines of `resource kind namespaced verbs subresource…`, as `api/kinds.ts` reads them. */
export const resourceLines: Readonly<Record<string, readonly string[]>> = facts.resources;

const GO_TYPES: Record<ScalarCode, string> = {
  s: "string",
  i: "int32",
  l: "int64",
  d: "float64",
  b: "bool",
  y: "[]uint8",
  q: "resource.Quantity",
  t: "v1.Time",
  m: "v1.MicroTime",
  x: "intstr.IntOrString",
  r: "runtime.RawExtension",
  f: "v1.FieldsV1",
  j: "interface {}",
  n: "v1.JSON",
  u: "v1.JSONSchemaPropsOrStringArray",
  v: "v1.JSONSchemaPropsOrBool",
  w: "v1.JSONSchemaPropsOrArray",
};

/** How Go prints a type that has no name of its own. */
export function goTypeOf(type: Type): string {
  switch (type.form) {
    case "scalar":
      return GO_TYPES[type.code];
    case "list":
      return `[]${goTypeOf(type.of)}`;
    case "map":
      return `map[string]${goTypeOf(type.of)}`;
    case "struct":
      return type.definition.goType;
  }
}

function readType(text: string): Type {
  switch (text[0]) {
    case "[":
      return { form: "list", of: readType(text.slice(1)) };
    case "{":
      return { form: "map", of: readType(text.slice(1)) };
    case "#":
      return { form: "struct", definition: definitionAt(Number.parseInt(text.slice(1), 36)) };
    default:
      return { form: "scalar", code: text as ScalarCode };
  }
}

const NUMBERS = /^[\d.]+$/;

function readProperties(text: string): Map<string, Property> {
  const properties = new Map<string, Property>();
  if (text === "" || text.startsWith("=")) return properties;
  for (const part of text.split(";")) {
    const [name = "", typeText = "", ...flags] = part.split(" ");
    const type = readType(typeText);
    const rest = (prefix: string) => flags.find((flag) => flag.startsWith(prefix))?.slice(prefix.length);
    const [strategies = "", mergeKey = ""] = (rest("p:") ?? "").split(":");
    const goType = part.indexOf(" '");
    properties.set(name, {
      name,
      type,
      required: flags.includes("!"),
      pointer: flags.includes("*"),
      neverOmitted: flags.includes("+"),
      omitZero: flags.includes("~"),
      listType:
        rest("k:") !== undefined ? "map" : flags.includes("e") ? "set" : flags.includes("a") ? "atomic" : undefined,
      mapKeys: rest("k:")?.split(",") ?? [],
      patchStrategies: strategies === "" ? [] : strategies.split(","),
      mergeKey,
      default: rest("d:"),
      numbers:
        flags
          .find((flag) => NUMBERS.test(flag))
          ?.split(".")
          .map(Number) ?? [],
      goType: goType < 0 ? goTypeOf(type) : part.slice(goType + 2),
    });
  }
  return properties;
}

let hashOfAll: bigint | undefined;

/** A hash of the facts and a salt, as 16 hexadecimal digits (FNV-1a, 64 bits). Not for secrets. */
export function factsHash(salt: string): string {
  hashOfAll ??= fnv(`${facts.names}\n${facts.definitions.join("\n")}\n${JSON.stringify(facts.resources)}`, FNV_OFFSET);
  return fnv(salt, hashOfAll).toString(16).toUpperCase().padStart(16, "0");
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

function fnv(text: string, start: bigint): bigint {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * FNV_PRIME);
  return hash;
}
