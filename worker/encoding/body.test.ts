import { expect, test } from "vitest";
import { MAGIC } from "../../api/protobuf/envelope.ts";
import { BODY_BYTES_MAX, readObject, readText } from "./body.ts";

const NAMESPACE = { group: "", version: "v1", kind: "Namespace" };

/** A POST whose length is told, or left out as in a chunked request. */
const post = (body: string | Uint8Array<ArrayBuffer>, type: string, length?: number): Request =>
  new Request("https://cluster.example/", {
    method: "POST",
    body,
    headers: { "content-type": type, ...(length !== undefined && { "content-length": String(length) }) },
  });

/** A Namespace `a`. */
const PROTOBUF = Uint8Array.of(
  ...MAGIC,
  ...[0x0a, 15, 0x0a, 2, 0x76, 0x31, 0x12, 9, ...new TextEncoder().encode("Namespace")],
  ...[0x12, 5, 0x0a, 3, 0x0a, 1, 0x61],
);

test.each<[string, Request, string]>([
  ["JSON", post('{"a":1}', "application/json; charset=utf-8"), '{"a":1}'],
  ["YAML", post("a: 1", "application/yaml", 4), '{"a":1}'],
  [
    "protobuf",
    post(PROTOBUF, "application/vnd.kubernetes.protobuf", PROTOBUF.length),
    '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}',
  ],
  [
    "protobuf in chunks",
    post(PROTOBUF, "application/vnd.kubernetes.protobuf"),
    '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}',
  ],
  ["nothing in protobuf, as the body of a delete may be", post("", "application/vnd.kubernetes.protobuf"), ""],
])("%s becomes JSON text", async (_, request, text) => {
  expect(await readObject(request, NAMESPACE)).toBe(text);
});

test.each<[string, Request, number]>([
  ["a format that is not read", post("<a/>", "text/xml"), 415],
  ["JSON that says it is a text", post("{}", "text/plain"), 415],
  ["JSON that says it is a form", post("{}", "application/x-www-form-urlencoded"), 415],
  ["JSON that says it is protobuf", post("{}", "application/vnd.kubernetes.protobuf"), 400],
  ["what says it is too long", post("{}", "application/json", BODY_BYTES_MAX + 1), 413],
  ["what is too long", post("x".repeat(BODY_BYTES_MAX + 1), "application/json"), 413],
  ["protobuf that is too long", post(new Uint8Array(BODY_BYTES_MAX + 1), "application/vnd.kubernetes.protobuf"), 413],
])("%s is refused", async (_, request, code) => {
  await expect(readObject(request, NAMESPACE)).rejects.toMatchObject({ code });
});

test("text in chunks is put together before it is decoded", async () => {
  const text = "é".repeat(100_000);
  expect(await readText(post(text, "text/plain"))).toBe(text);
});
