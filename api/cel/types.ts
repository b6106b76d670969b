/** The types that expressions are checked with (cel-spec, "Gradual type checking"). At run time only the outermost is known. */
export type CelType =
  | { readonly kind: SimpleKind }
  | { readonly kind: "list"; readonly element: CelType }
  | { readonly kind: "map"; readonly key: CelType; readonly value: CelType }
  /** Its fields are found by `structs` of the environment, by name. */
  | { readonly kind: "struct"; readonly name: string }
  | { readonly kind: "opaque"; readonly name: string; readonly parameters: readonly CelType[] }
  /** The type of a type; nothing where it is any. */
  | { readonly kind: "type"; readonly of: CelType | undefined }
  | { readonly kind: "parameter"; readonly name: string };

type SimpleKind =
  | "dyn"
  | "error"
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration";

const simple = (kind: SimpleKind): CelType => ({ kind });
export const DYN = simple("dyn");
export const ERROR = simple("error");
export const NULL = simple("null");
export const BOOL = simple("bool");
export const INT = simple("int");
export const UINT = simple("uint");
export const DOUBLE = simple("double");
export const STRING = simple("string");
export const BYTES = simple("bytes");
export const TIMESTAMP = simple("timestamp");
export const DURATION = simple("duration");
export const TYPE: CelType = { kind: "type", of: undefined };

export const listOf = (element: CelType): CelType => ({ kind: "list", element });
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: "map", key, value });
export const structNamed = (name: string): CelType => ({ kind: "struct", name });
export const opaqueNamed = (name: string, ...parameters: CelType[]): CelType => ({ kind: "opaque", name, parameters });
export const OPTIONAL_NAME = "optional_type";
export const optionalOf = (type: CelType): CelType => opaqueNamed(OPTIONAL_NAME, type);
export const typeOf = (of: CelType): CelType => ({ kind: "type", of });
export const parameter = (name: string): CelType => ({ kind: "parameter", name });

/** The types that Kubernetes' libraries add (k8s.io/apiserver/pkg/cel). */
export const QUANTITY = structNamed("kubernetes.Quantity");
export const SEMVER = structNamed("kubernetes.Semver");
export const URL_TYPE = structNamed("kubernetes.URL");
export const FORMAT = structNamed("kubernetes.NamedFormat");
export const IP = opaqueNamed("net.IP");
export const CIDR = opaqueNamed("net.CIDR");
export const AUTHORIZER = structNamed("kubernetes.authorization.Authorizer");
export const PATH_CHECK = structNamed("kubernetes.authorization.PathCheck");
export const GROUP_CHECK = structNamed("kubernetes.authorization.GroupCheck");
export const RESOURCE_CHECK = structNamed("kubernetes.authorization.ResourceCheck");
export const DECISION = structNamed("kubernetes.authorization.Decision");

const RUNTIME_NAMES: Partial<Record<CelType["kind"], string>> = {
  null: "null_type",
  timestamp: "google.protobuf.Timestamp",
  duration: "google.protobuf.Duration",
};

/** What `type(x)` prints, and what run-time errors call a type: without parameters. */
export const runtimeName = (type: CelType): string =>
  type.kind === "struct" || type.kind === "opaque" || type.kind === "parameter"
    ? type.name
    : (RUNTIME_NAMES[type.kind] ?? type.kind);

/** The types within a type, in order. */
export function parametersOf(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case "list":
      return [type.element];
    case "map":
      return [type.key, type.value];
    case "opaque":
      return type.parameters;
    case "type":
      return type.of ? [type.of] : [];
    default:
      return [];
  }
}

/** As the checker's issues print it: `map(string, list(int))`. */
export function formatType(type: CelType): string {
  if (type.kind === "error") return "!error!";
  const name =
    type.kind === "struct" || type.kind === "opaque" || type.kind === "parameter" ? type.name : (type.kind as string);
  const parameters = parametersOf(type);
  return parameters.length === 0 ? name : `${name}(${parameters.map(formatType).join(", ")})`;
}

export const isDyn = (type: CelType): boolean => type.kind === "dyn";

/** What an optional holds; undefined where the type is not an optional. */
export const unwrapOptional = (type: CelType): CelType | undefined =>
  type.kind === "opaque" && type.name === OPTIONAL_NAME ? type.parameters[0] : undefined;

/** The same type, parameter for parameter. */
export function isSameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if (
    (a.kind === "struct" || a.kind === "opaque" || a.kind === "parameter") &&
    a.name !== (b as { name: string }).name
  ) {
    return false;
  }
  const [left, right] = [parametersOf(a), parametersOf(b)];
  return left.length === right.length && left.every((type, i) => isSameType(type, right[i]!));
}

/** `{ a: a }` over and over doubles its type with each step; nobody writes such types who means well. */
export const TYPE_SIZE_MAX = 2_000;

/** Types within a type, itself included; stops counting beyond TYPE_SIZE_MAX. */
export function typeSize(type: CelType, left = TYPE_SIZE_MAX): number {
  let size = 1;
  for (const inner of parametersOf(type)) {
    if (size > left) break;
    size += typeSize(inner, left - size);
  }
  return size;
}
