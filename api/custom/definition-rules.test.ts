import { expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import { CustomResourceDefinition } from "../kinds/custom-resource-definition.ts";
import type { CustomResourceDefinitionObject, DefinitionVersion, JsonSchema } from "./definition.ts";
import { approvalOf, isProtectedGroup } from "./definition-rules.ts";

const { rules } = CustomResourceDefinition;

const version = (schema: JsonSchema | undefined, more: Partial<DefinitionVersion> = {}): DefinitionVersion => ({
  name: "v1",
  served: true,
  storage: true,
  ...(schema && { schema: { openAPIV3Schema: schema } }),
  ...more,
});

function definition(versions: DefinitionVersion[], spec: object = {}): CustomResourceDefinitionObject {
  const made = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "foos.example.com" },
    spec: { group: "example.com", scope: "Namespaced", names: { plural: "foos", kind: "Foo" }, versions, ...spec },
  } as CustomResourceDefinitionObject;
  rules.setDefaults?.(made);
  rules.prepareForCreate?.(made);
  return made;
}

const complaints = (made: CustomResourceDefinitionObject): string[] =>
  (rules.validate?.(made) ?? []).map(describeFieldError);

const EMPTY: JsonSchema = { type: "object" };
/** A definition whose spec has this one field. */
const withField = (schema: JsonSchema) =>
  definition([version({ type: "object", properties: { spec: { type: "object", properties: { x: schema } } } })]);
const AT = "spec.validation.openAPIV3Schema.properties[spec].properties[x]";

test("names and conversion are filled in, and the storage version is remembered", () => {
  expect(definition([version(EMPTY)])).toMatchObject({
    spec: { names: { singular: "foo", listKind: "FooList" }, conversion: { strategy: "None" } },
    status: { storedVersions: ["v1"] },
  });
  expect(complaints(definition([version(EMPTY)]))).toEqual([]);
});

const FIELDS: [what: string, schema: JsonSchema, complaints: string[]][] = [
  ["no type", {}, [`${AT}.type: Required value: must not be empty for specified object fields`]],
  [
    "an unheard-of type",
    { type: "text" },
    [
      `${AT}.type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
  ],
  ["a list without items", { type: "array" }, [`${AT}.items: Required value: must be specified`]],
  [
    "properties and additional properties",
    {
      type: "object",
      properties: { a: { type: "string" } },
      additionalProperties: { type: "string" },
    },
    [`${AT}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`],
  ],
  [
    "a type below a junctor",
    { type: "string", anyOf: [{ type: "string" }] },
    [`${AT}.anyOf[0].type: Forbidden: must be empty to be structural`],
  ],
  [
    "a pattern that RE2 does not know",
    { type: "string", pattern: "a(?!b)" },
    [
      `${AT}.pattern: Invalid value: "a(?!b)": must be a valid regular expression, but isn't: error parsing regexp: invalid or unsupported Perl syntax: \`(?!\``,
    ],
  ],
  [
    "a map list whose key may be missing",
    {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: { type: "object", properties: { k: { type: "string" } } },
    },
    [
      `${AT}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
    ],
  ],
  [
    "a default of another type",
    { type: "string", default: 5 },
    [`${AT}.default: Invalid value: "integer":  in body must be of type string: "integer"`],
  ],
  [
    "a default with an unknown field",
    { type: "object", properties: {}, default: { a: 1 } },
    [`${AT}.default: Invalid value: {"a":1}: must not have unknown fields`],
  ],
  [
    "a default that a rule refuses",
    { type: "integer", default: 1, "x-kubernetes-validations": [{ rule: "self > 1" }] },
    [`${AT}.default: Invalid value: 1: failed rule: self > 1`],
  ],
  [
    "a rule that does not compile",
    { type: "integer", "x-kubernetes-validations": [{ rule: "self.size()" }] },
    [
      expect.stringContaining(
        `${AT}.x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.size()","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:10: found no matching overload for 'size'`,
      ),
    ],
  ],
  [
    "a rule that is no condition",
    { type: "integer", "x-kubernetes-validations": [{ rule: "self" }] },
    [expect.stringContaining("cel expression must evaluate to a bool")],
  ],
  [
    "a rule that could cost too much",
    {
      type: "array",
      items: { type: "string" },
      "x-kubernetes-validations": [{ rule: "self.all(x, self.exists(y, x == y))" }],
    },
    [
      `${AT}.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
      `${AT}.x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
      "spec.validation.openAPIV3Schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)",
    ],
  ],
  [
    "oldSelf where nobody knows what it was",
    {
      type: "array",
      items: { type: "string", maxLength: 5, "x-kubernetes-validations": [{ rule: "self == oldSelf" }] },
    },
    [
      `${AT}.items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ${AT}`,
    ],
  ],
  ["a sound field", { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" }, []],
];

for (const [what, schema, expected] of FIELDS) {
  test(`${what} in a schema is ${expected.length === 0 ? "accepted" : "refused"}`, () => {
    expect(complaints(withField(schema))).toEqual(expected);
  });
}

test("patterns that are short but enormous are refused before many are compiled", () => {
  const properties = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, i) => [`p${i}`, { type: "string", pattern: `(a{100}b{100}){5}${i}` }]),
  );
  expect(complaints(definition([version({ type: "object", properties })]))).toEqual([
    expect.stringMatching(
      /\.pattern: Forbidden: with this one the regular expressions of the schema have more than \d+ instructions$/,
    ),
  ]);
});

test("a field that only a junctor speaks of is not known", () => {
  const schema: JsonSchema = { type: "object", allOf: [{ properties: { a: { minLength: 1 } } }] };
  expect(complaints(definition([version(schema)]))).toEqual([
    "spec.validation.openAPIV3Schema.properties[a]: Required value: because it is defined in spec.validation.openAPIV3Schema.allOf[0].properties[a]",
  ]);
});

test("what differs between versions is told of the version", () => {
  const two = [version({ type: "object", properties: { a: {} } }), version(EMPTY, { name: "v2", storage: false })];
  expect(complaints(definition(two))).toEqual([
    "spec.versions[0].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields",
  ]);
  expect(complaints(definition([version(undefined), version(EMPTY, { name: "v2", storage: false })]))).toEqual([
    "spec.versions[0].schema.openAPIV3Schema: Required value",
  ]);
});

test("exactly one version is stored, and versions have names of their own", () => {
  const shown = (...storage: boolean[]) =>
    JSON.stringify(
      storage.map((Storage) => ({ Name: "v1", Served: true, Storage, Deprecated: false, DeprecationWarning: null })),
    );
  expect(complaints(definition([version(EMPTY), version(EMPTY)]))).toEqual([
    `spec.versions: Invalid value: ${shown(true, true)}: must contain unique version names`,
    `spec.versions: Invalid value: ${shown(true, true)}: must have exactly one version marked as storage version`,
  ]);
  expect(complaints(definition([version(EMPTY, { storage: false })]))).toEqual([
    `spec.versions: Invalid value: ${shown(false)}: must have exactly one version marked as storage version`,
    "status.storedVersions: Invalid value: null: must have at least one stored version",
  ]);
});

test("names, group, scope and conversion are checked", () => {
  expect(
    complaints(
      definition([version(EMPTY)], {
        group: "example",
        scope: "Everywhere",
        names: { plural: "foos", kind: "Foo", listKind: "Foo" },
        conversion: {
          strategy: "Webhook",
          webhook: { clientConfig: { url: "http://x" }, conversionReviewVersions: ["v2"] },
        },
      }),
    ),
  ).toEqual([
    'metadata.name: Invalid value: "foos.example.com": must be spec.names.plural+"."+spec.group',
    'spec.group: Invalid value: "example": should be a domain with at least one dot',
    'spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"',
    'spec.names.listKind: Invalid value: "Foo": kind and listKind may not be the same',
    `spec.conversion.webhookClientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
    'spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
  ]);
});

test("columns, scale and selectable fields point somewhere", () => {
  const schema: JsonSchema = { type: "object", properties: { a: { type: "string" }, b: { type: "object" } } };
  const more: Partial<DefinitionVersion> = {
    additionalPrinterColumns: [{ name: "", type: "text", jsonPath: "a" }],
    subresources: { scale: { specReplicasPath: ".status.x", statusReplicasPath: "" } },
    selectableFields: [".a", ".a", ".b", ".c", ".metadata.name"].map((jsonPath) => ({ jsonPath })),
  };
  expect(complaints(definition([version(schema, more)]))).toEqual([
    'spec.subresources.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec',
    "spec.subresources.scale.statusReplicasPath: Required value",
    "spec.additionalPrinterColumns[0].name: Required value",
    'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
    'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "a": must be a simple json path starting with .',
    'spec.selectableFields[1].jsonPath: Duplicate value: ".a"',
    'spec.selectableFields[2].jsonPath: Invalid value: ".b": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
    'spec.selectableFields[3].jsonPath: Invalid value: ".c": is an invalid path: does not refer to a valid field',
    'spec.selectableFields[4].jsonPath: Invalid value: ".metadata.name": is an invalid path: does not refer to a valid field',
  ]);
});

test("an established definition keeps its kind and scope, and every one its name", () => {
  const previous = definition([version(EMPTY)]);
  const next = definition([version(EMPTY)], { scope: "Cluster", names: { plural: "bars", kind: "Bar" } });
  const told = () => (rules.validateUpdate?.(next, previous) ?? []).map(describeFieldError);
  expect(told()).toEqual(['spec.names.plural: Invalid value: "bars": field is immutable']);
  previous.status = { ...previous.status, conditions: [{ type: "Established", status: "True" }] };
  expect(told()).toEqual([
    'spec.scope: Invalid value: "Cluster": field is immutable',
    'spec.names.kind: Invalid value: "Bar": field is immutable',
    'spec.names.plural: Invalid value: "bars": field is immutable',
  ]);
});

test("a version that objects may still be stored in stays", () => {
  const next = definition([version(EMPTY, { name: "v2" })]);
  next.status = { storedVersions: ["v1"] };
  rules.prepareForUpdate?.(next, definition([version(EMPTY)]));
  expect(next.status.storedVersions).toEqual(["v1", "v2"]);
  expect(complaints(next)).toEqual([
    'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
  ]);
});

test("the community's groups want an approval", () => {
  expect(isProtectedGroup("gateway.networking.k8s.io")).toBe(true);
  expect(isProtectedGroup("notk8s.io")).toBe(false);
  const states = [undefined, "https://github.com/x", "unapproved, yet", "yes"].map(
    (text) => approvalOf(text === undefined ? {} : { "api-approved.kubernetes.io": text }).state,
  );
  expect(states).toEqual(["missing", "approved", "bypassed", "invalid"]);
});

test("a schema as deep as a request can be is judged, not fallen over", () => {
  let schema: JsonSchema = { type: "string" };
  for (let i = 0; i < 490; i++) schema = { type: "object", properties: { a: schema } };
  expect(complaints(definition([version(schema)]))).toEqual([]);
});
