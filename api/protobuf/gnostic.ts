import type { WireWriter } from "./wire-writer.ts";

/**
 * Writes JSON documents as the messages of gnostic (github.com/google/gnostic-models), which have one for every kind of value in them,
 * by tables of their fields.
 */

/** Writes one field of a message. */
export type Write = (writer: WireWriter, number: number, value: any) => void;

export interface Message {
  fields: Record<string, [number: number, write: Write]>;
  /** The number of the list of `x-…` fields. */
  extensions?: number;
}

export const text: Write = (writer, number, value: string) => writer.text(number, value);
export const boolean: Write = (writer, number, value: boolean) => writer.integer(number, value);
export const each =
  (write: Write): Write =>
  (writer, number, values: unknown[]) => {
    for (const value of values) write(writer, number, value);
  };
export const texts = each(text);

/** A message within; `find` is asked late, as messages may contain themselves. */
export const message =
  (find: () => Message): Write =>
  (writer, number, value: Record<string, unknown>) =>
    writer.message(number, (inner) => writeMessage(inner, find(), value));

/** A message whose one field has the value: gnostic's way to write alternatives and lists. */
export const wrapped =
  (innerNumber: number, write: Write): Write =>
  (writer, number, value) =>
    writer.message(number, (inner) => write(inner, innerNumber, value));

/** A map: pairs of a name and a value. */
export const pairs =
  (write: Write): Write =>
  (writer, number, values: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(values)) {
      writer.message(number, (pair) => {
        pair.text(1, name);
        write(pair, 2, value);
      });
    }
  };
export const named = (write: Write): Write => wrapped(1, pairs(write));

export const integer: Write = (writer, number, value: number) => writer.integer(number, value);
export const double: Write = (writer, number, value: number) => writer.double(number, value);

/** Anything: as YAML, of which JSON is a part. */
export const any: Write = (writer, number, value) =>
  writer.message(number, (inner) => inner.text(2, typeof value === "string" ? value : JSON.stringify(value)));
const extensions = pairs(any);

/** A schema, or whether there may be anything. */
export const orBoolean =
  (write: Write): Write =>
  (writer, number, value) =>
    typeof value === "boolean" ? wrapped(2, boolean)(writer, number, value) : wrapped(1, write)(writer, number, value);

/** Writes the fields of a message in the order in which the document has them; what is not in the table is left out. */
export function writeMessage(
  writer: WireWriter,
  { fields, extensions: at }: Message,
  value: Record<string, unknown>,
): void {
  const extended: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field) field[1](writer, field[0], inner);
    else if (name.startsWith("x-")) extended[name] = inner;
  }
  if (at !== undefined) extensions(writer, at, extended);
}
