import type { KubeObject } from "../../api/object.ts";

/** One version of one object. The text is what clients get, with its revision inside as metadata.resourceVersion. */
export class Stored {
  readonly resource: string;
  readonly name: string;
  readonly revision: number;
  readonly json: string;
  #object: KubeObject | undefined;

  constructor(resource: string, name: string, revision: number, json: string) {
    this.resource = resource;
    this.name = name;
    this.revision = revision;
    this.json = json;
  }

  /** The object, parsed once and frozen all through: copy before changing. */
  get object(): Readonly<KubeObject> {
    this.#object ??= freeze(JSON.parse(this.json) as KubeObject);
    return this.#object;
  }
}

/** A committed change. `previous` is the version that it replaced or removed. */
export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  /** The new version; of a deletion, the last state under the deletion's revision. */
  readonly stored: Stored;
  readonly previous: Stored | undefined;
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) freeze(item);
    Object.freeze(value);
  }
  return value;
}
