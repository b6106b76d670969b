import type { KubeObject, User } from "../../api/object.ts";
import type { AdmissionPlugin, Reservation } from "../admission/plugin.ts";
import type { HomeRequest, RequestOptions } from "../protocol.ts";
import type { Store } from "../store/store.ts";
import type { WriteTransaction } from "../store/transaction.ts";
import type { Served } from "./served.ts";

/** A home as its verbs see it: no platform, no clock and no randomness but what is passed in. */
export interface HomeScope {
  readonly store: Store;
  /** Empty in the ClusterHome. */
  readonly namespace: string;
  readonly admission: readonly AdmissionPlugin[];
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
  /** What was got from elsewhere for this write before its transaction. */
  readonly reserved: Reservation | undefined;
}

/** A request that has found its resource and is allowed. */
export interface Call {
  readonly scope: HomeScope;
  readonly request: HomeRequest;
  readonly served: Served;
  readonly options: RequestOptions;
}

/** RFC 3339 with seconds, as metav1.Time is written. */
export const timestampOf = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

export const copyOf = <T extends KubeObject>(object: Readonly<T>): T => structuredClone(object) as T;
