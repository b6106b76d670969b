import { describeFieldError, type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "./field-error.ts";
import { FieldPath } from "./field-path.ts";
import type { KindRules } from "./kind.ts";
import { labelValueComplaints, qualifiedNameComplaints } from "./names.ts";
import type { KubeObject } from "./object.ts";
import { badRequest } from "./status.ts";

export type Labels = Readonly<Record<string, string>>;

export type Operator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** A label selector, whichever form it came in. All requirements hold, or it does not match. */
export interface Matcher {
  readonly requirements: readonly Requirement[];
  matches(labels: Labels | undefined): boolean;
  /** The text form, in which kubectl prints it too. */
  toString(): string;
}

/** metav1.LabelSelector. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

const NO_LABELS: Labels = {};

class Selector implements Matcher {
  readonly requirements: readonly Requirement[];

  constructor(requirements: readonly Requirement[]) {
    this.requirements = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  matches(labels: Labels = NO_LABELS): boolean {
    for (const requirement of this.requirements) if (!holds(requirement, labels)) return false;
    return true;
  }

  toString(): string {
    return this.requirements.map(describeRequirement).join(",");
  }
}

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "=":
    case "==":
    case "in":
      return value !== undefined && values.includes(value);
    case "!=":
    case "notin":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    default: {
      if (value === undefined || !INTEGER.test(value)) return false;
      const [actual, bound] = [BigInt(value), BigInt(values[0]!)];
      return operator === "gt" ? actual > bound : actual < bound;
    }
  }
}

function describeRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${[...values].sort().join(",")})`;
    case "gt":
      return `${key}>${values[0]}`;
    case "lt":
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

/** Matches everything, as an absent `labelSelector` parameter does. */
export const EVERYTHING: Matcher = new Selector([]);
/** Matches nothing, as an absent metav1.LabelSelector does. */
export const NOTHING: Matcher = { requirements: [], matches: () => false, toString: () => "" };

const INTEGER = /^-?\d{1,18}$/;
const SYMBOLS = "=!(),<>";
const TEXT_MAX = 64 * 1024;
const TOKEN = /\s*(?:(==|!=|[=!(),<>])|([^\s=!(),<>]+))/y;
const OPERATORS: Record<string, Operator> = {
  "=": "=",
  "==": "==",
  "!=": "!=",
  in: "in",
  notin: "notin",
  ">": "gt",
  "<": "lt",
};
const OPERATOR_NAMES = "in, notin, =, ==, !=, gt, lt";

/**
 * The text form: `app=web,tier in (a,b),!legacy`.
 * @throws ApiError BadRequest, in upstream's words.
 */
export function parseLabelSelector(text: string): Matcher {
  if (text === "") return EVERYTHING;
  if (text.length > TEXT_MAX) throw badRequest(`label selector is longer than ${TEXT_MAX} characters`);
  const tokens = tokenize(text);
  const requirements: Requirement[] = [];
  let position = 0;
  const peek = (): string => tokens[position] ?? "";
  const take = (): string => tokens[position++] ?? "";

  const parseRequirement = (): Requirement => {
    const negated = peek() === "!";
    if (negated) take();
    const key = take();
    if (!isIdentifier(key)) throw new Error(`found '${key}', expected: identifier`);
    const ofKey = qualifiedNameComplaints(key);
    if (ofKey.length > 0) throw new Error(describeFieldError(fieldInvalid("<nil>", key, ofKey.join("; "))));
    if (peek() === "" || peek() === ",") return { key, operator: negated ? "!" : "exists", values: [] };
    if (negated) return { key, operator: "!", values: [] };
    const symbol = take();
    const operator = OPERATORS[symbol];
    if (!operator) throw new Error(`found '${symbol}', expected: ${OPERATOR_NAMES}`);
    const values = operator === "in" || operator === "notin" ? parseValues() : [parseValue()];
    return checked({ key, operator, values: [...new Set(values)].sort() });
  };
  const parseValue = (): string => {
    if (peek() === "" || peek() === ",") return "";
    const value = take();
    if (!isIdentifier(value)) throw new Error(`found '${value}', expected: identifier`);
    return value;
  };
  const parseValues = (): string[] => {
    const open = take();
    if (open !== "(") throw new Error(`found '${open}' expected: '('`);
    const values: string[] = [];
    let value = "";
    for (;;) {
      const token = take();
      if (token === "," || token === ")") {
        values.push(value);
        value = "";
        if (token === ")") return values;
      } else if (isIdentifier(token)) {
        if (value !== "") throw new Error(`found '${token}', expected: ',' or ')'`);
        value = token;
      } else {
        throw new Error(
          `found '${token}', expected: ${values.length > 0 || value ? "',' or ')'" : "',', ')' or identifier"}`,
        );
      }
    }
  };

  try {
    while (peek() !== "") {
      if (!isIdentifier(peek()) && peek() !== "!") {
        throw new Error(`found '${peek()}', expected: !, identifier, or 'end of string'`);
      }
      try {
        requirements.push(parseRequirement());
      } catch (error) {
        throw new Error(`unable to parse requirement: ${(error as Error).message}`);
      }
      const separator = take();
      if (separator === "") break;
      if (separator !== ",") throw new Error(`found '${separator}', expected: ',' or 'end of string'`);
      if (!isIdentifier(peek()) && peek() !== "!") {
        throw new Error(`found '${peek()}', expected: identifier after ','`);
      }
    }
  } catch (error) {
    throw badRequest((error as Error).message);
  }
  return new Selector(requirements);
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) tokens.push(match[1] ?? match[2]!);
  return tokens;
}

const isIdentifier = (token: string): boolean => token !== "" && !SYMBOLS.includes(token[0]!);

function checked(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  const path = FieldPath.of("values");
  const errors: FieldError[] = [];
  values.forEach((value, i) => {
    if ((operator === "gt" || operator === "lt") && !INTEGER.test(value)) {
      errors.push(fieldInvalid(path.index(i), value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    }
    const complaints = labelValueComplaints(value);
    if (complaints.length > 0) errors.push(fieldInvalid(path.index(i).key(key), value, complaints.join("; ")));
  });
  if (errors.length === 0) return requirement;
  const texts = errors.map(describeFieldError);
  throw new Error(texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`);
}

const FROM_EXPRESSION: Record<string, Operator> = { In: "in", NotIn: "notin", Exists: "exists", DoesNotExist: "!" };

/** The metav1.LabelSelector form. None matches nothing, an empty one everything; an unknown operator matches nothing. */
export function labelSelectorMatcher(selector: LabelSelector | null | undefined): Matcher {
  if (!selector) return NOTHING;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push({ key, operator: "=", values: [value] });
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const known = FROM_EXPRESSION[operator];
    if (!known) return NOTHING;
    requirements.push({ key, operator: known, values });
  }
  return requirements.length === 0 ? EVERYTHING : new Selector(requirements);
}

/** The map form, of services and replication controllers. None or empty: nothing. */
export const labelMapMatcher = (map: Labels | null | undefined): Matcher =>
  map && Object.keys(map).length > 0 ? labelSelectorMatcher({ matchLabels: { ...map } }) : NOTHING;

/** As the Selector columns print a metav1.LabelSelector. */
export function formatLabelSelector(selector: LabelSelector | null | undefined): string {
  return labelSelectorMatcher(selector).toString() || "<none>";
}

/** As columns print a map of labels: sorted, `<none>` where there are none. */
export function formatLabels(labels: Labels | null | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.sort().join(",") || "<none>";
}

export function validateLabels(labels: Labels | null | undefined, path: FieldPath, errors: FieldError[]): void {
  for (const key in labels) {
    for (const complaint of qualifiedNameComplaints(key)) errors.push(fieldInvalid(path, key, complaint));
    for (const complaint of labelValueComplaints(labels[key]!)) errors.push(fieldInvalid(path, labels[key], complaint));
  }
}

export function validateLabelSelector(
  selector: LabelSelector | null | undefined,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!selector) return;
  validateLabels(selector.matchLabels, path.child("matchLabels"), errors);
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, i) => {
    const at = path.child("matchExpressions").index(i);
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        errors.push(fieldRequired(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        errors.push(
          fieldForbidden(at.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      }
    } else {
      errors.push(fieldInvalid(at.child("operator"), operator, "not a valid selector operator"));
    }
    for (const complaint of qualifiedNameComplaints(key)) errors.push(fieldInvalid(at.child("key"), key, complaint));
    values.forEach((value, j) => {
      for (const complaint of labelValueComplaints(value)) {
        errors.push(fieldInvalid(at.child("values").index(j), value, complaint));
      }
    });
  });
}

export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/** A field selector: `spec.nodeName=n1,status.phase!=Running`. */
export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[];
  /** A field that is not there counts as empty. */
  matches(fields: Readonly<Record<string, string>>): boolean;
}

/** @throws ApiError BadRequest, in upstream's words. */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === "") continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    requirements.push({ field: match[1]!, equal: match[2] !== "!=", value: unescapeValue(match[3]!) });
  }
  return {
    requirements,
    matches: (fields) => requirements.every(({ field, equal, value }) => ((fields[field] ?? "") === value) === equal),
  };
}

function splitTerms(text: string): string[] {
  const terms = [""];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ",") terms.push("");
    else if (text[i] === "\\" && i + 1 < text.length) terms.push(terms.pop()! + text[i] + text[++i]);
    else terms.push(terms.pop()! + text[i]);
  }
  return terms;
}

function unescapeValue(text: string): string {
  return text.replace(/\\(.?)|[,=]/gs, (whole, escaped: string | undefined) => {
    if (escaped === undefined) {
      throw badRequest(`invalid field selector: unescaped character in value: ${whole.codePointAt(0)}`);
    }
    if (escaped === "" || !"\\,=".includes(escaped)) {
      throw badRequest(`invalid field selector: invalid escape sequence: ${whole}`);
    }
    return escaped;
  });
}

/** What field selectors see of an object. */
export const fieldsOf = (rules: KindRules<any>, object: KubeObject): Record<string, string> => ({
  "metadata.name": object.metadata.name,
  "metadata.namespace": object.metadata.namespace ?? "",
  ...rules.selectableFields?.(object),
});

/** @throws ApiError BadRequest where the selector names a field that the kind does not offer. */
export function checkFieldSelector(selector: FieldSelector, rules: KindRules<any>): void {
  if (selector.requirements.length === 0) return;
  const offered = fieldsOf(rules, { apiVersion: "", kind: "", metadata: { name: "" } });
  for (const { field } of selector.requirements) {
    const isOffered = Object.hasOwn(offered, field) && !(rules.withoutNamespaceField && field === "metadata.namespace");
    if (isOffered) continue;
    throw badRequest(
      rules.unknownField
        ? rules.unknownField(field)
        : rules.selectableFields
          ? `field label not supported: ${field}`
          : `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
    );
  }
}
