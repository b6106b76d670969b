import { describeFieldError, type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import { dnsSubdomainComplaints } from "../names.ts";
import { LEVELS, type Policy, STAGES } from "./policy.ts";

const API_VERSION = "audit.k8s.io/v1";
const LISTS = ["users", "userGroups", "verbs", "namespaces", "nonResourceURLs", "omitStages"] as const;
const RULE_FIELDS = new Set<string>([...LISTS, "level", "resources", "omitManagedFields"]);
const POLICY_FIELDS = new Set(["apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields"]);

/** A Policy, or what is wrong with it (pkg/apis/audit/validation; what is unknown is refused, as kube-apiserver's strict decoding does). */
export function readPolicy(value: unknown): { policy: Policy } | { problems: string[] } {
  if (!isObject(value)) return { problems: ["it is no object"] };
  if (value["apiVersion"] !== API_VERSION || value["kind"] !== "Policy")
    return { problems: [`it has to be a Policy of ${API_VERSION}`] };
  const { rules, omitStages, omitManagedFields } = value;
  const shape = [
    ...unknownFields(value, POLICY_FIELDS, ""),
    ...(Array.isArray(rules) && rules.length > 0 ? [] : ["loaded illegal policy with 0 rules"]),
    ...shapeOf(omitManagedFields, "omitManagedFields", "boolean"),
    ...shapeOf(omitStages, "omitStages", "strings"),
    ...(Array.isArray(rules) ? rules.flatMap(shapeOfRule) : []),
  ];
  if (shape.length > 0) return { problems: shape };
  const policy = value as unknown as Policy;
  const errors: FieldError[] = [];
  validateStages(policy.omitStages, FieldPath.of("omitStages"), errors);
  policy.rules.forEach((rule, i) => {
    validateRule(rule, FieldPath.of("rules").index(i), errors);
  });
  return errors.length > 0 ? { problems: errors.map(describeFieldError) } : { policy };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const unknownFields = (value: object, known: ReadonlySet<string>, at: string): string[] =>
  Object.keys(value).flatMap((name) => (known.has(name) ? [] : [`unknown field "${at}${name}"`]));

function shapeOf(value: unknown, at: string, wanted: "boolean" | "string" | "strings"): string[] {
  if (value === undefined || value === null) return [];
  const isRight =
    wanted === "strings"
      ? Array.isArray(value) && value.every((item) => typeof item === "string")
      : typeof value === wanted;
  return isRight ? [] : [`${at}: it has to be ${wanted === "strings" ? "a list of strings" : `a ${wanted}`}`];
}

function shapeOfRule(rule: unknown, i: number): string[] {
  const at = `rules[${i}]`;
  if (!isObject(rule)) return [`${at}: it has to be an object`];
  const { resources = [] } = rule;
  return [
    ...unknownFields(rule, RULE_FIELDS, `${at}.`),
    ...shapeOf(rule["level"], `${at}.level`, "string"),
    ...shapeOf(rule["omitManagedFields"], `${at}.omitManagedFields`, "boolean"),
    ...LISTS.flatMap((name) => shapeOf(rule[name], `${at}.${name}`, "strings")),
    ...(Array.isArray(resources)
      ? resources.flatMap((each: unknown, j) => shapeOfResources(each, `${at}.resources[${j}]`))
      : [`${at}.resources: it has to be a list`]),
  ];
}

const RESOURCES_FIELDS = new Set(["group", "resources", "resourceNames"]);

const shapeOfResources = (value: unknown, at: string): string[] =>
  isObject(value)
    ? [
        ...unknownFields(value, RESOURCES_FIELDS, `${at}.`),
        ...shapeOf(value["group"], `${at}.group`, "string"),
        ...shapeOf(value["resources"], `${at}.resources`, "strings"),
        ...shapeOf(value["resourceNames"], `${at}.resourceNames`, "strings"),
      ]
    : [`${at}: it has to be an object`];

function validateRule(rule: Policy["rules"][number], path: FieldPath, errors: FieldError[]): void {
  const { level, nonResourceURLs = [], resources = [], namespaces = [], omitStages } = rule;
  if (!level) errors.push(fieldRequired(path.child("level"), ""));
  else if (!LEVELS.includes(level)) errors.push(fieldNotSupported(path.child("level"), level, LEVELS));
  const urlsAt = path.child("nonResourceURLs");
  nonResourceURLs.forEach((url, i) => {
    if (url === "*") return;
    if (!url.startsWith("/"))
      errors.push(fieldInvalid(urlsAt.index(i), url, "non-resource URL rules must begin with a '/' character"));
    if (url.slice(0, -1).includes("*")) {
      const why = "non-resource URL wildcards '*' must be the final character of the rule";
      errors.push(fieldInvalid(urlsAt.index(i), url, why));
    }
  });
  const resourcesAt = path.child("resources");
  for (const { group = "", resources: names = [], resourceNames = [] } of resources) {
    const complaints = group === "" || group === "*" ? [] : dnsSubdomainComplaints(group);
    if (complaints.length > 0) errors.push(fieldInvalid(resourcesAt.child("group"), group, complaints.join(",")));
    if (resourceNames.length > 0 && names.length === 0) {
      const why = "using resourceNames requires at least one resource";
      errors.push(fieldInvalid(resourcesAt.child("resourceNames"), resourceNames, why));
    }
  }
  validateStages(omitStages, path.child("omitStages"), errors);
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    const why = "rules cannot apply to both regular resources and non-resource URLs";
    errors.push(fieldInvalid(urlsAt, nonResourceURLs, why));
  }
}

function validateStages(stages: readonly string[] | undefined, path: FieldPath, errors: FieldError[]): void {
  stages?.forEach((stage, i) => {
    if (!(STAGES as readonly string[]).includes(stage))
      errors.push(fieldInvalid(path.index(i), stage, `allowed stages are ${STAGES.join(",")}`));
  });
}
