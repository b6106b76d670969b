/** What one decoding has met so far. */
export interface DecodeState {
  /** Where we are: property names, map keys and list indexes. */
  readonly path: (string | number)[];
  /** The names of struct fields alone, as Go's errors tell the place. */
  readonly fields: string[];
  /** Unknown fields by path, at most STRICT_ERRORS_MAX. */
  readonly unknown: string[];
  /** The first value of a wrong type; decoding goes on behind it, as Go's does. */
  wrongType: string | undefined;
  /** The struct that holds the current field. */
  struct: string;
  /** Tell wrong types as upstream's converter of patched objects does. */
  readonly converter: boolean;
}

export const newDecodeState = (converter = false): DecodeState => ({
  path: [],
  fields: [],
  unknown: [],
  wrongType: undefined,
  struct: "",
  converter,
});

/** A value that ends decoding at once, since its own parser refused it. */
export class BadValue extends Error {}

/** More are not told (upstream has the same bound). */
export const STRICT_ERRORS_MAX = 100;

/** How a Go error names the JSON value. */
export function describeJson(value: unknown): string {
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "string":
      return "string";
    case "number":
      return "number";
    case "boolean":
      return "bool";
    default:
      return "object";
  }
}

/** `spec.containers[0].image`. */
export function pathText(path: readonly (string | number)[], last?: string): string {
  let text = "";
  for (const part of path) text += typeof part === "number" ? `[${part}]` : text === "" ? part : `.${part}`;
  return last === undefined ? text : text === "" ? last : `${text}.${last}`;
}

export function unmarshalError(what: string, goType: string, state: DecodeState): string {
  return state.struct === ""
    ? `json: cannot unmarshal ${what} into Go value of type ${goType}`
    : `json: cannot unmarshal ${what} into Go struct field ${state.struct}.${state.fields.join(".")} of type ${goType}`;
}

/** Notes a value of a wrong type. */
export function mismatch(value: unknown, goType: string, state: DecodeState, what = describeJson(value)): void {
  state.wrongType ??= state.converter ? conversionError(value, goType) : unmarshalError(what, goType, state);
}

/** What k8s.io/apimachinery's unstructured converter says of a value of the wrong type. */
function conversionError(value: unknown, goType: string): string {
  const given = goKind(value);
  if (goType.startsWith("[]")) return `cannot restore slice from ${given}`;
  if (goType.startsWith("map[") || goType.endsWith(".ResourceList")) return `cannot restore map from ${given}`;
  if (goType === "int32" || goType === "int64") {
    return given === "float64" ? `cannot convert float64 to ${goType}` : `unrecognized type: ${goType}`;
  }
  if (goType === "bool" || goType === "float64") return `unrecognized type: ${goType}`;
  if (goType === STRUCT) return `cannot restore struct from: ${given}`;
  return given === "int64" ? `cannot convert int64 to ${goType}` : "unrecognized type: string";
}

function goKind(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  const kind = describeJson(value);
  return kind === "array" ? "slice" : kind === "object" ? "map" : kind;
}

/** In place of a struct's name, where only the sort of type is told. */
export const STRUCT = "struct";
