import { assert } from "../assert.ts";
import { isObject } from "../json-value.ts";
import { BadValue, type DecodeState, mismatch, newDecodeState } from "./decode-state.ts";
import { type Definition, definitionNamed, type SchemaCode } from "./facts.ts";
import type { Decoder } from "./scalar-decoder.ts";

const NEITHER = "boolean or JSON schema expected";

/**
 * Decodes what is a schema or something else, as the UnmarshalJSON functions of k8s.io/apiextensions-apiserver do: unknown
 * fields in here are dropped and nobody is told, and a value of another type is null unless a boolean might have been meant.
 */
export function schemaDecoder(code: SchemaCode, structDecoder: StructDecoders): Decoder {
  return {
    decode(value, state) {
      if (code === "v" && typeof value === "boolean") return value;
      // Go decodes what is in here on its own: errors name no field around it.
      const inner = newDecodeState(state.converter);
      const decoded = isObject(value)
        ? decodeSchema(value, inner, structDecoder)
        : Array.isArray(value) && code !== "v"
          ? decodeItems(code, value, inner, structDecoder)
          : null;
      if (decoded === null && code === "v") throw new BadValue(NEITHER);
      state.wrongType ??= inner.wrongType;
      return decoded;
    },
    zero: () => (code === "v" ? false : null),
  };
}

type StructDecoders = (definition: Definition) => (value: unknown, state: DecodeState) => unknown;

function decodeSchema(value: unknown, state: DecodeState, structDecoder: StructDecoders): unknown {
  const definition = definitionNamed("^apis.apiextensions.v1.JSONSchemaProps");
  assert(definition, "the facts have JSONSchemaProps");
  return structDecoder(definition)(value, state);
}

function decodeItems(code: "u" | "w", items: unknown[], state: DecodeState, structDecoder: StructDecoders): unknown {
  if (items.length === 0) return null;
  return items.map((item) => {
    if (code === "w") return decodeSchema(item ?? {}, state, structDecoder);
    if (item !== null && typeof item !== "string") mismatch(item, "string", state);
    return item ?? "";
  });
}
