import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import facts from "../api/schema/facts.json" with { type: "json" };
import { makeFacts } from "./make-schemas.ts";
import type { Spec } from "./published-spec.ts";

const reference = new URL("../../shared/reference/openapi-v1.36.json", import.meta.url);

/** Without what only Go's sources tell. */
const published = (line: string): string =>
  line
    .split(";")
    .map((property) => property.replace(/ '.*$/, "").replace(/ ([*+~]|d:\S+|[\d.]+)(?= |$)/g, ""))
    .join(";");

test("the facts are those of the published spec", (context) => {
  if (!existsSync(reference)) {
    console.warn("skipped: no reference");
    context.skip("skipped: no reference");
  }
  const made = makeFacts(JSON.parse(readFileSync(reference, "utf8")) as Spec, []);
  expect(facts.names).toBe(made.names);
  expect(facts.resources).toEqual(made.resources);
  expect(facts.kinds).toEqual(made.kinds);
  expect(facts.definitions.map(published)).toEqual(made.definitions.map(published));
});

test("a resource's verbs, scope and subresources are read off the paths", () => {
  const gvk = { group: "apps", version: "v1", kind: "Widget" };
  const operation = { "x-kubernetes-group-version-kind": gvk };
  const spec: Spec = {
    definitions: {
      "io.k8s.api.apps.v1.Widget": {
        properties: {
          size: { type: "integer", format: "int32" },
          tags: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
        },
        required: ["size"],
        "x-kubernetes-group-version-kind": [gvk],
      },
    },
    paths: {
      "/apis/apps/v1/namespaces/{namespace}/widgets": { get: operation, post: operation, delete: operation },
      "/apis/apps/v1/namespaces/{namespace}/widgets/{name}": { get: operation, put: operation },
      "/apis/apps/v1/namespaces/{namespace}/widgets/{name}/status": { get: operation },
      "/apis/apps/v1/namespaces/{namespace}/serviceaccounts/{name}/token": { get: operation },
      "/apis/apps/v1/watch/widgets": { get: operation },
    },
  };
  const made = makeFacts(spec, []);
  expect(made.resources).toEqual({
    "apps/v1": ["widgets Widget 1 create,deletecollection,get,list,update,watch status:get"],
  });
  expect(made.names).toContain("apps.v1.Widget");
  expect(made.definitions[made.names.split(" ").indexOf("apps.v1.Widget")]).toBe("size i ! +;tags [s e");
});

test("kinds without anything behind them are left out", () => {
  const operation = (group: string, kind: string) => ({
    post: { "x-kubernetes-group-version-kind": { group, version: "v1", kind } },
  });
  const made = makeFacts(
    {
      definitions: {},
      paths: {
        "/apis/authentication.k8s.io/v1/tokenreviews": operation("authentication.k8s.io", "TokenReview"),
      },
    },
    [],
  );
  expect(made.resources).toEqual({});
});
