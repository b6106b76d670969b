import type { User } from "../../api/object.ts";
import { parseFieldSelector } from "../../api/selector.ts";
import { forbidden } from "../../api/status.ts";
import type { RequestOptions, Target, Verb } from "../protocol.ts";
import type { ReadTransaction } from "../store/transaction.ts";
import type { HomeScope } from "../verbs/scope.ts";
import { referenced } from "./pod-references.ts";

const MASTERS = "system:masters";
const NODES = "system:nodes";
const NODE_PREFIX = "system:node:";
const LEASE_NAMESPACE = "kube-node-lease";

export interface AccessRequest {
  readonly verb: Verb | "watch";
  readonly user: User;
  readonly target: Target;
  readonly options: RequestOptions;
}

/** The node whose credential this is. */
export const nodeOf = ({ name, groups }: User): string | undefined =>
  groups.includes(NODES) && name.startsWith(NODE_PREFIX) ? name.slice(NODE_PREFIX.length) : undefined;

/** Deny by default. @throws ApiError Forbidden. */
export function authorize(scope: HomeScope, request: AccessRequest): void {
  if (request.user.groups.includes(MASTERS)) return;
  const node = nodeOf(request.user);
  const why = node === undefined ? "" : scope.store.read((tx) => nodeRefusal(node, request, tx));
  if (node !== undefined && why === undefined) return;
  throw denial(request, why ?? "");
}

export function denial({ user, verb, target }: AccessRequest, why: string) {
  const { group, resource, namespace, name, subresource } = target;
  const what = subresource ? `${resource}/${subresource}` : resource;
  // Upstream's request info takes a Namespace to be in itself.
  const scope = group === "" && resource === "namespaces" ? name : namespace;
  const where = scope ? `in the namespace "${scope}"` : "at the cluster scope";
  const sentence = `User ${JSON.stringify(user.name)} cannot ${verb} resource "${what}" in API group "${group}" ${where}`;
  return forbidden({ group, resource }, name, why ? `${sentence}: ${why}` : sentence);
}

const READS = new Set(["get", "list", "watch"]);
const SHARED = new Set(["services", "endpoints", "endpointslices.discovery.k8s.io"]);
const REFERENCED = new Set(["configmaps", "secrets", "serviceaccounts", "persistentvolumeclaims"]);

/**
 * What a node may do: see and report its own, and read what its pods refer to (upstream's node authorizer). Undefined: allowed;
 * else what is added to the refusal.
 */
function nodeRefusal(node: string, request: AccessRequest, tx: ReadTransaction): string | undefined {
  const { verb, target } = request;
  const { group, resource, subresource, name, namespace } = target;
  const key = group ? `${resource}.${group}` : resource;
  if (SHARED.has(key)) return READS.has(verb) && !subresource ? undefined : "";
  if (REFERENCED.has(key)) {
    if (verb !== "get" || subresource) return "can only get individual resources of this type";
    return isReferenced(node, resource, name, tx)
      ? undefined
      : `no relationship found between node '${node}' and this object`;
  }
  switch (key) {
    case "nodes":
      return nodeObjectRefusal(node, request);
    case "pods":
      return podRefusal(node, request, tx);
    case "events":
      return !subresource && (verb === "create" || verb === "patch" || verb === "update") ? undefined : "";
    case "leases.coordination.k8s.io":
      if (!["get", "create", "update", "patch", "delete"].includes(verb)) {
        return "can only get, create, update, patch, or delete a node lease";
      }
      if (namespace !== LEASE_NAMESPACE) return `can only access leases in the "${LEASE_NAMESPACE}" system namespace`;
      if (verb === "create" || name === node) return undefined;
      return "can only access node lease with the same name as the requesting node";
    default:
      return "";
  }
}

function nodeObjectRefusal(node: string, { verb, target, options }: AccessRequest): string | undefined {
  const { name, subresource } = target;
  if (subresource === "status") return verb === "update" || verb === "patch" ? undefined : "";
  if (subresource) return "";
  switch (verb) {
    case "create":
    case "update":
    case "patch":
      // Whose object it is, NodeRestriction looks at.
      return undefined;
    case "get":
      return name === node ? undefined : `node '${node}' cannot read '${name}', only its own Node object`;
    case "list":
    case "watch":
      if (hasField(options, "metadata.name", node)) return undefined;
      return `node '${node}' cannot read all nodes, only its own Node object`;
    default:
      return "";
  }
}

function podRefusal(node: string, { verb, target, options }: AccessRequest, tx: ReadTransaction): string | undefined {
  const { name, subresource } = target;
  if (subresource === "status") return verb === "update" || verb === "patch" ? undefined : "";
  if (subresource) return "";
  switch (verb) {
    case "create":
    case "delete":
      return undefined;
    case "get":
      if (tx.get("pods", name)?.object["spec"]?.nodeName === node) return undefined;
      return `no relationship found between node '${node}' and this object`;
    case "list":
    case "watch":
      return hasField(options, "spec.nodeName", node)
        ? undefined
        : "can only list/watch pods with spec.nodeName field selector";
    default:
      return "";
  }
}

const hasField = ({ fieldSelector = "" }: RequestOptions, field: string, value: string): boolean =>
  parseFieldSelector(fieldSelector).requirements.some(
    (each) => each.field === field && each.equal && each.value === value,
  );

/** Whether a pod on the node refers to the object. */
function isReferenced(node: string, resource: string, name: string, tx: ReadTransaction): boolean {
  return tx
    .list("pods")
    .some(({ object }) => object["spec"]?.nodeName === node && referenced(object, resource).has(name));
}
