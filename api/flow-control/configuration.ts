import type { User } from "../object.ts";
import { BOOTSTRAP_LEVELS, BOOTSTRAP_SCHEMAS, CATCH_ALL, EXEMPT } from "./bootstrap-configuration.ts";
import type { FlowSchemaSpec, PriorityLevelSpec } from "./specs.ts";

/** A FlowSchema or PriorityLevelConfiguration as limits go by it. Without a spec it is the bootstrap object of its name. */
export interface FlowObject<Spec> {
  readonly metadata: { readonly name: string; readonly uid?: string };
  readonly spec?: Spec;
}

/** What a request is judged by. Of one for no resource, `path` is there and the rest is empty. */
export interface FlowRequest {
  readonly user: Pick<User, "name" | "groups">;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly path?: string;
}

export interface Schema {
  readonly name: string;
  readonly uid: string;
  readonly spec: FlowSchemaSpec;
  readonly level: Level;
}

export interface Level {
  readonly name: string;
  readonly uid: string;
  readonly spec: PriorityLevelSpec;
  readonly isExempt: boolean;
}

/** Which requests there are limits for: the FlowSchemas and PriorityLevelConfigurations of a cluster at one moment. */
export interface FlowConfiguration {
  /** In the order in which they match; those whose level is not there are left out. */
  readonly schemas: readonly Schema[];
  readonly levels: readonly Level[];
  /** For what no schema matches. */
  readonly catchAll: Schema;
}

/** What is missing of what is mandatory is imagined, as upstream does; what is not known at all is what every cluster begins with. */
export function flowConfiguration(
  schemas: readonly FlowObject<FlowSchemaSpec>[],
  levels: readonly FlowObject<PriorityLevelSpec>[],
): FlowConfiguration {
  const known = new Map<string, Level>();
  for (const { metadata, spec = bootstrapSpec(BOOTSTRAP_LEVELS, metadata.name) } of levels)
    if (spec) known.set(metadata.name, levelOf(metadata, spec));
  const isUnknown = schemas.length === 0 && levels.length === 0;
  for (const { name, isMandatory, spec } of BOOTSTRAP_LEVELS)
    if (!known.has(name) && (isMandatory || isUnknown)) known.set(name, levelOf({ name }, spec));

  const given = new Map<string, Schema>();
  const add = (metadata: { name: string; uid?: string }, spec: FlowSchemaSpec | undefined) => {
    const level = known.get(spec?.priorityLevelConfiguration?.name ?? "");
    if (spec && level) given.set(metadata.name, { name: metadata.name, uid: metadata.uid ?? "", spec, level });
  };
  for (const { metadata, spec } of schemas) add(metadata, spec ?? bootstrapSpec(BOOTSTRAP_SCHEMAS, metadata.name));
  for (const { name, isMandatory, spec } of BOOTSTRAP_SCHEMAS)
    if (!given.has(name) && (isMandatory || isUnknown)) add({ name }, spec);

  const ordered = [...given.values()].sort(
    (a, b) =>
      (a.spec.matchingPrecedence ?? 0) - (b.spec.matchingPrecedence ?? 0) ||
      (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
  return { schemas: ordered, levels: [...known.values()], catchAll: given.get(CATCH_ALL)! };
}

const levelOf = ({ name, uid = "" }: { name: string; uid?: string }, spec: PriorityLevelSpec): Level => ({
  name,
  uid,
  spec,
  isExempt: name === EXEMPT || spec.type === "Exempt",
});

const bootstrapSpec = <Spec>(objects: readonly { name: string; spec: Spec }[], name: string): Spec | undefined =>
  objects.find((object) => object.name === name)?.spec;

/** The first schema that a request matches. */
export function classify({ schemas, catchAll }: FlowConfiguration, request: FlowRequest): Schema {
  for (const schema of schemas) if (matches(schema.spec, request)) return schema;
  return catchAll;
}

/** What makes flows of a schema's requests: those of one flow wait behind each other. */
export function flowOf({ name, spec }: Schema, { user, namespace }: FlowRequest): string {
  const method = spec.distinguisherMethod?.type;
  return `${name}\0${method === "ByUser" ? user.name : method === "ByNamespace" ? namespace : ""}`;
}

function matches({ rules = [] }: FlowSchemaSpec, request: FlowRequest): boolean {
  for (const { subjects = [], resourceRules = [], nonResourceRules = [] } of rules) {
    if (!subjects.some((subject) => isMeant(subject, request.user))) continue;
    const { verb, path } = request;
    const isMatch =
      path === undefined
        ? resourceRules.some((rule) => matchesResource(rule, request))
        : nonResourceRules.some(
            ({ verbs = [], nonResourceURLs = [] }) =>
              includes(verbs, verb) && nonResourceURLs.some((url) => matchesPath(url, path)),
          );
    if (isMatch) return true;
  }
  return false;
}

type Rule = NonNullable<FlowSchemaSpec["rules"]>[number];
type Subject = NonNullable<Rule["subjects"]>[number];
type ResourceRule = NonNullable<Rule["resourceRules"]>[number];

const ACCOUNT = "system:serviceaccount:";

function isMeant({ kind, user, group, serviceAccount }: Subject, { name, groups }: FlowRequest["user"]): boolean {
  switch (kind) {
    case "User":
      return user?.name === "*" || user?.name === name;
    case "Group":
      return group?.name === "*" || groups.includes(group?.name ?? "");
    case "ServiceAccount": {
      const prefix = `${ACCOUNT}${serviceAccount?.namespace}:`;
      return name.startsWith(prefix) && (serviceAccount?.name === "*" || name === `${prefix}${serviceAccount?.name}`);
    }
    default:
      return false;
  }
}

const includes = (list: readonly string[], value: string): boolean => list[0] === "*" || list.includes(value);

function matchesResource(
  { verbs = [], apiGroups = [], resources = [], namespaces = [], clusterScope = false }: ResourceRule,
  { verb, group, resource, subresource, namespace }: FlowRequest,
): boolean {
  return (
    includes(verbs, verb) &&
    includes(resources, subresource ? `${resource}/${subresource}` : resource) &&
    includes(apiGroups, group) &&
    (namespace === "" ? clusterScope : includes(namespaces, namespace))
  );
}

function matchesPath(url: string, path: string): boolean {
  if (url === "*" || url === path) return true;
  const prefix = url.endsWith("*") ? url.slice(0, -1) : url;
  return path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}
