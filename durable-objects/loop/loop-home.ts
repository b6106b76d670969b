import type { User } from "../../api/object.ts";
import type { Write } from "../controllers/controller.ts";
import type { Store } from "../store/store.ts";
import type { WriteTransaction } from "../store/transaction.ts";
import type { WriteAttempt } from "./plan-answers.ts";

/** Everything but events, which the loop turns into creates and updates of Event objects itself. */
export type ObjectWrite = Exclude<Write, { op: "event" }>;

/** The home as its loop sees it. */
export interface LoopHome {
  readonly store: Pick<Store, "database" | "revision" | "read" | "write" | "changes">;
  /**
   * Carries a wish out through admission and validation; throws ApiError where it is refused, NeedsAnswers where something has to be asked
   * elsewhere first: then what is in `attempt` makes the next try the same.
   */
  applyWrite(tx: WriteTransaction, write: ObjectWrite, user: User, attempt?: WriteAttempt): void;
  /** The namespace is being deleted: creates are refused. */
  terminating(): boolean;
}
