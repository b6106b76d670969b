import { expect, test } from "vitest";
import { negotiate } from "./negotiate.ts";

test.each([
  [null, { format: "json", as: "object" }],
  ["*/*", { format: "json", as: "object" }],
  ["application/yaml", { format: "yaml", as: "object" }],
  ["application/vnd.kubernetes.protobuf, application/json", { format: "json", as: "object" }],
  [
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
    { format: "json", as: "Table" },
  ],
  ["application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", { format: "json", as: "object" }],
  ["application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", { format: "json", as: "PartialObjectMetadata" }],
  ["application/yaml;q=0.5, application/json", { format: "json", as: "object" }],
])("%s", (accept, expected) => {
  expect(negotiate(accept)).toEqual(expected);
});

test.each(["text/html", "application/vnd.kubernetes.protobuf", "application/json;as=Picture;g=meta.k8s.io;v=v1"])(
  "%s is not acceptable",
  (accept) => {
    expect(() => negotiate(accept)).toThrow("only the following media types are accepted");
  },
);
