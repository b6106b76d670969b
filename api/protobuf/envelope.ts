import type { JsonObject } from "../json-value.ts";
import { apiVersionOf } from "../kinds/define-kind.ts";
import type { Gvk } from "../schema/decode.ts";
import { type Definition, definitionNamed, definitionOf } from "../schema/facts.ts";
import { badRequest } from "../status.ts";
import { readMessage } from "./decode.ts";
import { wrongWire } from "./scalars.ts";
import { LENGTH, ProtobufError, WireReader } from "./wire-reader.ts";

/** What objects in protobuf begin with, so that nobody takes them for anything else. */
export const MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0); // "k8s\0"

const SUMMARY_BYTES = 30;
const DELETE_OPTIONS = "~apis.meta.v1.DeleteOptions";

/** runtime.Unknown: what the object is, and its bytes. */
interface Envelope {
  apiVersion: string;
  kind: string;
  raw: WireReader;
}

/**
 * An object in protobuf (`application/vnd.kubernetes.protobuf`) as the JSON value that it stands for; `expected` is what the
 * address takes. The value is not validated, and an object of an unknown kind has no fields: both are the JSON decoder's to refuse.
 * 400 ApiErrors as kube-apiserver words them.
 */
export function decodeProtobuf(expected: Gvk, bytes: Uint8Array): JsonObject {
  let envelope: Envelope;
  try {
    envelope = readEnvelope(bytes);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): ${error.message} (${summarize(bytes)})`,
    );
  }
  const kind = envelope.kind || expected.kind;
  const apiVersion = envelope.apiVersion || apiVersionOf(expected);
  const object: JsonObject = { apiVersion, kind };
  const definition = definitionFor(apiVersion, kind);
  if (!definition) return object;
  try {
    return readMessage(envelope.raw, definition, object);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    const version = apiVersion.slice(apiVersion.lastIndexOf("/") + 1);
    throw badRequest(
      `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${error.message}`,
    );
  }
}

/** DeleteOptions are a kind of every group and version. */
function definitionFor(apiVersion: string, kind: string): Definition | undefined {
  if (kind === "DeleteOptions") return definitionNamed(DELETE_OPTIONS);
  const parts = apiVersion.split("/");
  if (parts.length > 2) return undefined;
  const [group, version] = parts.length === 2 ? (parts as [string, string]) : ["", apiVersion];
  return definitionOf(group, version, kind);
}

function readEnvelope(bytes: Uint8Array): Envelope {
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) {
    throw new ProtobufError(
      `provided data does not appear to be a protobuf message, expected prefix [${MAGIC.join(" ")}]`,
    );
  }
  const envelope: Envelope = { apiVersion: "", kind: "", raw: new WireReader(MAGIC, MAGIC.length) };
  const reader = new WireReader(bytes, MAGIC.length);
  eachField(reader, ["typeMeta", "raw"], (name) => {
    const inner = reader.message();
    if (name === "raw") {
      envelope.raw = inner;
      return;
    }
    eachField(inner, ["apiVersion", "kind"], (part) => {
      envelope[part] = inner.text();
    });
  });
  return envelope;
}

/** Goes through the fields 1, 2 … of a message, all of which have a length; the others (contentEncoding …) say nothing that is used. */
function eachField<T extends string>(reader: WireReader, names: readonly T[], visit: (name: T) => void): void {
  while (!reader.done) {
    const { number, wire } = reader.tag();
    const name = names[number - 1];
    if (name === undefined) reader.skip(wire);
    else if (wire === LENGTH) visit(name);
    else throw wrongWire(wire, name);
  }
}

/** The beginning of a body as upstream shows it. */
function summarize(bytes: Uint8Array): string {
  // What looks like JSON upstream shows as it is.
  if (bytes[0] === 0x7b) {
    const text = new TextDecoder().decode(bytes.subarray(0, SUMMARY_BYTES));
    return bytes.length > SUMMARY_BYTES ? `${text} ...` : text;
  }
  const hex = Array.from(bytes.subarray(0, SUMMARY_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return bytes.length > SUMMARY_BYTES ? `${hex} ...` : hex;
}
