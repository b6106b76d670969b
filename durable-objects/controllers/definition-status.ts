import type {
  CustomResourceDefinitionObject,
  DefinitionCondition,
  DefinitionNames,
} from "../../api/custom/definition.ts";
import { sameJson } from "../../api/equality.ts";

type Definition = Readonly<CustomResourceDefinitionObject>;
type Status = NonNullable<CustomResourceDefinitionObject["status"]>;
type Wanted = Omit<DefinitionCondition, "lastTransitionTime">;

/** What another definition has taken. */
export interface NamesTaken {
  readonly group: string;
  readonly acceptedNames: DefinitionNames | undefined;
}

const APPROVED = "api-approved.kubernetes.io";
const KEP = "see https://github.com/kubernetes/enhancements/pull/1111";

/**
 * What the status of a definition has to be: which names it has, whether it is served (apiextensions-apiserver's controllers
 * `status`, `establish` and `apiapproval`). `others`: what all definitions have taken, this one included. `timestamp`: RFC 3339.
 */
export function definitionStatus(definition: Definition, others: readonly NamesTaken[], timestamp: string): Status {
  const { status = {}, spec, metadata } = definition;
  let conditions = status.conditions ?? [];
  const set = (wanted: Wanted): void => {
    conditions = withDefinitionCondition(conditions, wanted, timestamp);
  };
  let acceptedNames = status.acceptedNames;
  if (!sameJson(spec.names, acceptedNames)) {
    const named = namesOf(definition, others);
    acceptedNames = named.accepted;
    set(named.condition);
    if (!isTrue(conditions, "Established"))
      set({ type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" });
  }
  if (isTrue(conditions, "NamesAccepted") && !isTrue(conditions, "Established"))
    set(
      hasBadBundle(definition)
        ? {
            type: "Established",
            status: "False",
            reason: "InvalidCABundle",
            message: "The conversion webhook CABundle is invalid",
          }
        : {
            type: "Established",
            status: "True",
            reason: "InitialNamesAccepted",
            message: "the initial names have been accepted",
          },
    );
  const approval = approvalOf(spec.group, metadata.annotations?.[APPROVED] ?? "");
  if (approval) set(approval);
  return { ...status, conditions, ...(acceptedNames && { acceptedNames }) };
}

const isTrue = (conditions: readonly DefinitionCondition[], type: string): boolean =>
  conditions.some((condition) => condition.type === type && condition.status === "True");

/** In the place of the one of its type; what says the same keeps its time. */
export function withDefinitionCondition(
  conditions: readonly DefinitionCondition[],
  wanted: Wanted,
  timestamp: string,
): DefinitionCondition[] {
  const known = conditions.find(({ type }) => type === wanted.type);
  const lastTransitionTime = known?.status === wanted.status ? (known.lastTransitionTime ?? timestamp) : timestamp;
  const { type, status, reason, message } = wanted;
  const next = { type, status, lastTransitionTime, ...(reason && { reason }), ...(message && { message }) };
  if (!known) return [...conditions, next];
  return conditions.map((condition) => (condition === known ? next : condition));
}

interface Naming {
  accepted: DefinitionNames;
  condition: Wanted;
}

/** Takes each name that no other definition of the group has. */
function namesOf({ spec, status }: Definition, others: readonly NamesTaken[]): Naming {
  const wanted = spec.names;
  const had = status?.acceptedNames;
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const other of others) {
    const names = other.group === spec.group ? other.acceptedNames : undefined;
    if (!names) continue;
    for (const name of [names.plural, names.singular ?? "", ...(names.shortNames ?? [])]) resources.add(name);
    for (const name of [names.kind, names.listKind ?? ""]) kinds.add(name);
  }
  let conflict: { reason: string; message: string } | undefined;
  const isFree = (name: string, own: string, used: ReadonlySet<string>, reason: string): boolean => {
    if (name === own || !used.has(name)) return true;
    conflict = { reason, message: `${JSON.stringify(name)} is already in use` };
    return false;
  };
  const accepted: DefinitionNames = { ...(had ?? { plural: "", kind: "" }) };
  if (isFree(wanted.plural, had?.plural ?? "", resources, "PluralConflict")) accepted.plural = wanted.plural;
  const singular = wanted.singular ?? "";
  if (isFree(singular, had?.singular ?? "", resources, "SingularConflict")) accepted.singular = singular;
  const taken = (wanted.shortNames ?? []).filter((name) => !had?.shortNames?.includes(name) && resources.has(name));
  if (taken.length === 0) take(accepted, "shortNames", wanted.shortNames);
  else {
    const messages = [...new Set(taken.map((name) => `${JSON.stringify(name)} is already in use`))];
    const message = messages.length === 1 ? messages[0]! : `[${messages.join(", ")}]`;
    conflict = { reason: "ShortNamesConflict", message };
  }
  if (isFree(wanted.kind, had?.kind ?? "", kinds, "KindConflict")) accepted.kind = wanted.kind;
  const listKind = wanted.listKind ?? "";
  if (isFree(listKind, had?.listKind ?? "", kinds, "ListKindConflict")) accepted.listKind = listKind;
  take(accepted, "categories", wanted.categories);
  const type = "NamesAccepted";
  const condition: Wanted = conflict
    ? { type, status: "False", ...conflict }
    : { type, status: "True", reason: "NoConflicts", message: "no conflicts found" };
  return { accepted, condition };
}

function take(names: DefinitionNames, field: "shortNames" | "categories", value: string[] | undefined): void {
  if (value) names[field] = value;
  else delete names[field];
}

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/;

function hasBadBundle({ spec }: Definition): boolean {
  const bundle = spec.conversion?.webhook?.clientConfig?.caBundle;
  if (!bundle) return false;
  try {
    return !PEM.test(atob(bundle));
  } catch {
    return true;
  }
}

/** Groups of the community need its approval: undefined for all others. */
function approvalOf(group: string, annotation: string): Wanted | undefined {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return undefined;
  const type = "KubernetesAPIApprovalPolicyConformant";
  const must = `protected groups must have approval annotation ${JSON.stringify(APPROVED)}`;
  if (annotation === "") return { type, status: "False", reason: "MissingAnnotation", message: `${must}, ${KEP}` };
  if (annotation.startsWith("unapproved")) {
    const message = `not approved: ${JSON.stringify(annotation)}`;
    return { type, status: "False", reason: "UnapprovedAnnotation", message };
  }
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/]+/.test(annotation))
    return { type, status: "True", reason: "ApprovedAnnotation", message: `approved in ${annotation}` };
  const message = `${must} with either a URL or a reason starting with "unapproved", ${KEP}`;
  return { type, status: "False", reason: "InvalidAnnotation", message };
}
