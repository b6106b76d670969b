import { expect, test } from "vitest";
import { compileJsonPath } from "./json-path.ts";

const OBJECT = {
  metadata: { labels: { "a.b/c": "x" } },
  spec: {
    ports: [
      { name: "web", port: 80 },
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "db", port: 5432 },
    ],
    nested: { deep: { name: "inner" } },
  },
};

const CASES: [path: string, found: unknown[] | undefined][] = [
  [".spec.ports[0].name", ["web"]],
  [".spec.ports[-1].name", ["db"]],
  [".spec.ports[*].port", [80, 53, 5432]],
  [".spec.ports[0:2].name", ["web", "dns"]],
  [".spec.ports[::2].name", ["web", "db"]],
  [".spec.ports[0,2].name", ["web", "db"]],
  [".spec.ports[9].name", undefined],
  [".spec.nested[0]", undefined],
  ["..name", ["web", "dns", "db", "inner"]],
  [".spec.nested.*", [{ name: "inner" }]],
  [".metadata.labels['a\\.b/c']", ["x"]],
  [".metadata.labels.a\\.b/c", ["x"]],
  ['.spec.ports[?(@.name=="dns")].port', [53]],
  [".spec.ports[?(@.name=='d)s')].port", []],
  [".spec.ports[?(@.port>=80)].name", ["web", "db"]],
  [".spec.ports[?(@.protocol)].name", ["dns"]],
  ['.spec.ports[?(@.port=="80")].name', undefined],
  ["$.spec.nested.deep.name", ["inner"]],
  [".spec.missing.field", []],
  [".spec.ports.name", []],
];

for (const [path, found] of CASES) {
  test(`${path} finds what client-go's jsonpath finds`, () => {
    expect(compileJsonPath(path)?.(OBJECT)).toEqual(found);
  });
}

test("what is no path is not compiled", () => {
  for (const text of [".spec[", ".spec[?(@.a", ".a[b]", ".a{b}", ".spec[?(@.a==)]x)", `.${"a".repeat(5_000)}`]) {
    expect(compileJsonPath(text), text).toBeUndefined();
  }
});

test("a search that finds without end is given up", () => {
  const wide = { a: Array.from({ length: 200 }, () => Array.from({ length: 200 }, (_, i) => [i])) };
  expect(compileJsonPath("..")?.(wide)).toBeUndefined();
  expect(compileJsonPath(".a[*][*]")?.(wide)).toBeUndefined();
});

test("a path of many odd characters is refused at once", () => {
  expect(compileJsonPath(`.a[?(${"'\\".repeat(2_000)}`)).toBeUndefined();
});
