import { checkLabelName, checkRequired, checkSubdomain } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from "../field-error.ts";
import { type FieldPath, SPEC, STATUS } from "../field-path.ts";
import { dnsLabelComplaints } from "../names.ts";

/** What holds for FlowSchemas, and for the conditions of what belongs to them (pkg/apis/flowcontrol/validation). */

const PRECEDENCE_MAX = 10_000;
const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
const SUBJECTS = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;

export function validateFlowSchema(name: string, spec: any, errors: FieldError[]): void {
  const { matchingPrecedence: precedence = 0, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec;
  const at = SPEC.child("matchingPrecedence");
  if (precedence <= 0) errors.push(fieldInvalid(at, precedence, "must be a positive value"));
  if (precedence > PRECEDENCE_MAX) {
    errors.push(fieldInvalid(at, precedence, `must not be greater than ${PRECEDENCE_MAX}`));
  }
  if (precedence === 1 && name !== "exempt") {
    errors.push(fieldInvalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  }
  const method = distinguisherMethod?.type ?? "";
  if (distinguisherMethod && method !== "ByNamespace" && method !== "ByUser") {
    // Shown as upstream's Go type, which has no JSON names.
    const methodAt = SPEC.child("distinguisherMethod").child("type");
    errors.push(fieldNotSupported(methodAt, { Type: method }, ["ByNamespace", "ByUser"]));
  }
  const levelAt = SPEC.child("priorityLevelConfiguration").child("name");
  const level = priorityLevelConfiguration?.name;
  if (checkRequired(level, levelAt, errors, "must reference a priority level")) checkSubdomain(level, levelAt, errors);
  rules.forEach((rule: any, i: number) => {
    validateRule(rule, SPEC.child("rules").index(i), errors);
  });
}

function validateRule(rule: any, path: FieldPath, errors: FieldError[]): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  if (subjects.length === 0) {
    errors.push(fieldRequired(path.child("subjects"), "subjects must contain at least one value"));
  }
  subjects.forEach((subject: any, i: number) => {
    validateSubject(subject, path.child("subjects").index(i), errors);
  });
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(fieldRequired(path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
  }
  resourceRules.forEach((inner: any, i: number) => {
    validateResourceRule(inner, path.child("resourceRules").index(i), errors);
  });
  nonResourceRules.forEach((inner: any, i: number) => {
    const at = path.child("nonResourceRules").index(i);
    validateVerbs(inner.verbs ?? [], at.child("verbs"), errors);
    validateUrls(inner.nonResourceURLs ?? [], at.child("nonResourceURLs"), errors);
  });
}

function validateSubject(subject: any, path: FieldPath, errors: FieldError[]): void {
  const kind: string = subject.kind ?? "";
  if (!Object.hasOwn(SUBJECTS, kind)) {
    errors.push(fieldNotSupported(path.child("kind"), kind, Object.keys(SUBJECTS).sort()));
    return;
  }
  for (const [other, field] of Object.entries(SUBJECTS)) {
    const at = path.child(field);
    if (other !== kind) {
      const why = `${field} is forbidden when subject kind is not '${other}'`;
      if (subject[field]) errors.push(fieldForbidden(at, why));
    } else if (!subject[field]) {
      errors.push(fieldRequired(at, `${field} is required when subject kind is '${kind}'`));
    } else {
      const { name, namespace } = subject[field];
      const isAccount = kind === "ServiceAccount";
      if (checkRequired(name, at.child("name"), errors) && isAccount && name !== "*") {
        checkSubdomain(name, at.child("name"), errors);
      }
      if (!isAccount) continue;
      const why = "must specify namespace for service account";
      if (checkRequired(namespace, at.child("namespace"), errors, why)) {
        checkLabelName(namespace, at.child("namespace"), errors);
      }
    }
  }
}

/** Answers whether the list is everything. */
function checkWildcard(values: readonly string[], what: string, path: FieldPath, errors: FieldError[]): boolean {
  if (!values.includes("*")) return false;
  const why = `if '*' is present, must not specify other ${what}`;
  if (values.length > 1) errors.push(fieldInvalid(path, values, why));
  return true;
}

function validateVerbs(verbs: readonly string[], path: FieldPath, errors: FieldError[]): void {
  if (verbs.length === 0) errors.push(fieldRequired(path, "verbs must contain at least one value"));
  else if (!checkWildcard(verbs, "verbs", path, errors) && !verbs.every((verb) => VERBS.includes(verb))) {
    errors.push(fieldNotSupported(path, verbs, VERBS));
  }
}

function validateResourceRule(rule: any, path: FieldPath, errors: FieldError[]): void {
  const { verbs = [], apiGroups = [], resources = [], namespaces = [], clusterScope } = rule;
  validateVerbs(verbs, path.child("verbs"), errors);
  for (const [field, values, one, others] of [
    ["apiGroups", apiGroups, "api group", "api groups"],
    ["resources", resources, "resource", "resources"],
  ]) {
    const at = path.child(field);
    if (values.length === 0) errors.push(fieldRequired(at, `resource rules must supply at least one ${one}`));
    else checkWildcard(values, others, at, errors);
  }
  const at = path.child("namespaces");
  if (namespaces.length === 0 && !clusterScope) {
    const why = "resource rules that are not cluster scoped must supply at least one namespace";
    errors.push(fieldRequired(at, why));
  } else if (!checkWildcard(namespaces, "namespaces", at, errors)) {
    namespaces.forEach((namespace: string, i: number) => {
      for (const complaint of dnsLabelComplaints(namespace)) {
        const why = `each member of this list must be '*' or a DNS-1123 label; ${complaint}`;
        errors.push(fieldInvalid(at.index(i), namespace, why));
      }
    });
  }
}

function validateUrls(urls: readonly string[], path: FieldPath, errors: FieldError[]): void {
  if (urls.length === 0) {
    errors.push(fieldRequired(path, "nonResourceURLs must contain at least one value"));
    return;
  }
  if (checkWildcard(urls, "non-resource URLs", path, errors)) return;
  urls.forEach((url, i) => {
    const why = urlComplaint(url);
    if (why) errors.push(fieldInvalid(path.index(i), url, why));
  });
}

function urlComplaint(url: string): string | undefined {
  if (url === "") return "must not be empty";
  if (url === "/") return undefined;
  if (!url.startsWith("/")) return "must start with slash";
  if (url.includes(" ")) return "must not contain white-space";
  if (url.includes("//")) return "must not contain double slash";
  const star = url.indexOf("*");
  const isLast = star < 0 || (star === url.length - 1 && url.endsWith("/*"));
  return isLast ? undefined : "wildcard can only do suffix matching";
}

/** Of FlowSchemas and PriorityLevelConfigurations alike. */
export function validateConditions(status: any): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  status?.conditions?.forEach(({ type = "" }: { type?: string }, i: number) => {
    const at = STATUS.child("conditions").index(i).child("type");
    if (seen.has(type)) errors.push(fieldDuplicate(at, type));
    seen.add(type);
    checkRequired(type, at, errors);
  });
  return errors;
}
