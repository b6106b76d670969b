import { load } from "js-yaml";
import { decodeProtobuf } from "../../api/protobuf/envelope.ts";
import type { Gvk } from "../../api/schema/decode.ts";
import { ApiError, badRequest } from "../../api/status.ts";
import type { PatchType } from "../../durable-objects/protocol.ts";

/** As kube-apiserver's default for request bodies. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;
/** A few aliases are convenience; many, each naming the one before, are an attack on memory. */
const YAML_ALIASES_MAX = 64;

const tooLarge = (): ApiError =>
  new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_BYTES_MAX}`);

/** Whether the request tells how long its body is. 413 where that is too long. */
function isLengthDeclared({ headers }: Request): boolean {
  const declared = headers.get("content-length");
  if (Number(declared ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  return declared !== null;
}

/** The body as text; 413 past the limit, having read no more than the limit. */
export async function readText(request: Request): Promise<string> {
  return isLengthDeclared(request) ? await request.text() : new TextDecoder().decode(await readStream(request));
}

/** As `readText`, as it came. */
async function readBytes(request: Request): Promise<Uint8Array> {
  return isLengthDeclared(request) ? new Uint8Array(await request.arrayBuffer()) : await readStream(request);
}

async function readStream({ body }: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    length += read.value.byteLength;
    if (length > BODY_BYTES_MAX) {
      await reader?.cancel();
      throw tooLarge();
    }
    chunks.push(read.value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

const mediaType = (headers: Headers): string =>
  (headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();

const OBJECT_TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/** The object in a request's body as JSON text, whatever format it came in; `expected` is for errors. 415 for a format that is not read here. */
export async function readObject(request: Request, expected: Gvk): Promise<string> {
  switch (mediaType(request.headers)) {
    case "":
    case "application/json":
      return await readText(request);
    case "application/yaml":
      return yamlToJson(await readText(request));
    case "application/vnd.kubernetes.protobuf": {
      const bytes = await readBytes(request);
      return bytes.length === 0 ? "" : JSON.stringify(decodeProtobuf(expected, bytes));
    }
    default:
      throw unsupportedMediaType(OBJECT_TYPES);
  }
}

/** As `readObject` for custom kinds, which have no protobuf. */
export async function readCustomObject(request: Request): Promise<string> {
  const type = mediaType(request.headers);
  if (type === "application/vnd.kubernetes.protobuf") throw unsupportedMediaType(OBJECT_TYPES.slice(0, 2));
  return await readObject(request, { group: "", version: "", kind: "" });
}

const PATCH_TYPES: Record<string, PatchType> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** A patch as JSON text. */
export const readPatch = async (request: Request, type: PatchType): Promise<string> =>
  type === "apply" ? yamlToJson(await readText(request), "error decoding YAML: ") : await readText(request);

/** 415 in the words of upstream's router, which knows the types of patches. */
export function patchTypeOf(headers: Headers): PatchType {
  const type = PATCH_TYPES[mediaType(headers)];
  if (!type) throw new ApiError("UnsupportedMediaType", "415: Unsupported Media Type", {});
  return type;
}

const unsupportedMediaType = (accepted: string[]): ApiError =>
  new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );

/** `introduction`: what upstream says before it says what is wrong. */
function yamlToJson(text: string, introduction = ""): string {
  if (text.trim() === "") return "null";
  try {
    return JSON.stringify(load(text, { maxAliases: YAML_ALIASES_MAX })) ?? "null";
  } catch (error) {
    throw badRequest(
      `${introduction}error converting YAML to JSON: yaml: ${(error as Error).message.split("\n", 1)[0]}`,
    );
  }
}
