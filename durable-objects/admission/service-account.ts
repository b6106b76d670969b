import { forbidden } from "../../api/status.ts";
import type { AdmissionPlugin } from "./plugin.ts";

const DEFAULT = "default";
export const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Every pod runs as a service account of its namespace. */
export const serviceAccount: AdmissionPlugin = {
  name: "ServiceAccount",
  admit({ operation, served, subresource, object, name, namespace, tx }) {
    if (operation !== "create" || served.resource !== "pods" || subresource) return;
    const { spec, metadata } = object;
    if (!spec) return;
    if (metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) {
      if (spec.serviceAccountName) {
        throw forbidden(served.groupResource, name, "a mirror pod may not reference service accounts");
      }
      return;
    }
    spec.serviceAccountName ||= DEFAULT;
    spec.serviceAccount = spec.serviceAccountName;
    const account = tx.get("serviceaccounts", spec.serviceAccountName)?.object;
    if (!account) {
      const why = `error looking up service account ${namespace}/${spec.serviceAccountName}: serviceaccount "${spec.serviceAccountName}" not found`;
      throw forbidden(served.groupResource, name, why);
    }
    const secrets = account["imagePullSecrets"];
    if (!spec.imagePullSecrets?.length && secrets?.length > 0) spec.imagePullSecrets = structuredClone(secrets);
  },
};
