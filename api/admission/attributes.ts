import type { KubeObject, User } from "../object.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** A resource that stores the same objects as another: another version, or the group that it had before. */
export interface Equivalent {
  readonly resource: GroupVersionResource;
  /** What travels there: of a subresource, the subresource's kind. */
  readonly kind: GroupVersionKind;
}

/** A request as dynamic admission sees it (k8s.io/apiserver/pkg/admission Attributes). */
export interface Attributes {
  readonly operation: Operation;
  /** Of the request, as are all that follow. */
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** Empty at a creation whose name is yet to be made. */
  readonly name: string;
  /** Of a Namespace, its own name. */
  readonly namespace: string;
  readonly user: User;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions; none at a CONNECT. */
  readonly options: KubeObject | undefined;
  /** None at a deletion. In the version that objects are stored in, as `oldObject`. */
  readonly object: Readonly<KubeObject> | undefined;
  /** None at a creation. */
  readonly oldObject: Readonly<KubeObject> | undefined;
  /** Elsewhere than `resource`. */
  readonly equivalents: readonly Equivalent[];
}

const ADMISSION_KINDS = new Set([
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
]);

/** What is asked and not stored: whoever could refuse it could lock a cluster's owner out. */
const VIRTUAL = new Set([
  "tokenreviews.authentication.k8s.io",
  "selfsubjectreviews.authentication.k8s.io",
  "localsubjectaccessreviews.authorization.k8s.io",
  "selfsubjectaccessreviews.authorization.k8s.io",
  "selfsubjectrulesreviews.authorization.k8s.io",
  "subjectaccessreviews.authorization.k8s.io",
]);

/** Webhooks and policies are never asked about these: what stops them must always be removable. */
export const isExempt = (kind: GroupVersionKind, resource: GroupVersionResource): boolean =>
  (kind.group === "admissionregistration.k8s.io" && ADMISSION_KINDS.has(kind.kind)) ||
  VIRTUAL.has(`${resource.resource}.${resource.group}`);

/** The namespace itself, not what is in it (upstream's request info has it in itself). */
export const isNamespace = ({ resource }: Pick<Attributes, "resource">): boolean =>
  resource.group === "" && resource.resource === "namespaces";
