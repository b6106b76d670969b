import type { Writing } from "../verbs/scope.ts";
import type { Admission } from "./plugin.ts";

/** Runs the home's plugins on one write. @throws the ApiError of the first that refuses. */
export function admit(
  { scope, tx, user, dryRun, reserved }: Writing,
  admission: Omit<Admission, "namespace" | "user" | "tx" | "now" | "dryRun" | "reserved">,
): void {
  for (const plugin of scope.admission) {
    plugin.admit({
      ...admission,
      namespace: scope.namespace,
      user,
      tx,
      now: scope.now(),
      dryRun,
      reserved,
    });
  }
}
