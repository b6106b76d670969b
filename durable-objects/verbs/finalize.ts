import { keepField, MAIN, type UpdateStrategy } from "./update.ts";

/** `namespaces/finalize`: spec.finalizers and nothing else; without any left, a namespace that is being deleted goes. */
export const FINALIZE: UpdateStrategy = {
  subresource: "finalize",
  keep(next, previous) {
    const finalizers = next["spec"]?.finalizers;
    const { managedFields, resourceVersion } = next.metadata;
    keepField(next, previous, "spec");
    keepField(next, previous, "status");
    next.metadata = {
      ...structuredClone(previous.metadata),
      ...(managedFields && { managedFields }),
      ...(resourceVersion && { resourceVersion }),
    };
    next["spec"] ??= {};
    if (finalizers?.length > 0) next["spec"].finalizers = finalizers;
    else delete next["spec"].finalizers;
  },
  validate: MAIN.validate,
};
