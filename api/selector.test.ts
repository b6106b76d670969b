import { describe, expect, test } from "vitest";
import { describeFieldError, type FieldError } from "./field-error.ts";
import { FieldPath } from "./field-path.ts";
import {
  checkFieldSelector,
  EVERYTHING,
  formatLabelSelector,
  formatLabels,
  labelMapMatcher,
  labelSelectorMatcher,
  NOTHING,
  parseFieldSelector,
  parseLabelSelector,
  validateLabelSelector,
} from "./selector.ts";

describe("label selectors as text", () => {
  const labels = { app: "web", tier: "front", n: "5", empty: "" };

  test.each([
    ["", true],
    ["app=web", true],
    ["app==web", true],
    ["app = web", true],
    ["app!=web", false],
    ["app!=db", true],
    ["none!=web", true],
    ["app", true],
    ["!app", false],
    ["!none", true],
    ["app in (web,db)", true],
    ["app in (db)", false],
    ["app notin (db)", true],
    ["none notin (db)", true],
    ["none in ()", false],
    ["empty in ()", true],
    ["empty in (,a)", true],
    ["empty=", true],
    ["app=web,tier=front", true],
    ["app=web,tier=back", false],
    ["n>4", true],
    ["n>5", false],
    ["n<6", true],
    ["app>4", false],
    ["in=web", false],
    ["app in (in)", false],
  ])("%j matches: %s", (text, matches) => {
    expect(parseLabelSelector(text).matches(labels)).toBe(matches);
  });

  test("is printed sorted by key, its values too", () => {
    expect(String(parseLabelSelector("z=1,a in (c, b),!m,e"))).toBe("a in (b,c),e,!m,z=1");
  });

  test.each([
    ["app=web,", "found '', expected: identifier after ','"],
    ["=web", "found '=', expected: !, identifier, or 'end of string'"],
    ["app in web", "unable to parse requirement: found 'web' expected: '('"],
    ["app web", "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"],
    ["app=web db", "found 'db', expected: ',' or 'end of string'"],
    ["-a=b", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of'],
    ["a=-b", 'unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be'],
    ["n>a", "for 'Gt', 'Lt' operators, the value must be an integer"],
    ["app in (a", "unable to parse requirement: found '', expected:"],
  ])("%j is refused: %s", (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ code: 400 }));
  });

  test("does not take a label from the prototype", () => {
    expect(parseLabelSelector("constructor").matches({})).toBe(false);
  });
});

describe("metav1.LabelSelector", () => {
  test("matches all of its labels and expressions", () => {
    const matcher = labelSelectorMatcher({
      matchLabels: { app: "web" },
      matchExpressions: [
        { key: "tier", operator: "In", values: ["front", "back"] },
        { key: "legacy", operator: "DoesNotExist" },
      ],
    });
    expect(matcher.matches({ app: "web", tier: "back" })).toBe(true);
    expect(matcher.matches({ app: "web", tier: "back", legacy: "" })).toBe(false);
    expect(matcher.matches({ app: "web" })).toBe(false);
    expect(matcher.matches(undefined)).toBe(false);
  });

  test("none matches nothing, an empty one everything", () => {
    expect(labelSelectorMatcher(undefined)).toBe(NOTHING);
    expect(labelSelectorMatcher({})).toBe(EVERYTHING);
    expect(labelMapMatcher({})).toBe(NOTHING);
    expect(labelMapMatcher({ a: "b" }).matches({ a: "b" })).toBe(true);
  });

  test("an operator that is not known matches nothing", () => {
    expect(labelSelectorMatcher({ matchExpressions: [{ key: "a", operator: "Like", values: ["b"] }] })).toBe(NOTHING);
  });

  test("what is wrong with it is said", () => {
    const errors: FieldError[] = [];
    validateLabelSelector(
      {
        matchLabels: { "-": "ok" },
        matchExpressions: [
          { key: "a", operator: "In" },
          { key: "a", operator: "Exists", values: ["b"] },
          { key: "a", operator: "like" },
        ],
      },
      FieldPath.of("spec").child("selector"),
      errors,
    );
    expect(errors.map(describeFieldError).slice(1)).toEqual([
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      'spec.selector.matchExpressions[2].operator: Invalid value: "like": not a valid selector operator',
    ]);
    expect(errors[0]?.field).toBe("spec.selector.matchLabels");
  });

  test("columns print it", () => {
    expect(formatLabelSelector({ matchLabels: { b: "2", a: "1" } })).toBe("a=1,b=2");
    expect(formatLabelSelector({})).toBe("<none>");
    expect(formatLabels({ b: "2", a: "1" })).toBe("a=1,b=2");
    expect(formatLabels(undefined)).toBe("<none>");
  });
});

describe("field selectors", () => {
  const fields = { "metadata.name": "a,b", "spec.nodeName": "n1" };

  test.each([
    ["", true],
    ["spec.nodeName=n1", true],
    ["spec.nodeName==n1", true],
    ["spec.nodeName!=n1", false],
    ["spec.nodeName=n1,metadata.name=a\\,b", true],
    ["spec.none=", true],
    ["metadata.name!=x,", true],
  ])("%j matches: %s", (text, matches) => {
    expect(parseFieldSelector(text).matches(fields)).toBe(matches);
  });

  test.each([
    ["spec", "invalid selector: 'spec'; can't understand 'spec'"],
    ["a=b\\c", "invalid field selector: invalid escape sequence: \\c"],
    ["a=b\\", "invalid field selector: invalid escape sequence: \\"],
    ["a=b=c", "invalid field selector: unescaped character in value: 61"],
  ])("%j is refused: %s", (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(message);
  });

  test("only fields that the kind offers may be named", () => {
    const rules = { selectableFields: () => ({ "spec.nodeName": "" }) };
    expect(() => checkFieldSelector(parseFieldSelector("spec.nodeName=a,metadata.name=b"), rules)).not.toThrow();
    expect(() => checkFieldSelector(parseFieldSelector("spec.x=a"), rules)).toThrow(
      "field label not supported: spec.x",
    );
    expect(() => checkFieldSelector(parseFieldSelector("spec.x=a"), {})).toThrow(
      '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });
});
