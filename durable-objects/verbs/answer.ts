import { ApiError, internalError, type Status } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";

export const textAnswer = (code: number, body: HomeAnswer["body"], warnings?: readonly string[]): HomeAnswer => ({
  code,
  body,
  ...(warnings && warnings.length > 0 && { warnings: [...warnings] }),
});

/** Refusals are answers; anything else thrown is a bug, told to the log and to nobody else. */
export function refusalAnswer(error: unknown): HomeAnswer {
  const status = statusOf(error);
  return { code: status.code ?? 500, body: JSON.stringify(status) };
}

export function statusOf(error: unknown): Status {
  if (error instanceof ApiError) return error.toStatus();
  console.error(error);
  return internalError("the request could not be carried out").toStatus();
}
