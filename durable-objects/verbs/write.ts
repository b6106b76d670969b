import { internalError } from "../../api/status.ts";
import { NeedsReservation, type Reservation } from "../admission/plugin.ts";
import type { HomeAnswer } from "../protocol.ts";
import type { Synchronous } from "../store/transaction.ts";
import type { Call, Writing } from "./scope.ts";

/** A call that writes. */
export interface WriteCall extends Call {
  /** Gets what a write needs from elsewhere. @throws ApiError where that is refused. */
  reserve(need: NeedsReservation): Promise<Reservation>;
}

/** Carries out one verb. */
export type VerbFunction = (call: WriteCall) => HomeAnswer | Promise<HomeAnswer>;

/** A write whose needs change each time it is tried is given up. */
const RESERVATIONS_MAX = 5;

/** Runs a write in the home's next transaction; more than once where it needs something from elsewhere. */
export async function commit<T>(call: WriteCall, work: (writing: Writing) => Synchronous<T>): Promise<T> {
  const { scope, request, options, reserve } = call;
  const { user } = request;
  let reserved: Reservation | undefined;
  for (let i = 0; i <= RESERVATIONS_MAX; i++) {
    try {
      const result = await scope.store.enqueue<T>((tx) => {
        tx.author = user.name;
        return work({ scope, tx, user, dryRun: options.dryRun ?? false, reserved });
      });
      reserved?.keep();
      return result;
    } catch (error) {
      await reserved?.release();
      if (!(error instanceof NeedsReservation)) throw error;
      reserved = await reserve(error);
    }
  }
  await reserved?.release();
  throw internalError("the object keeps changing");
}
