import type { User } from "../object.ts";

/** How much is said of a request, from nothing to both bodies. */
export const LEVELS = ["None", "Metadata", "Request", "RequestResponse"] as const;
export type Level = (typeof LEVELS)[number];

export const STAGES = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] as const;
export type Stage = (typeof STAGES)[number];

/** A Policy of audit.k8s.io/v1. */
export interface Policy {
  readonly rules: readonly PolicyRule[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

export interface PolicyRule {
  readonly level: Level;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly {
    readonly group?: string;
    readonly resources?: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

/** What rules go by. Of a request for no resource, `target` is absent. */
export interface AuditAttributes {
  /** Absent where nobody knows who asks. */
  readonly user?: Pick<User, "name" | "groups"> | undefined;
  readonly verb: string;
  readonly path: string;
  readonly target?:
    | {
        readonly group: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
      }
    | undefined;
}

/** What is to be said of a request. */
export interface AuditRule {
  readonly level: Level;
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

/** What the first rule that matches says; nothing where none does. */
export function auditRuleOf(
  { rules, omitStages = [], omitManagedFields = false }: Policy,
  attributes: AuditAttributes,
): AuditRule {
  const rule = rules.find((each) => matches(each, attributes));
  return {
    level: rule?.level ?? "None",
    omitStages: rule?.omitStages ? [...omitStages, ...rule.omitStages] : omitStages,
    omitManagedFields: rule?.omitManagedFields ?? omitManagedFields,
  };
}

/** An empty list is no condition. */
const isAny = (list: readonly string[] | undefined): boolean => list === undefined || list.length === 0;

function matches(rule: PolicyRule, { user, verb, path, target }: AuditAttributes): boolean {
  const { users, userGroups, verbs, resources = [], namespaces, nonResourceURLs } = rule;
  if (!isAny(users) && !(user && users!.includes(user.name))) return false;
  if (!isAny(userGroups) && !user?.groups.some((group) => userGroups!.includes(group))) return false;
  if (!isAny(verbs) && !verbs!.includes(verb)) return false;
  if (!isAny(namespaces) || resources.length > 0) {
    if (!target || !(isAny(namespaces) || namespaces!.includes(target.namespace))) return false;
    return resources.length === 0 || resources.some((each) => matchesResource(each, target));
  }
  if (isAny(nonResourceURLs)) return true;
  return !target && nonResourceURLs!.some((url) => matchesPath(url, path));
}

function matchesResource(
  { group = "", resources = [], resourceNames }: NonNullable<PolicyRule["resources"]>[number],
  target: NonNullable<AuditAttributes["target"]>,
): boolean {
  if (group !== "*" && group !== target.group) return false;
  if (resources.length === 0) return true;
  if (!isAny(resourceNames) && !resourceNames!.includes(target.name)) return false;
  const { resource, subresource } = target;
  const whole = subresource ? `${resource}/${subresource}` : resource;
  return resources.some(
    (each) =>
      each === "*" || each === whole || each === `${resource}/*` || (subresource !== "" && each === `*/${subresource}`),
  );
}

const matchesPath = (url: string, path: string): boolean =>
  url === "*" || url === path || (url.endsWith("*") && path.startsWith(url.replace(/\*+$/, "")));
