import { assign, isObject } from "../json-value.ts";
import { type DecodeState, mismatch, newDecodeState, pathText, STRICT_ERRORS_MAX, STRUCT } from "./decode-state.ts";
import type { Definition, Property, ScalarCode, Type } from "./facts.ts";
import { goTypeOf, isSchemaCode } from "./facts.ts";
import { type Decoder, scalarDecoder } from "./scalar-decoder.ts";
import { schemaDecoder } from "./schema-decoder.ts";

/**
 * Turns definitions into decoders: closures, made once per definition, that check a parsed JSON value in place and bring it
 * into the form that a Go program would write after reading it: nulls and omitted zeros go, structs that are always
 * written come, times and quantities are canonical.
 */

interface Field {
  property: Property;
  decoder: Decoder;
  /** Left out when this says so. */
  omits: (value: unknown) => boolean;
  /** Plain strings are checked without a call. */
  plainString: boolean;
  nullIsZero: boolean;
}

export type StructDecoder = (value: unknown, state: DecodeState) => Record<string, unknown>;

const isEmptyList = (value: unknown): boolean => (value as unknown[]).length === 0;
const isEmptyMap = (value: unknown): boolean => {
  for (const _ in value as object) return false;
  return true;
};
const never = () => false;

function omitRule(property: Property): (value: unknown) => boolean {
  if (property.neverOmitted) return never;
  const { type } = property;
  if (type.form === "list") return isEmptyList;
  if (type.form === "map") return isEmptyMap;
  if (property.pointer) return never;
  if (type.form === "struct") return property.omitZero ? isEmptyMap : never;
  switch (type.code) {
    case "s":
    case "y":
      return (value) => value === "";
    case "i":
    case "l":
    case "d":
      return (value) => value === 0;
    case "b":
      return (value) => value === false;
    default:
      return never;
  }
}

/** Decoders by definition; made when first used, so that definitions may refer to themselves. */
const structDecoders = new WeakMap<Definition, StructDecoder>();

/** The decoder of a definition. */
export function structDecoder(definition: Definition): StructDecoder {
  let decoder = structDecoders.get(definition);
  if (!decoder) {
    decoder = makeStructDecoder(definition);
    structDecoders.set(definition, decoder);
  }
  return decoder;
}

function makeStructDecoder(definition: Definition): StructDecoder {
  const { structName, goType } = definition;
  const fields = new Map<string, Field>();
  /** Written even where they are absent. */
  const always: { name: string; zero: () => unknown }[] = [];
  for (const property of definition.properties.values()) {
    const { type } = property;
    const decoder = decoderOf(type, property.goType);
    const isStruct = type.form === "struct";
    const code = type.form === "scalar" ? type.code : undefined;
    fields.set(property.name, {
      property,
      decoder,
      omits: omitRule(property),
      plainString: code === "s",
      nullIsZero: !property.pointer && (isStruct || code === "q"),
    });
    // Of the scalars that Go never omits, those that are optional have a default, which the kind's rules set where they are absent.
    const writtenAlways =
      !property.pointer &&
      !property.omitZero &&
      (isStruct || code === "q" || (property.neverOmitted && property.required && isPlain(code)));
    if (writtenAlways) always.push({ name: property.name, zero: decoder.zero });
  }
  return (value, state) => {
    if (!isObject(value)) {
      mismatch(value, state.converter ? STRUCT : goType, state);
      return {};
    }
    const outer = state.struct;
    for (const key in value) {
      const field = fields.get(key);
      if (field === undefined) {
        if (state.unknown.length < STRICT_ERRORS_MAX) state.unknown.push(pathText(state.path, key));
        delete value[key];
        continue;
      }
      const given = value[key];
      if (given === null) {
        if (field.nullIsZero) value[key] = field.decoder.zero();
        else delete value[key];
        continue;
      }
      if (field.plainString && typeof given === "string") {
        if (given === "" && field.omits(given)) delete value[key];
        continue;
      }
      state.struct = structName;
      state.path.push(key);
      state.fields.push(key);
      const decoded = field.decoder.decode(given, state);
      state.path.pop();
      state.fields.pop();
      state.struct = outer;
      if (decoded === undefined || field.omits(decoded)) delete value[key];
      else if (decoded !== given) value[key] = decoded;
    }
    for (const { name, zero } of always) {
      if (value[name] === undefined) value[name] = zero();
    }
    return value;
  };
}

const isPlain = (code: ScalarCode | undefined): boolean =>
  code === "s" || code === "i" || code === "l" || code === "b" || code === "d";

function decoderOf(type: Type, goType: string): Decoder {
  switch (type.form) {
    case "scalar":
      return isSchemaCode(type.code) ? schemaDecoder(type.code, structDecoder) : scalarDecoder(type.code, goType);
    case "list":
      return listDecoder(decoderOf(type.of, elementType(goType, type.of)), goType);
    case "map":
      return mapDecoder(decoderOf(type.of, elementType(goType, type.of)), goType);
    case "struct": {
      const { definition } = type;
      return {
        decode: (value, state) => structDecoder(definition)(value, state),
        zero: () => structDecoder(definition)({}, newDecodeState()),
      };
    }
  }
}

/** `[]v1.Capability` has elements of `v1.Capability`; a type with a name of its own hides what they are called. */
function elementType(goType: string, of: Type): string {
  const element = /^(?:\[\]|map\[[^\]]*\])(.+)$/.exec(goType);
  return element ? element[1]! : goTypeOf(of);
}

function listDecoder(element: Decoder, goType: string): Decoder {
  return {
    decode(value, state) {
      if (!Array.isArray(value)) return void mismatch(value, goType, state);
      for (let i = 0; i < value.length; i++) {
        const given = value[i];
        if (given === null) {
          value[i] = element.zero() ?? null;
          continue;
        }
        state.path.push(i);
        const decoded = element.decode(given, state);
        state.path.pop();
        if (decoded !== given) value[i] = decoded ?? null;
      }
      return value;
    },
    zero: () => undefined,
  };
}

function mapDecoder(element: Decoder, goType: string): Decoder {
  return {
    decode(value, state) {
      if (!isObject(value)) return void mismatch(value, goType, state);
      for (const key in value) {
        const given = value[key];
        if (given === null) {
          assign(value, key, element.zero() ?? null);
          continue;
        }
        state.path.push(key);
        const decoded = element.decode(given, state);
        state.path.pop();
        if (decoded !== given) assign(value, key, decoded ?? null);
      }
      return value;
    },
    zero: () => undefined,
  };
}
