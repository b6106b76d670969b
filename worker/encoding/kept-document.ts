/** A document's text, and what tells it from every other. */
interface Kept {
  text: string;
  etag: string;
}

const known = new WeakMap<object, Promise<Kept>>();

async function keep(document: object): Promise<Kept> {
  const text = JSON.stringify(document);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", new TextEncoder().encode(text)));
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { text, etag: `"${hash.toUpperCase()}"` };
}

/** Whether a client has what this ETag (with its quotes) stands for. */
export const isKnown = (ifNoneMatch: string | null, etag: string): boolean =>
  (ifNoneMatch ?? "").split(",").some((each) => each.trim().replace(/^W\//, "") === etag);

/** A document that is the same value as long as nothing of it changes, as clients keep it: 304 to those who have it. */
export async function respondKept(request: Request, document: object, type: string): Promise<Response> {
  let kept = known.get(document);
  if (!kept) {
    kept = keep(document);
    known.set(document, kept);
  }
  const { text, etag } = await kept;
  const headers = { etag, vary: "Accept", "cache-control": "public" };
  if (isKnown(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  return new Response(text, { headers: { ...headers, "content-type": type } });
}
