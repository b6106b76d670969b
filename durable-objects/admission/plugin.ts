import type { KubeObject, User } from "../../api/object.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { RequestOptions } from "../protocol.ts";
import type { ReadTransaction } from "../store/transaction.ts";
import type { Answers } from "../verbs/answers.ts";
import type { DeleteOptions } from "../verbs/delete-options.ts";
import type { Served } from "../verbs/served.ts";

/** A write as admission sees it. */
export interface Admission {
  readonly operation: "create" | "update" | "delete" | "connect";
  readonly served: Served;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** Of an object that is to be created with a generated name: empty until it has one. */
  readonly name: string;
  /** Empty in the ClusterHome. */
  readonly namespace: string;
  readonly user: User;
  /**
   * What is to be stored, in the version that `served` works in; `admit` may change it in place, or put another in its place. Of a
   * deletion, what is there.
   */
  object: KubeObject;
  readonly previous: Readonly<KubeObject> | undefined;
  /** The home's state as it was before this write. */
  readonly tx: ReadTransaction;
  /** What the cluster's own objects say that every home has to know. */
  readonly catalog: Catalog;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly dryRun: boolean;
  /** What needs something from outside asks here: where it has not been answered yet the write is tried again once it is. */
  readonly answers: Answers;
  /** The texts of `Warning` headers; plugins add to them. */
  readonly warnings: string[];
  /** What travels, where that is not the object as it is stored. */
  readonly guise: Guise | undefined;
  /** The control plane's own bookkeeping: webhooks and policies are not asked. */
  readonly asksNobody: boolean;
  /** None of what the control plane writes itself. */
  readonly requestOptions: RequestOptions | undefined;
  readonly deleteOptions: Omit<DeleteOptions, "dryRun"> | undefined;
  /** What is to be told in the audit log. Absent: nobody listens. */
  readonly annotations: Record<string, string> | undefined;
  /** Of the mutating half, where a plugin has begun to keep one. */
  reinvocation: Reinvocation | undefined;
}

/** A subresource's own kind over a stored object: a Scale over a Deployment. */
export interface Guise {
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  /** The object as it travels. */
  show(object: Readonly<KubeObject>): KubeObject;
  /** Takes what was made of it into the object. */
  take(object: KubeObject, shown: KubeObject): KubeObject;
}

/** The mutating half runs a second time where a later plugin changed what an earlier one had seen (upstream's ReinvocationContext). */
export interface Reinvocation {
  /** This is the second time. */
  isSecond: boolean;
  /** There is to be a second time. */
  isWanted: boolean;
  /** What a plugin remembers from the first time. */
  readonly memories: Map<string, unknown>;
}

/**
 * One built-in admission plugin. Synchronous, inside the write's transaction. It refuses by throwing an ApiError.
 * Plugins run in the order of the home's list; each sees what those before it made of the object.
 */
export interface AdmissionPlugin {
  /** As upstream names it. */
  readonly name: string;
  /** Upstream's MutationInterface: before the object has its uid, its generated name and what the kind's strategy makes of it. */
  admit?(admission: Admission): void;
  /** What the kind's own storage obtains before validation (upstream's BeginCreate and BeginUpdate); may change the object in place. */
  begin?(admission: Admission): void;
  /** Upstream's ValidationInterface: when the object is as it will be stored, and valid. */
  validate?(admission: Admission): void;
}
