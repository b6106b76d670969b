import { notFound } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { checkReadable, parseResourceVersion } from "./resource-version.ts";
import type { Call } from "./scope.ts";

/** The object as it is now, which is never older than a resourceVersion that was asked for; or as it was at a revision. */
export function get({ scope, served, request: { target }, options }: Call): HomeAnswer {
  const { store } = scope;
  const { at } = options;
  checkReadable(parseResourceVersion(options.resourceVersion), options, scope);
  if (at !== undefined) scope.raiseFloor(at);
  const stored =
    at === undefined || at >= store.revision
      ? store.read((tx) => tx.get(served.resource, target.name))
      : store.getAt(served.resource, target.name, at);
  if (!stored) throw notFound(served.groupResource, target.name);
  return textAnswer(200, served.present(stored.json));
}
