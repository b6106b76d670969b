import type { User } from "../../api/object.ts";
import type { Context } from "../controllers/controller.ts";

const SUFFIX_LENGTH = 5;
/** Without vowels and look-alikes, as upstream's rand.String. */
const SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** What a controller may not take for itself. `random`: at least 0, below 1. */
export function contextOf({
  random,
  ...given
}: Pick<Context, "now" | "namespace" | "terminating"> & { random(): number }): Context {
  const letter = () => SUFFIX_LETTERS[Math.floor(random() * SUFFIX_LETTERS.length)];
  return {
    ...given,
    timestamp: `${new Date(given.now).toISOString().slice(0, 19)}Z`,
    suffix: () => Array.from({ length: SUFFIX_LENGTH }, letter).join(""),
  };
}

/** The service account that a controller writes as, as kube-controller-manager's does. */
export const controllerUser = (name: string): User => ({
  name: `system:serviceaccount:kube-system:${name}`,
  groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
});
