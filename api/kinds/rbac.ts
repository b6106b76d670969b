import { sameJson } from "../equality.ts";
import { checkRequired, checkSubdomain, checkSupported, complain } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { Column } from "../kind.ts";
import { pathSegmentComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { AGE } from "../table.ts";

/** What Role and ClusterRole, and their bindings, have in common. */
const RBAC_GROUP = "rbac.authorization.k8s.io";

export interface PolicyRule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface Subject {
  kind: string;
  apiGroup?: string;
  name: string;
  namespace?: string;
}

export interface BindingObject extends KubeObject {
  roleRef: { apiGroup?: string; kind: string; name: string };
  subjects?: Subject[];
}

const RULES = FieldPath.of("rules");
const ROLE_REF = FieldPath.of("roleRef");
const SUBJECTS = FieldPath.of("subjects");

export function validateRules(rules: readonly PolicyRule[] | null | undefined, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  rules?.forEach((rule, i) => {
    const at = RULES.index(i);
    if (!rule.verbs?.length) errors.push(fieldRequired(at.child("verbs"), "verbs must contain at least one value"));
    if (rule.nonResourceURLs?.length) {
      if (namespaced) {
        const why = "namespaced rules cannot apply to non-resource URLs";
        errors.push(fieldInvalid(at.child("nonResourceURLs"), rule.nonResourceURLs, why));
      }
      if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
        const why = "rules cannot apply to both regular resources and non-resource URLs";
        errors.push(fieldInvalid(at.child("nonResourceURLs"), rule.nonResourceURLs, why));
      }
      return;
    }
    if (!rule.apiGroups?.length) {
      errors.push(fieldRequired(at.child("apiGroups"), "resource rules must supply at least one api group"));
    }
    if (!rule.resources?.length) {
      errors.push(fieldRequired(at.child("resources"), "resource rules must supply at least one resource"));
    }
  });
  return errors;
}

export function setBindingDefaults({ roleRef, subjects }: BindingObject): void {
  if (roleRef) roleRef.apiGroup ||= RBAC_GROUP;
  for (const subject of subjects ?? []) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= RBAC_GROUP;
  }
}

export function validateBinding({ roleRef, subjects }: BindingObject, roleKinds: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (roleRef?.apiGroup !== RBAC_GROUP) {
    errors.push(fieldNotSupported(ROLE_REF.child("apiGroup"), roleRef?.apiGroup, [RBAC_GROUP]));
  }
  if (!roleKinds.includes(roleRef?.kind)) {
    errors.push(fieldNotSupported(ROLE_REF.child("kind"), roleRef?.kind, roleKinds));
  }
  const at = ROLE_REF.child("name");
  if (checkRequired(roleRef?.name, at, errors)) complain(pathSegmentComplaints(roleRef.name), roleRef.name, at, errors);
  subjects?.forEach((subject, i) => {
    validateSubject(subject, roleKinds.length > 1, SUBJECTS.index(i), errors);
  });
  return errors;
}

function validateSubject(subject: Subject, namespaced: boolean, path: FieldPath, errors: FieldError[]): void {
  checkRequired(subject.name, path.child("name"), errors);
  checkSupported(subject.kind ?? "", ["ServiceAccount", "User", "Group"], path.child("kind"), errors);
  const group = subject.apiGroup ?? "";
  if (subject.kind === "ServiceAccount") {
    if (subject.name) checkSubdomain(subject.name, path.child("name"), errors);
    if (group) errors.push(fieldNotSupported(path.child("apiGroup"), group, [""]));
    // In a RoleBinding, upstream takes none to mean its own namespace only when it is used.
    if (!namespaced && !subject.namespace) errors.push(fieldRequired(path.child("namespace")));
  } else if (subject.kind === "User" || subject.kind === "Group") {
    if (group !== RBAC_GROUP) errors.push(fieldNotSupported(path.child("apiGroup"), group, [RBAC_GROUP]));
  }
}

export function validateBindingUpdate(next: BindingObject, previous: BindingObject): FieldError[] {
  if (sameJson(next.roleRef, previous.roleRef)) return [];
  // Shown as upstream's Go type, which has no JSON names.
  const { apiGroup: APIGroup = "", kind: Kind = "", name: Name = "" } = next.roleRef;
  return [fieldInvalid(ROLE_REF, { APIGroup, Kind, Name }, "cannot change roleRef")];
}

const namesOf = (kind: string) => (binding: BindingObject) =>
  (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");

export const bindingColumns: Column<BindingObject>[] = [
  { name: "Role", description: "The role that is bound.", value: ({ roleRef }) => `${roleRef?.kind}/${roleRef?.name}` },
  AGE,
  { name: "Users", priority: 1, description: "Users that have it.", value: namesOf("User") },
  { name: "Groups", priority: 1, description: "Groups that have it.", value: namesOf("Group") },
  {
    name: "ServiceAccounts",
    priority: 1,
    description: "Service accounts that have it.",
    value: namesOf("ServiceAccount"),
  },
];
