import { authorize } from "../admission/authorize.ts";
import type { HomeAnswer, HomeRequest, WatchAnswer, WatchRequest } from "../protocol.ts";
import { refusalAnswer, statusOf } from "./answer.ts";
import { verbFunction } from "./dispatch.ts";
import type { HomeScope } from "./scope.ts";
import { servedOf } from "./served.ts";
import type { Watches } from "./watch.ts";
import type { WriteCall } from "./write.ts";

/** What a home adds to the verbs. */
export interface Handling {
  readonly scope: HomeScope;
  readonly watches: Watches;
  /** What has to be fetched from elsewhere before a request is looked at; mostly nothing. */
  ready(request: HomeRequest): Promise<void> | undefined;
  readonly reserve: WriteCall["reserve"];
}

/** One request, from authorization to the answer. Never throws: refusals and bugs are answers. */
export async function handle({ scope, ready, reserve }: Handling, request: HomeRequest): Promise<HomeAnswer> {
  try {
    const served = servedOf(request.target);
    const run = verbFunction(served, request.verb, request.target);
    authorize(scope, request);
    const awaited = ready(request);
    if (awaited) await awaited;
    return await run({ scope, request, served, options: request.options, reserve });
  } catch (error) {
    return refusalAnswer(error);
  }
}

export function watch({ scope, watches }: Handling, { user, target, options }: WatchRequest): WatchAnswer {
  try {
    const served = servedOf(target);
    authorize(scope, { verb: "watch", user, target, options });
    return watches.open(served, options, target.name);
  } catch (error) {
    const status = statusOf(error);
    return { code: status.code ?? 500, body: JSON.stringify(status) };
  }
}
