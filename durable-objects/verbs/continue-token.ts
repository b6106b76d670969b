import { badRequest } from "../../api/status.ts";

/** Where the next page of a list begins, and the revision that all its pages are of. */
export interface ContinueToken {
  revision: number;
  /** The last name of the page before. */
  after: string;
}

/** Pages of no one revision: each is what is there when it is read. */
export const INCONSISTENT = -1;

export const encodeContinue = ({ revision, after }: ContinueToken): string =>
  btoa(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${after}\0` })).replace(/=+$/, "");

/** @throws ApiError BadRequest, for a token that was not made here. */
export function decodeContinue(text: string): ContinueToken {
  try {
    const { v, rv, start } = JSON.parse(atob(text)) as Record<string, unknown>;
    if (v === "meta.k8s.io/v1" && Number.isSafeInteger(rv) && typeof start === "string" && start.endsWith("\0")) {
      return { revision: rv as number, after: start.slice(0, -1) };
    }
  } catch {
    // Falls through: the reason is of no use to who made the token up.
  }
  throw badRequest("continue key is not valid: encoded start key invalid");
}
