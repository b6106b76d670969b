import { assign, cloneJson, equalJson, has, isObject, type Json, type JsonObject } from "../json-value.ts";

/** Upstream's bound on one patch. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;
/** What `copy` operations may add in all (upstream: the bound of a request's body); each could double the document. */
export const COPIED_BYTES_MAX = 3 * 1024 * 1024;

/** So many elements of lists may be moved aside in all: each insertion and removal moves those behind it. */
export const MOVED_ELEMENTS_MAX = 100_000_000;

export interface JsonPatchOperation {
  op?: string;
  path?: string;
  from?: string;
  value?: Json;
}

/** An operation that does not apply. Upstream does not tell the client why; the message is for tests. */
export class UnappliablePatch extends Error {}

/** RFC 6902, operation by operation, in place: the caller gives a copy, so that a failure leaves nothing behind. */
export function applyJsonPatch(document: Json, operations: readonly JsonPatchOperation[]): Json {
  let copied = 0;
  let moved = 0;
  const shifting = (place: Place): Place => {
    moved += place.behind();
    if (moved > MOVED_ELEMENTS_MAX) throw new UnappliablePatch("operations move too many elements");
    return place;
  };
  for (const operation of operations) {
    const { op, path = "", from = "", value = null } = operation;
    switch (op) {
      case "add":
        shifting(locate(document, path)).add(cloneJson(value));
        break;
      case "remove":
        shifting(locate(document, path)).remove();
        break;
      case "replace":
        locate(document, path).replace(cloneJson(value));
        break;
      case "move": {
        const source = shifting(locate(document, from));
        const value = source.get();
        source.remove();
        shifting(locate(document, path)).add(value);
        break;
      }
      case "copy": {
        const source = locate(document, from);
        // To upstream's library what a map lacks is null here.
        const copy = cloneJson(source.exists() ? source.get() : null);
        copied += JSON.stringify(copy).length;
        if (copied > COPIED_BYTES_MAX) throw new UnappliablePatch("copy operations exceed the limit");
        shifting(locate(document, path)).add(copy);
        break;
      }
      case "test": {
        const place = locate(document, path);
        const found = place.exists() ? place.get() : null;
        if (!equalJson(found, value)) throw new UnappliablePatch(`testing value ${path} failed`);
        break;
      }
      default:
        throw new UnappliablePatch(`unexpected kind: ${op}`);
    }
  }
  return document;
}

/** One place in a document: a field of an object, or an element of a list. */
interface Place {
  exists(): boolean;
  get(): Json;
  add(value: Json): void;
  replace(value: Json): void;
  remove(): void;
  /** How many elements an insertion or a removal moves aside. */
  behind(): number;
}

/** The document's root is no place: upstream's library knows none either. */
function locate(document: Json, path: string): Place {
  const [first, ...tokens] = path.split("/").map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = tokens.pop();
  if (first !== "" || last === undefined) throw new UnappliablePatch(`no place at ${path}`);
  let parent = document;
  for (const token of tokens) parent = placeIn(parent, token, path).get();
  return placeIn(parent, last, path);
}

function placeIn(parent: Json, token: string, path: string): Place {
  if (Array.isArray(parent)) return listPlace(parent, token, path);
  if (isObject(parent)) return objectPlace(parent, token, path);
  throw new UnappliablePatch(`missing path: ${path}`);
}

function objectPlace(parent: JsonObject, key: string, path: string): Place {
  const need = () => {
    if (!has(parent, key)) throw new UnappliablePatch(`missing path: ${path}`);
  };
  return {
    exists: () => has(parent, key),
    get() {
      need();
      return parent[key];
    },
    add: (value) => assign(parent, key, value),
    // Upstream's library does not ask whether a map has what is replaced.
    replace: (value) => assign(parent, key, value),
    remove() {
      need();
      delete parent[key];
    },
    behind: () => 0,
  };
}

/** Indexes from the end are negative, as upstream's library has it. */
function listPlace(parent: Json[], token: string, path: string): Place {
  const index = (length: number): number => {
    const number = /^-?\d+$/.test(token) ? Number(token) : Number.NaN;
    const place = number < 0 ? number + length : number;
    if (!(place >= 0 && place < length)) throw new UnappliablePatch(`no such index: ${path}`);
    return place;
  };
  return {
    exists() {
      index(parent.length);
      return true;
    },
    get: () => parent[index(parent.length)],
    add: (value) => void (token === "-" ? parent.push(value) : parent.splice(index(parent.length + 1), 0, value)),
    replace(value) {
      parent[index(parent.length)] = value;
    },
    remove: () => void parent.splice(index(parent.length), 1),
    behind: () => (token === "-" ? 0 : parent.length - index(parent.length + 1)),
  };
}
