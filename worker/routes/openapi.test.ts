import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ApiError } from "../../api/status.ts";
import { serveOpenApiV2, serveOpenApiV3, serveOpenApiV3Index } from "./openapi.ts";

const V2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const V3 = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";

const request = (headers: Record<string, string> = {}, path = "/openapi/v2"): Request =>
  new Request(`https://cluster.example${path}`, { headers });

test.each([
  [{}, "application/json"],
  [{ accept: "*/*" }, "application/json"],
  [{ accept: "application/json" }, "application/json"],
  [{ accept: V2 }, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"],
  [{ accept: `text/html, ${V2};q=0.5, application/json` }, "application/json"],
])("%j is answered with %s", async (headers, type) => {
  const answer = await serveOpenApiV2(request(headers));
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe(type);
});

test("who has the document already is told that it is the same", async () => {
  const etag = (await serveOpenApiV2(request({ accept: V2 }))).headers.get("etag")!;
  const again = await serveOpenApiV2(request({ accept: V2, "if-none-match": `"other", W/${etag}` }));
  expect(again.status).toBe(304);
  expect(await again.text()).toBe("");
  const other = await serveOpenApiV2(request({ accept: "application/json", "if-none-match": etag }));
  expect(other.status).toBe(200);
});

test("what cannot be served is not acceptable", async () => {
  await expect(serveOpenApiV2(request({ accept: "text/html" }))).rejects.toThrow(ApiError);
  await expect(serveOpenApiV3(request({ accept: V2 }), "api/v1")).rejects.toMatchObject({ code: 406 });
});

test("an address of the index may be kept for ever, another hash is sent to it", async () => {
  const { paths } = (await (await serveOpenApiV3Index(request())).json()) as any;
  const address: string = paths["apis/apps/v1"].serverRelativeURL;
  const document = await serveOpenApiV3(request({}, address), "apis/apps/v1");
  expect(document.headers.get("cache-control")).toBe("public, immutable");
  expect(address).toContain(JSON.parse(document.headers.get("etag")!));
  expect(((await document.json()) as any).paths).toHaveProperty(["/apis/apps/v1/"]);
  const moved = await serveOpenApiV3(request({}, "/openapi/v3/apis/apps/v1?hash=OLD"), "apis/apps/v1");
  expect(moved.status).toBe(301);
  expect(moved.headers.get("location")).toBe(address);
  const now = await serveOpenApiV3(request({}, "/openapi/v3/apis/apps/v1"), "apis/apps/v1");
  expect(now.headers.has("cache-control")).toBe(false);
});

test("whoever takes gzip gets it", async () => {
  const zipped = await serveOpenApiV3(request({ "accept-encoding": "br, gzip" }), "version");
  expect(zipped.headers.get("content-encoding")).toBe("gzip");
  const text = gunzipSync(Buffer.from(await zipped.arrayBuffer())).toString();
  const plain = await serveOpenApiV3(request({ "accept-encoding": "gzip;q=0" }), "version");
  expect(plain.headers.has("content-encoding")).toBe(false);
  expect(text).toBe(await plain.text());
});

test("a document of v3 in protobuf", async () => {
  const answer = await serveOpenApiV3(request({ accept: V3 }), "version");
  expect(answer.headers.get("content-type")).toBe("application/com.github.proto-openapi.spec.v3.v1.0+protobuf");
  const text = Buffer.from(await answer.arrayBuffer()).toString("latin1");
  expect(text.startsWith("\n\x053.0.0")).toBe(true);
  expect(text).toContain("getCodeVersion");
});

test("what is not served has no document", async () => {
  await expect(serveOpenApiV3(request(), "apis/nope/v1")).rejects.toMatchObject({ code: 404 });
});
