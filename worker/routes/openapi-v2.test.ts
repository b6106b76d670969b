import { expect, test } from "vitest";
import { ApiError } from "../../api/status.ts";
import { serveOpenApiV2 } from "./openapi-v2.ts";

const PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

const get = (headers: Record<string, string>): Response => serveOpenApiV2(new Headers(headers));

test.each([
  [{}, "application/json"],
  [{ accept: "*/*" }, "application/json"],
  [{ accept: "application/json" }, "application/json"],
  [{ accept: PROTOBUF }, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"],
  [{ accept: `text/html, ${PROTOBUF};q=0.5, application/json` }, "application/json"],
])("%j is answered with %s", (headers, type) => {
  const answer = get(headers);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe(type);
});

test("who has the document already is told that it is the same", async () => {
  const etag = get({ accept: PROTOBUF }).headers.get("etag")!;
  const again = get({ accept: PROTOBUF, "if-none-match": etag });
  expect(again.status).toBe(304);
  expect(await again.text()).toBe("");
  expect(get({ accept: "application/json", "if-none-match": etag }).status).toBe(200);
});

test("what cannot be served is not acceptable", () => {
  expect(() => get({ accept: "text/html" })).toThrow(ApiError);
});
