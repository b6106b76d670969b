import { deprecationOf } from "../../api/deprecations.ts";
import type { KindRules } from "../../api/kind.ts";
import type { Target } from "../../durable-objects/protocol.ts";
import { isPretty, type Negotiated, negotiate } from "./negotiate.ts";
import { includeObjectOf, type Wanted } from "./transform.ts";

export interface WantedOptions {
  auditId: string;
  target: Target;
  isWatch: boolean;
  /** What ages are counted from where that is not now: milliseconds since 1970. */
  pastTime?: number | undefined;
  /** Of a custom resource: its columns, and what is to be said of a version that its definition advises against. */
  custom?: { rules: KindRules<any>; deprecationWarning: string | undefined } | undefined;
}

/** What a request on a resource wants to have back. 406 and 400 ApiErrors for what nobody serves. */
export function wantedBy(
  request: Request,
  query: URLSearchParams | undefined,
  { auditId, target, isWatch, pastTime, custom }: WantedOptions,
): Wanted {
  const found = negotiate(request.headers.get("accept"), { isCustom: custom !== undefined, isWatch });
  const negotiated = isPretty(request, query) ? indented(found) : found;
  return {
    auditId,
    negotiated,
    target,
    includeObject: includeObjectOf(query?.get("includeObject"), negotiated),
    pastTime,
    customRules: custom?.rules,
    deprecation: custom ? custom.deprecationWarning : deprecationOf(target.group, target.version, target.resource),
  };
}

const indented = (negotiated: Negotiated): Negotiated => ({
  ...negotiated,
  pretty: true,
  refusal: { ...negotiated.refusal, pretty: true },
});
