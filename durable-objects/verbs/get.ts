import { notFound } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { checkNotFuture, parseResourceVersion } from "./resource-version.ts";
import type { Call } from "./scope.ts";

/** The object as it is now, which is never older than a resourceVersion that was asked for. */
export function get({ scope, served, request: { target }, options }: Call): HomeAnswer {
  if (options.resourceVersion) {
    checkNotFuture(
      parseResourceVersion(options.resourceVersion, served.groupResource),
      scope.store.revision,
      scope.now(),
    );
  }
  const stored = scope.store.read((tx) => tx.get(served.resource, target.name));
  if (!stored) throw notFound(served.groupResource, target.name);
  return textAnswer(200, served.present(stored.json));
}
