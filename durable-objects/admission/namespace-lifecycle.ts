import { ApiError, forbidden, notFound } from "../../api/status.ts";
import type { AdmissionPlugin } from "./plugin.ts";

const NAMESPACES = { group: "", resource: "namespaces" };

export type NamespaceState = "absent" | "active" | "terminating";

/** Nothing is written to a namespace that is not there, nothing created in one that is going. */
export const namespaceLifecycle = (state: () => NamespaceState): AdmissionPlugin => ({
  name: "NamespaceLifecycle",
  admit({ operation, namespace, served, name }) {
    if (operation === "delete") return;
    const now = state();
    if (now === "absent") throw notFound(NAMESPACES, namespace);
    if (now !== "terminating" || operation !== "create") return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const refusal = forbidden(served.groupResource, name, why);
    throw new ApiError("Forbidden", refusal.message, {
      ...refusal.details,
      causes: [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    });
  },
});

const IMMORTAL = new Set(["default", "kube-system", "kube-public"]);

/** The ClusterHome's part of it: a few namespaces are never deleted. */
export const immortalNamespaces: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  admit({ operation, served, name }) {
    if (operation !== "delete" || served.resource !== "namespaces" || !IMMORTAL.has(name)) return;
    throw forbidden(NAMESPACES, name, "this namespace may not be deleted");
  },
};
