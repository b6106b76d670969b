import { expect, test } from "vitest";
import { shortName } from "./image-load.ts";

test.each([
  ["docker.io/library/web:1", "web:1"],
  ["docker.io/team/web:1", "team/web:1"],
  ["registry.example/library/web:1", "registry.example/library/web:1"],
  ["127.0.0.1:5000/web:1", "127.0.0.1:5000/web:1"],
])("pods name %s as %s", (image, name) => {
  expect(shortName(image)).toBe(name);
});
