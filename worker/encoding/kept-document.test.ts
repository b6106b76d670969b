import { expect, test } from "vitest";
import { respondKept } from "./kept-document.ts";

const DOCUMENT = { kind: "APIGroupDiscoveryList", items: [] };
const TYPE = "application/json;as=APIGroupDiscoveryList";
const ask = (ifNoneMatch = "") =>
  respondKept(
    new Request("https://cluster.example/apis", { headers: { "if-none-match": ifNoneMatch } }),
    DOCUMENT,
    TYPE,
  );

test("a document comes with what tells it from others, and is not sent again to who has it", async () => {
  const first = await ask();
  expect(await first.json()).toEqual(DOCUMENT);
  expect(first.headers.get("content-type")).toBe(TYPE);
  const etag = first.headers.get("etag")!;
  expect(etag).toMatch(/^"[0-9A-F]{128}"$/);
  expect((await ask(etag)).status).toBe(304);
  expect((await ask(`"other", W/${etag}`)).status).toBe(304);
  expect((await ask('"other"')).status).toBe(200);
});

test("another document has another tag", async () => {
  const request = new Request("https://cluster.example/apis");
  const tags = await Promise.all([{ a: 1 }, { a: 2 }].map((each) => respondKept(request, each, TYPE)));
  expect(new Set(tags.map(({ headers }) => headers.get("etag"))).size).toBe(2);
});
