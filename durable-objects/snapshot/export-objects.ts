import { allKinds } from "../../api/kinds.ts";
import { objectLine } from "../../api/snapshot-format.ts";
import type { Home } from "../home.ts";
import type { Store } from "../store/store.ts";
import { servedOf } from "../verbs/served.ts";

/** How much text is handed on at a time. */
const CHUNK_CHARS = 256 << 10;

const encoder = new TextEncoder();

/**
 * All objects of a home as a snapshot's lines, as they were at a revision; nothing where history does not reach back to it. What comes is read when it is
 * asked for: should history be given up meanwhile, the stream breaks off with an error.
 */
export function exportObjects(
  { store, scope }: Pick<Home, "store" | "scope">,
  revision: number,
): ReadableStream<Uint8Array> | null {
  if (!store.reaches(revision)) return null;
  scope.raiseFloor(revision);
  const release = store.hold(revision);
  const chunks = chunksOf(store, scope.namespace !== "", revision);
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const { value, done } = chunks.next();
      if (!done) {
        controller.enqueue(encoder.encode(value));
        return;
      }
      release();
      controller.close();
      // A reader that brought its own buffer waits for it.
      (controller as ReadableByteStreamController).byobRequest?.respond(0);
    },
    cancel() {
      release();
      chunks.return();
    },
  });
}

function* chunksOf(store: Store, isNamespaced: boolean, revision: number): Generator<string, void> {
  const kinds = allKinds().filter(({ namespaced }) => namespaced === isNamespaced);
  const builtIn = kinds.map((kind) => servedOf(kind).resource);
  let text = "";
  // What is of no built-in kind is of one of the cluster's own; their definitions come before them.
  for (const resource of new Set([...builtIn, ...store.resources({ past: true })])) {
    for (const page of store.view(resource, revision).pages({})) {
      for (const object of page) {
        text += objectLine({ resource, ...object });
        if (text.length < CHUNK_CHARS) continue;
        yield text;
        text = "";
      }
    }
  }
  if (text !== "") yield text;
}
