import type { AdmissionRule, MatchResources, NamedAdmissionRule } from "../kinds/admission-rules.ts";
import { EVERYTHING, type LabelSelector, type Labels, labelSelectorMatcher, type Matcher } from "../selector.ts";
import { type Attributes, type GroupVersionKind, type GroupVersionResource, isNamespace } from "./attributes.ts";

/** In which form a webhook or a policy wants to see a request: its rules may name another version than the client did. */
export interface Invocation {
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
}

/** Labels of the request's namespace. @throws ApiError NotFound where there is no such namespace. */
export type NamespaceLabels = () => Labels | undefined;

const has = (items: readonly string[] | undefined, item: string): boolean =>
  items?.some((each) => each === "*" || each === item) ?? false;

/** k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules. */
export function matchesRule(
  rule: AdmissionRule,
  attributes: Pick<Attributes, "operation" | "namespace" | "subresource">,
  resource: GroupVersionResource,
): boolean {
  return (
    matchesScope(rule.scope, attributes.namespace, resource) &&
    has(rule.operations, attributes.operation) &&
    has(rule.apiGroups, resource.group) &&
    has(rule.apiVersions, resource.version) &&
    (rule.resources?.some((each) => matchesResource(each, resource.resource, attributes.subresource)) ?? false)
  );
}

function matchesScope(scope: string | undefined, namespace: string, resource: GroupVersionResource): boolean {
  const isClusterWide = namespace === "" || isNamespace({ resource });
  switch (scope) {
    case undefined:
    case "*":
      return true;
    case "Namespaced":
      return !isClusterWide;
    case "Cluster":
      return isClusterWide;
    default:
      return false;
  }
}

function matchesResource(text: string, resource: string, subresource: string): boolean {
  const slash = text.indexOf("/");
  const [wanted, sub] = slash < 0 ? [text, ""] : [text.slice(0, slash), text.slice(slash + 1)];
  return (wanted === "*" || wanted === resource) && (sub === "*" || sub === subresource);
}

/** The first rule that holds for the request as it came; else, with `Equivalent`, for the same objects elsewhere. */
export function invocationOf(
  rules: readonly NamedAdmissionRule[] | undefined,
  matchPolicy: string | undefined,
  attributes: Attributes,
): Invocation | undefined {
  if (!rules) return undefined;
  const { name, resource, kind, equivalents } = attributes;
  const matches = (rule: NamedAdmissionRule, at: GroupVersionResource) =>
    matchesRule(rule, attributes, at) && (!rule.resourceNames?.length || rule.resourceNames.includes(name));
  if (rules.some((rule) => matches(rule, resource))) return { resource, kind };
  if (matchPolicy !== "Equivalent" || equivalents.length === 0) return undefined;
  // Earlier rules come first, whichever version they name.
  for (const rule of rules) {
    const found = equivalents.find((each) => matches(rule, each.resource));
    if (found) return found;
  }
  return undefined;
}

/** Selectors are part of objects that do not change: each is compiled once. */
const compiled = new WeakMap<LabelSelector, Matcher>();

function matcherOf(selector: LabelSelector | undefined): Matcher {
  if (!selector) return EVERYTHING;
  let matcher = compiled.get(selector);
  if (!matcher) {
    matcher = labelSelectorMatcher(selector);
    compiled.set(selector, matcher);
  }
  return matcher;
}

/** What is cluster-wide has no namespace to be left out by; a Namespace is looked at by its own labels. */
export function matchesNamespace(
  selector: LabelSelector | undefined,
  attributes: Attributes,
  namespaceLabels: NamespaceLabels,
): boolean {
  const matcher = matcherOf(selector);
  if (matcher.requirements.length === 0 && matcher === EVERYTHING) return true;
  if (attributes.namespace === "" && !isNamespace(attributes)) return true;
  const { operation, subresource, object } = attributes;
  const isItself = isNamespace(attributes) && subresource === "" && (operation === "CREATE" || operation === "UPDATE");
  return matcher.matches(isItself ? object?.metadata.labels : namespaceLabels());
}

/** Either of the two states of the object. */
export function matchesObject(selector: LabelSelector | undefined, { object, oldObject }: Attributes): boolean {
  const matcher = matcherOf(selector);
  if (matcher === EVERYTHING) return true;
  return [object, oldObject].some((each) => each?.metadata !== undefined && matcher.matches(each.metadata.labels));
}

/** k8s.io/apiserver/pkg/admission/plugin/policy/matching: what a policy or its binding says of the requests it is for. */
export function matchResources(
  resources: MatchResources,
  attributes: Attributes,
  namespaceLabels: NamespaceLabels,
): Invocation | undefined {
  const { resourceRules, excludeResourceRules, matchPolicy, namespaceSelector, objectSelector } = resources;
  const found = resourceRules?.length
    ? invocationOf(resourceRules, matchPolicy, attributes)
    : { resource: attributes.resource, kind: attributes.kind };
  if (!found || !matchesObject(objectSelector, attributes)) return undefined;
  if (excludeResourceRules?.length && invocationOf(excludeResourceRules, matchPolicy, attributes)) return undefined;
  return matchesNamespace(namespaceSelector, attributes, namespaceLabels) ? found : undefined;
}
