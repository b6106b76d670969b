import type { KubeObject } from "../object.ts";

/** What strategies do with status: clients cannot set it at creation, nor by an update of the main resource. */
export function keepStatus(next: KubeObject, previous: KubeObject): void {
  if (previous.status === undefined) delete next.status;
  else next.status = previous.status;
}

/** Numbers that upstream's types always write, zero or not. */
export const startStatus =
  (status: Record<string, unknown>) =>
  (object: KubeObject): void => {
    object.status = structuredClone(status);
  };
