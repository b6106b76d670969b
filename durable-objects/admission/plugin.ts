import type { KubeObject, User } from "../../api/object.ts";
import type { ReadTransaction } from "../store/transaction.ts";
import type { Served } from "../verbs/served.ts";

/** A write as admission sees it. */
export interface Admission {
  readonly operation: "create" | "update" | "delete";
  readonly served: Served;
  /** Empty for the object itself. */
  readonly subresource: string;
  readonly name: string;
  /** Empty in the ClusterHome. */
  readonly namespace: string;
  readonly user: User;
  /** What is to be stored; a plugin may change it in place. Of a deletion, what is there. */
  readonly object: KubeObject;
  readonly previous: Readonly<KubeObject> | undefined;
  /** The home's state as it was before this write. */
  readonly tx: ReadTransaction;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly dryRun: boolean;
  /** What was got from elsewhere after this plugin had thrown a `NeedsReservation`. */
  readonly reserved: Reservation | undefined;
}

/** What a write holds outside of its home (addresses of a Service), until its outcome is known. */
export interface Reservation {
  /** What was asked for; a write that needs something else by now has to ask again. */
  readonly ask: unknown;
  readonly value: unknown;
  /** The write was refused: gives back what was held. Never rejects. */
  release(): Promise<void>;
  /** The write has committed. */
  keep(): void;
}

/** Thrown by a plugin that needs something from outside: it is got, and the write begun anew. */
export class NeedsReservation extends Error {
  readonly ask: unknown;

  constructor(ask: unknown) {
    super("the write needs a reservation");
    this.ask = ask;
  }
}

/**
 * One built-in admission plugin. Synchronous, inside the write's transaction. It refuses by throwing an ApiError.
 * Plugins run in the order of the home's list; each sees what those before it made of the object.
 */
export interface AdmissionPlugin {
  /** As upstream names it. */
  readonly name: string;
  admit(admission: Admission): void;
}
