import { load } from "js-yaml";
import { ApiError, badRequest } from "../../api/status.ts";
import type { PatchType } from "../../durable-objects/protocol.ts";

/** As kube-apiserver's default for request bodies. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;
/** A few aliases are convenience; many, each naming the one before, are an attack on memory. */
const YAML_ALIASES_MAX = 64;

const tooLarge = (): ApiError =>
  new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_BYTES_MAX}`, {});

/** The body as text; 413 past the limit, having read no more than the limit. */
export async function readText(request: Request): Promise<string> {
  const declared = request.headers.get("content-length");
  if (declared !== null) {
    if (Number(declared) > BODY_BYTES_MAX) throw tooLarge();
    return await request.text();
  }
  if (!request.body) return "";
  const decoder = new TextDecoder();
  const reader = request.body.getReader();
  let text = "";
  for (let bytes = 0; ; ) {
    const { value, done } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > BODY_BYTES_MAX) {
      await reader.cancel();
      throw tooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}

const mediaType = (headers: Headers): string =>
  (headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();

/** The object in a request's body as JSON text, whatever format it came in. 415 for a format that is not read here. */
export async function readObject(request: Request): Promise<string> {
  switch (mediaType(request.headers)) {
    case "":
    case "application/json":
    case "text/plain": // what curl and fetch say of a string
    case "application/x-www-form-urlencoded": // curl -d
      return await readText(request);
    case "application/yaml":
      return yamlToJson(await readText(request));
    default:
      throw unsupportedMediaType(["application/json", "application/yaml"]);
  }
}

const PATCH_TYPES: Record<string, PatchType> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
};

export function patchTypeOf(headers: Headers): PatchType {
  const type = PATCH_TYPES[mediaType(headers)];
  if (!type) throw unsupportedMediaType(Object.keys(PATCH_TYPES));
  return type;
}

const unsupportedMediaType = (accepted: string[]): ApiError =>
  new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
    {},
  );

function yamlToJson(text: string): string {
  try {
    return JSON.stringify(load(text, { maxAliases: YAML_ALIASES_MAX })) ?? "null";
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${(error as Error).message.split("\n", 1)[0]}`);
  }
}
