import { isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { type Definition, definitionNamed, definitionOf } from "../schema/facts.ts";
import { writeMessage } from "./encode.ts";
import { MAGIC } from "./envelope.ts";
import { WireWriter } from "./wire-writer.ts";

/** The type of a body in protobuf. */
export const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

/** The fields of runtime.Unknown, metav1.TypeMeta, metav1.WatchEvent and of lists. */
const UNKNOWN = { typeMeta: 1, raw: 2, contentEncoding: 3, contentType: 4 };
const TYPE_META = { apiVersion: 1, kind: 2 };
const WATCH_EVENT = { type: 1, object: 2 };
const RAW_EXTENSION_RAW = 1;
const LIST = { metadata: 1, items: 2 };
const PARTIAL_METADATA = 1;

const LIST_META = "~apis.meta.v1.ListMeta";
const OBJECT_META = "~apis.meta.v1.ObjectMeta";
const STATUS = "~apis.meta.v1.Status";
const NOTHING: JsonObject = {};

/** Writes the fields of a kind's objects. */
type ObjectWriter = (writer: WireWriter, object: JsonObject) => void;

const writers = new Map<string, ObjectWriter>();

/** How objects of the kind are written, or undefined where they have no protobuf: custom resources and Tables. */
function writerOf(apiVersion: string, kind: string): ObjectWriter | undefined {
  const key = `${apiVersion} ${kind}`;
  const known = writers.get(key);
  if (known) return known;
  const made = makeWriter(apiVersion, kind);
  // Only what is known here is remembered: the names of custom kinds are anybody's choice.
  if (made) writers.set(key, made);
  return made;
}

function makeWriter(apiVersion: string, kind: string): ObjectWriter | undefined {
  if (apiVersion.startsWith("meta.k8s.io/")) {
    if (kind === "PartialObjectMetadata") return writePartial;
    return kind === "PartialObjectMetadataList" ? (writer, list) => writeList(writer, list, writePartial) : undefined;
  }
  const definition = definitionFor(apiVersion, kind);
  if (definition) return (writer, object) => writeMessage(writer, definition, object);
  const element = kind.endsWith("List") ? writerOf(apiVersion, kind.slice(0, -"List".length)) : undefined;
  return element && ((writer, list) => writeList(writer, list, element));
}

function definitionFor(apiVersion: string, kind: string): Definition | undefined {
  if (kind === "Status") return definitionNamed(STATUS);
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  return definitionOf(group!, version!, kind);
}

function writePartial(writer: WireWriter, { metadata }: JsonObject): void {
  const start = writer.open(PARTIAL_METADATA);
  writeMessage(writer, definitionNamed(OBJECT_META)!, isObject(metadata) ? metadata : NOTHING);
  writer.close(start);
}

function writeList(writer: WireWriter, list: JsonObject, element: ObjectWriter): void {
  writeListMetadata(writer, list);
  for (const item of (list["items"] as JsonObject[] | null) ?? []) writeItem(writer, item, element);
}

function writeListMetadata(writer: WireWriter, { metadata }: JsonObject): void {
  const start = writer.open(LIST.metadata);
  writeMessage(writer, definitionNamed(LIST_META)!, isObject(metadata) ? metadata : NOTHING);
  writer.close(start);
}

function writeItem(writer: WireWriter, item: JsonObject, element: ObjectWriter): void {
  const start = writer.open(LIST.items);
  element(writer, item);
  writer.close(start);
}

/** Whether objects of the kind, or lists of them, can be sent in protobuf. */
export const hasProtobuf = (apiVersion: string, kind: string): boolean => writerOf(apiVersion, kind) !== undefined;

/**
 * An object, list or Status as kube-apiserver sends it (`application/vnd.kubernetes.protobuf`): `k8s\0` and a runtime.Unknown.
 * Undefined where its kind has no protobuf.
 */
export function encodeObject(object: Pick<KubeObject, "apiVersion" | "kind">): Uint8Array<ArrayBuffer> | undefined {
  const writer = new WireWriter();
  return writeObject(writer, object as unknown as JsonObject) ? writer.finish() : undefined;
}

function writeObject(writer: WireWriter, object: JsonObject): boolean {
  const apiVersion = (object["apiVersion"] as string | undefined) ?? "v1"; // APIVersions of old has none.
  const kind = object["kind"] as string;
  const write = writerOf(apiVersion, kind);
  if (!write) return false;
  writeHead(writer, apiVersion, kind);
  const start = writer.open(UNKNOWN.raw);
  write(writer, object);
  writer.close(start);
  writeTail(writer);
  return true;
}

function writeHead(writer: WireWriter, apiVersion: string, kind: string): void {
  const start = writer.append(MAGIC).open(UNKNOWN.typeMeta);
  writer.text(TYPE_META.apiVersion, apiVersion).text(TYPE_META.kind, kind).close(start);
}

const writeTail = (writer: WireWriter): WireWriter =>
  writer.text(UNKNOWN.contentEncoding, "").text(UNKNOWN.contentType, "");

/** Events of a watch are told apart by their lengths: 4 bytes, the highest first. */
const FRAME_LENGTH_BYTES = 4;

/** One frame of a watch (`application/vnd.kubernetes.protobuf;stream=watch`): its length and a metav1.WatchEvent. */
export function encodeWatchEvent(type: string, object: JsonObject): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter().append(new Uint8Array(FRAME_LENGTH_BYTES));
  writer.text(WATCH_EVENT.type, type);
  const extension = writer.open(WATCH_EVENT.object);
  const raw = writer.open(RAW_EXTENSION_RAW);
  writeObject(writer, object);
  const frame = writer.close(raw).close(extension).finish();
  new DataView(frame.buffer, frame.byteOffset).setUint32(0, frame.length - FRAME_LENGTH_BYTES);
  return frame;
}

/** Puts a list together whose items come one by one: the envelope tells its length first, so what is written waits here. */
export class ListEncoder {
  readonly #apiVersion: string;
  readonly #kind: string;
  readonly #element: ObjectWriter;
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  /** Bytes of the items until now. */
  length = 0;

  /** `kind`: of the items, which have protobuf. */
  constructor(apiVersion: string, kind: string) {
    this.#apiVersion = apiVersion;
    this.#kind = kind;
    this.#element = writerOf(apiVersion, kind)!;
  }

  add(items: readonly JsonObject[]): void {
    const writer = new WireWriter();
    for (const item of items) writeItem(writer, item, this.#element);
    const chunk = writer.finish();
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The whole in pieces; `list` is what there is of it beside the items. */
  finish(list: JsonObject): Uint8Array<ArrayBuffer>[] {
    const metadata = new WireWriter();
    writeListMetadata(metadata, list);
    const before = metadata.finish();
    const head = new WireWriter();
    writeHead(head, this.#apiVersion, `${this.#kind}List`);
    head.length(UNKNOWN.raw, before.length + this.length).append(before);
    return [head.finish(), ...this.#chunks, writeTail(new WireWriter()).finish()];
  }
}
