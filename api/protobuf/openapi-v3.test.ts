import { expect, test } from "vitest";
import { encodeOpenApiV3 } from "./openapi-v3.ts";

const hex = (document: object): string => Buffer.from(encodeOpenApiV3(JSON.stringify(document))).toString("hex");
const schemas = (of: object): object => ({ components: { schemas: of } });

// As gnostic-models v0.7.0 writes them.
test.each<[string, object, string]>([
  ["a reference", { $ref: "#/x" }, "12050a03232f78"],
  ["a type", { type: "object" }, "0a09ca01066f626a656374"],
  ["whether there may be more", { additionalProperties: true }, "0a058202021001"],
  ["a default that is a text", { default: "TCP" }, "0a088a02051a03544350"],
  ["a default that gnostic has no room for", { default: {} }, "0a038a0200"],
])("%s", (_, schema, bytes) => {
  expect(hex(schemas({ A: schema })).endsWith(bytes)).toBe(true);
});

test("names that are JavaScript's own are names like others", () => {
  const text = JSON.stringify(schemas({ A: { type: "object", properties: { constructor: { type: "string" } } } }));
  const hostile = text.replace('"type":"object"', '"type":"object","__proto__":{"a":1},"constructor":1');
  expect(Buffer.from(encodeOpenApiV3(hostile)).toString("hex")).toBe(
    Buffer.from(encodeOpenApiV3(text)).toString("hex"),
  );
});
