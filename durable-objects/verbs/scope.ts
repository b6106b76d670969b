import type { KubeObject, User } from "../../api/object.ts";
import type { AdmissionPlugin } from "../admission/plugin.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { HomeRequest, RequestOptions } from "../protocol.ts";
import type { Store } from "../store/store.ts";
import type { WriteTransaction } from "../store/transaction.ts";
import type { Answers, Draws } from "./answers.ts";
import type { Served } from "./served.ts";

/** A home as its verbs see it: no platform, no clock and no randomness but what is passed in. */
export interface HomeScope {
  readonly store: Store;
  /** Empty in the ClusterHome. */
  readonly namespace: string;
  readonly admission: readonly AdmissionPlugin[];
  /** Fresh whenever a request is being carried out. */
  readonly catalog: Catalog;
  /** The home commits nothing at or below this revision from now on: before whatever is read as of a revision is read. */
  raiseFloor(revision: number): void;
  /** The highest revision that this home knows of: its last commit's, or one that it stays above. */
  highest(): number;
  /** Milliseconds since 1970. */
  now(): number;
  uuid(): string;
  /** Five letters and digits. */
  suffix(): string;
  /** Runs work, in the order of the calls, once all that was committed so far is on the disk. */
  onDisk(work: () => void): void;
  /** Runs work after so many milliseconds; the answer cancels it. */
  later(milliseconds: number, work: () => void): () => void;
}

/** One write, on its way through its transaction. */
export interface Writing {
  readonly scope: HomeScope;
  readonly tx: WriteTransaction;
  readonly user: User;
  readonly dryRun: boolean;
  /** The field manager that `managedFields` names. */
  readonly manager: string;
  /** The texts of `Warning` headers; steps add to them. */
  readonly warnings: string[];
  /** Of the request; none of what the control plane writes itself. */
  readonly options?: RequestOptions | undefined;
  /** The control plane's own bookkeeping, in a transaction that cannot be tried again: webhooks and policies are not asked. */
  readonly asksNobody?: boolean | undefined;
  /** What admission has to say in the audit log; steps add to it. Absent: nobody listens. */
  readonly annotations?: Record<string, string> | undefined;
  /** What was got from elsewhere for this write before its transaction; a step that lacks an answer ends this try. */
  readonly answers: Answers;
  /** Time and what is random: the same each time that this write is tried. */
  readonly draws: Draws;
}

/** A request that has found its resource and is allowed. */
export interface Call {
  readonly scope: HomeScope;
  readonly request: HomeRequest;
  readonly served: Served;
  readonly options: RequestOptions;
  /** The texts of `Warning` headers; what carries out the request adds to them. */
  readonly warnings: string[];
  /** What admission has to say in the audit log. */
  readonly annotations: Record<string, string>;
}

/** RFC 3339 with seconds, as metav1.Time is written. */
export const timestampOf = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

export const copyOf = <T extends KubeObject>(object: Readonly<T>): T => structuredClone(object) as T;
