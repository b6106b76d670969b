import { checkSupported, complain } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldInvalid, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { pathSegmentComplaints } from "../names.ts";
import { type LabelSelector, validateLabelSelector } from "../selector.ts";

/** admissionregistration.k8s.io/v1 RuleWithOperations. */
export interface AdmissionRule {
  operations?: string[];
  apiGroups?: string[];
  apiVersions?: string[];
  /** With or without a subresource; `*` stands for any of either. */
  resources?: string[];
  scope?: string;
}

/** admissionregistration.k8s.io/v1 NamedRuleWithOperations. */
export interface NamedAdmissionRule extends AdmissionRule {
  resourceNames?: string[];
}

/** admissionregistration.k8s.io/v1 MatchResources. */
export interface MatchResources {
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
  resourceRules?: NamedAdmissionRule[];
  excludeResourceRules?: NamedAdmissionRule[];
  matchPolicy?: string;
}

export const FAILURE_POLICIES = ["Fail", "Ignore"];
const MATCH_POLICIES = ["Equivalent", "Exact"];
const SCOPES = ["*", "Cluster", "Namespaced"];
const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
/** What a MutatingAdmissionPolicy may match: nothing of a DELETE can be changed. */
export const MUTATING_OPERATIONS = ["*", "CONNECT", "CREATE", "UPDATE"];

/** What both webhooks and policies leave out often. */
export function setRuleDefaults(rules: readonly AdmissionRule[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= "*";
}

export function setMatchResourcesDefaults(resources: MatchResources | undefined): void {
  if (!resources) return;
  resources.matchPolicy ??= "Equivalent";
  resources.namespaceSelector ??= {};
  resources.objectSelector ??= {};
  setRuleDefaults(resources.resourceRules);
  setRuleDefaults(resources.excludeResourceRules);
}

export function checkMatchPolicy(policy: string, path: FieldPath, errors: FieldError[]): void {
  checkSupported(policy, MATCH_POLICIES, path, errors);
}

/** kubernetes pkg/apis/admissionregistration/validation validateRuleWithOperations. */
export function validateRule(rule: AdmissionRule, path: FieldPath, errors: FieldError[]): void {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  checkWildcard(operations, "operations", path.child("operations"), errors);
  operations.forEach((operation, i) => {
    checkSupported(operation, OPERATIONS, path.child("operations").index(i), errors);
  });
  checkWildcard(apiGroups, "API groups", path.child("apiGroups"), errors);
  checkWildcard(apiVersions, "API versions", path.child("apiVersions"), errors);
  apiVersions.forEach((version, i) => {
    if (version === "") errors.push(fieldRequired(path.child("apiVersions").index(i)));
  });
  validateResources(resources, path.child("resources"), errors);
  if (scope !== undefined) checkSupported(scope, SCOPES, path.child("scope"), errors);
}

function checkWildcard(items: readonly string[], what: string, path: FieldPath, errors: FieldError[]): void {
  if (items.length === 0) errors.push(fieldRequired(path));
  if (items.length > 1 && items.includes("*")) {
    errors.push(fieldInvalid(path, items, `if '*' is present, must not specify other ${what}`));
  }
}

function validateResources(resources: readonly string[], path: FieldPath, errors: FieldError[]): void {
  if (resources.length === 0) errors.push(fieldRequired(path));
  const allOf = new Set<string>();
  const ofAll = new Set<string>();
  let endsWithoutSubresource = false;
  resources.forEach((each, i) => {
    const at = path.index(i);
    if (each === "") {
      errors.push(fieldRequired(at));
      return;
    }
    const slash = each.indexOf("/");
    if (slash < 0) {
      // The last one counts, as upstream has it.
      endsWithoutSubresource = each !== "*";
      return;
    }
    const [resource, subresource] = [each.slice(0, slash), each.slice(slash + 1)];
    if (allOf.has(resource)) {
      errors.push(fieldInvalid(at, each, `if '${resource}/*' is present, must not specify ${each}`));
    }
    if (ofAll.has(subresource)) {
      errors.push(fieldInvalid(at, each, `if '*/${subresource}' is present, must not specify ${each}`));
    }
    if (subresource === "*") allOf.add(resource);
    if (resource === "*") ofAll.add(subresource);
  });
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.push(fieldInvalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes("*") && endsWithoutSubresource) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(fieldInvalid(path, resources, why));
  }
}

function validateNamedRule(rule: NamedAdmissionRule, path: FieldPath, errors: FieldError[]): void {
  const seen = new Set<string>();
  rule.resourceNames?.forEach((name, i) => {
    const at = path.child("resourceNames").index(i);
    complain(pathSegmentComplaints(name), name, at, errors);
    if (seen.has(name)) errors.push(fieldDuplicate(at, name));
    seen.add(name);
  });
  validateRule(rule, path, errors);
}

/** kubernetes pkg/apis/admissionregistration/validation validateMatchResources. */
export function validateMatchResources(resources: MatchResources, path: FieldPath, errors: FieldError[]): void {
  const { matchPolicy, namespaceSelector, objectSelector } = resources;
  if (matchPolicy === undefined) errors.push(fieldRequired(path.child("matchPolicy")));
  else checkMatchPolicy(matchPolicy, path.child("matchPolicy"), errors);
  for (const [name, selector] of Object.entries({ namespaceSelector, objectSelector })) {
    if (selector) validateLabelSelector(selector, path.child(name), errors);
    else errors.push(fieldRequired(path.child(name)));
  }
  for (const field of ["resourceRules", "excludeResourceRules"] as const) {
    resources[field]?.forEach((rule, i) => {
      validateNamedRule(rule, path.child(field).index(i), errors);
    });
  }
}
