import { type AccessRequest, authorize } from "../admission/authorize.ts";
import type { CatalogSource } from "../catalog/catalog.ts";
import { completeAnswer, completeWatch } from "../catalog/convert-answer.ts";
import type { HomeAnswer, HomeRequest, WatchAnswer, WatchRequest } from "../protocol.ts";
import { refusalAnswer, statusOf } from "./answer.ts";
import { connect } from "./connect.ts";
import { verbFunction } from "./dispatch.ts";
import type { HomeScope } from "./scope.ts";
import { builtInAt, pathNotFound, type Served, servedIn } from "./served.ts";
import type { Watches } from "./watch.ts";

/** What a home adds to the verbs. */
export interface Handling {
  readonly scope: HomeScope;
  readonly watches: Watches;
  /** What has to be fetched from elsewhere before a request is looked at; mostly nothing. */
  ready(request: HomeRequest): Promise<void> | undefined;
  readonly catalog: CatalogSource;
}

/** One request, from authorization to the answer. Never throws: refusals and bugs are answers. */
export async function handle(handling: Handling, request: HomeRequest): Promise<HomeAnswer> {
  const { scope, ready, catalog } = handling;
  const { target, verb, options } = request;
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  try {
    const builtIn = builtInAt(target);
    const served = builtIn ?? (await customAt(handling, request));
    const run = verbFunction(served, verb, target);
    authorize(scope, request);
    if (request.audited) annotations[DECISION] = "allow";
    // Whatever writes is asked about by webhooks and policies.
    const isRead = (verb === "get" || verb === "list") && run !== connect;
    const stale = isRead ? undefined : catalog.fresh();
    if (stale) await stale;
    const awaited = ready(request);
    if (awaited) await awaited;
    const answer = await run({ scope, request, served, options, warnings, annotations });
    return annotated(builtIn ? answer : await completeAnswer(served, answer), annotations);
  } catch (error) {
    const answer = refusalAnswer(error);
    // What was warned of may be why it is refused.
    return annotated(warnings.length > 0 ? { ...answer, warnings } : answer, annotations);
  }
}

/** As upstream's authorization filter notes it. Of who was refused, nothing else is said. */
const DECISION = "authorization.k8s.io/decision";

function annotated(answer: HomeAnswer, annotations: Record<string, string>): HomeAnswer {
  for (const _ in annotations) return { ...answer, annotations };
  return answer;
}

/** @throws ApiError NotFound where no such custom resource is served in this home. */
async function customAt({ scope, catalog }: Handling, request: AccessRequest): Promise<Served> {
  // Nothing is fetched for those who may not ask.
  authorize(scope, request);
  await catalog.learn(request.target);
  const served = servedIn(scope.catalog, request.target);
  if (served.info.namespaced !== (scope.namespace !== "")) throw pathNotFound();
  return served;
}

/** What a watch needs before `watch` can begin it; mostly nothing. Answers the refusal, where it is one. */
export function beforeWatch(
  handling: Handling,
  { user, target, options }: WatchRequest,
): Promise<HomeAnswer | undefined> | undefined {
  if (builtInAt(target)) return undefined;
  return customAt(handling, { verb: "watch", user, target, options }).then(() => undefined, refusalAnswer);
}

export function watch({ scope, watches }: Handling, { user, target, options }: WatchRequest): WatchAnswer {
  try {
    const served = servedIn(scope.catalog, target);
    authorize(scope, { verb: "watch", user, target, options });
    return completeWatch(served, watches.open(served, options, target.name));
  } catch (error) {
    const status = statusOf(error);
    return { code: status.code ?? 500, body: JSON.stringify(status) };
  }
}
