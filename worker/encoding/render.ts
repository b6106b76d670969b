import { dump } from "js-yaml";
import type { KubeObject } from "../../api/object.ts";
import { encodeObject } from "../../api/protobuf/encode-object.ts";
import type { Status } from "../../api/status.ts";
import { CONTENT_TYPES, type Format } from "./negotiate.ts";

/** A body, and what it says it is. */
export interface Rendered {
  body: string | Uint8Array<ArrayBuffer>;
  type: string;
}

const INDENT = 2;
/** As upstream's YAML looks: people compare the two. */
const YAML = { noRefs: true, sortKeys: true, seqNoIndent: true, quoteStyle: "double" } as const;

/** A value in a format; in JSON what has no protobuf, which nobody may have asked for. */
export function render(value: object, { format, pretty }: { format: Format; pretty: boolean }): Rendered {
  if (format === "yaml") return { body: dump(value, YAML), type: CONTENT_TYPES.yaml };
  const bytes = format === "protobuf" ? encodeObject(value as KubeObject | Status) : undefined;
  if (bytes) return { body: bytes, type: CONTENT_TYPES.protobuf };
  return {
    body: pretty ? JSON.stringify(value, undefined, INDENT) : `${JSON.stringify(value)}\n`,
    type: CONTENT_TYPES.json,
  };
}
