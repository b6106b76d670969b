import { describe, expect, test } from "vitest";
import type { CustomResourceDefinitionObject, DefinitionNames } from "../../api/custom/definition.ts";
import { definitionStatus } from "./definition-status.ts";

const NOW = "2026-06-01T12:00:00Z";
const BEFORE = "2026-06-01T11:00:00Z";

const names = (plural: string, more: Partial<DefinitionNames> = {}): DefinitionNames => ({
  plural,
  singular: plural.slice(0, -1),
  kind: plural[0]!.toUpperCase() + plural.slice(1, -1),
  listKind: `${plural[0]!.toUpperCase()}${plural.slice(1, -1)}List`,
  ...more,
});

const definition = (
  wanted: DefinitionNames,
  status: CustomResourceDefinitionObject["status"] = {},
  more: { group?: string; annotations?: Record<string, string>; conversion?: any } = {},
): CustomResourceDefinitionObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${wanted.plural}.example.com`, ...(more.annotations && { annotations: more.annotations }) },
  spec: {
    group: more.group ?? "example.com",
    names: wanted,
    scope: "Namespaced",
    versions: [],
    ...(more.conversion && { conversion: more.conversion }),
  },
  status,
});

const taken = (acceptedNames: DefinitionNames, group = "example.com") => ({ group, acceptedNames });

const told = (status: ReturnType<typeof definitionStatus>) =>
  status.conditions?.map(({ type, status: is, reason, message }) => [type, is, reason, message]);

const ACCEPTED = ["NamesAccepted", "True", "NoConflicts", "no conflicts found"];
const ESTABLISHED = ["Established", "True", "InitialNamesAccepted", "the initial names have been accepted"];
const NOT_ACCEPTED = ["Established", "False", "NotAccepted", "not all names are accepted"];

describe("names", () => {
  test("that nobody has are accepted, and served at once", () => {
    const status = definitionStatus(definition(names("apples")), [taken(names("pears"))], NOW);
    expect(told(status)).toEqual([ACCEPTED, ESTABLISHED]);
    expect(status.acceptedNames).toEqual(names("apples"));
  });

  test("of another group are no conflict", () => {
    const status = definitionStatus(definition(names("apples")), [taken(names("apples"), "example.org")], NOW);
    expect(told(status)).toEqual([ACCEPTED, ESTABLISHED]);
  });

  test.each([
    ["PluralConflict", { plural: "pears" }, '"pears" is already in use'],
    ["SingularConflict", { singular: "pear" }, '"pear" is already in use'],
    ["SingularConflict", { singular: "p" }, '"p" is already in use'],
    ["ShortNamesConflict", { shortNames: ["a", "p"] }, '"p" is already in use'],
    ["ShortNamesConflict", { shortNames: ["p", "pear"] }, '["p" is already in use, "pear" is already in use]'],
    ["KindConflict", { kind: "Pear" }, '"Pear" is already in use'],
    ["ListKindConflict", { listKind: "PearList" }, '"PearList" is already in use'],
  ])("that another has are refused: %s %j", (reason, own, message) => {
    const others = [taken(names("pears", { shortNames: ["p"] }))];
    const status = definitionStatus(definition(names("apples", own)), others, NOW);
    expect(told(status)).toEqual([["NamesAccepted", "False", reason, message], NOT_ACCEPTED]);
  });

  test("in conflict leave what was accepted before, and what is served", () => {
    const had = names("apples");
    const conditions = [
      { type: "NamesAccepted", status: "True", reason: "NoConflicts", lastTransitionTime: BEFORE },
      { type: "Established", status: "True", reason: "InitialNamesAccepted", lastTransitionTime: BEFORE },
    ];
    const next = definition(names("apples", { shortNames: ["p"] }), { conditions, acceptedNames: had });
    const others = [taken(had), taken(names("pears", { shortNames: ["p"] }))];
    const status = definitionStatus(next, others, NOW);
    expect(status.acceptedNames).toEqual(had);
    expect(
      status.conditions?.map(({ type, status: is, lastTransitionTime }) => [type, is, lastTransitionTime]),
    ).toEqual([
      ["NamesAccepted", "False", NOW],
      ["Established", "True", BEFORE],
    ]);
  });

  test("that are the same change nothing", () => {
    const first = definitionStatus(definition(names("apples")), [], BEFORE);
    const again = definitionStatus(definition(names("apples"), first), [taken(names("apples"))], NOW);
    expect(again).toEqual(first);
  });
});

test("a conversion webhook whose bundle holds no certificate is not served", () => {
  const conversion = { strategy: "Webhook", webhook: { clientConfig: { url: "https://x", caBundle: btoa("no") } } };
  const status = definitionStatus(definition(names("apples"), {}, { conversion }), [], NOW);
  expect(told(status)?.[1]).toEqual([
    "Established",
    "False",
    "InvalidCABundle",
    "The conversion webhook CABundle is invalid",
  ]);
});

test.each([
  ["MissingAnnotation", "", "False"],
  ["UnapprovedAnnotation", "unapproved, an experiment", "False"],
  ["ApprovedAnnotation", "https://github.com/kubernetes/kubernetes/pull/1", "True"],
  ["InvalidAnnotation", "yes", "False"],
])("a group of the community is %s", (reason, annotation, status) => {
  const annotations: Record<string, string> = annotation ? { "api-approved.kubernetes.io": annotation } : {};
  for (const group of ["x.k8s.io", "k8s.io", "x.kubernetes.io"]) {
    const made = definitionStatus(definition(names("apples"), {}, { group, annotations }), [], NOW);
    expect(made.conditions?.at(-1)).toMatchObject({ type: "KubernetesAPIApprovalPolicyConformant", status, reason });
  }
  const other = definitionStatus(definition(names("apples"), {}, { group: "xk8s.io", annotations }), [], NOW);
  expect(other.conditions).toHaveLength(2);
});
