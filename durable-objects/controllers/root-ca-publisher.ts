import { ConfigMap } from "../../api/kinds/config-map.ts";
import type { HomeController } from "./controller.ts";

const NAME = "kube-root-ca.crt";
const KEY = "ca.crt";
const DESCRIPTION = "kubernetes.io/description";
/** Upstream's words: users find them in `kubectl describe`. */
const DESCRIPTION_TEXT =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** Publishes the certificates (PEM) that the API's own is signed by into every namespace, where pods mount them. */
export const rootCaPublisher = (certificates: string): HomeController => ({
  name: "root-ca-cert-publisher",
  watches: [{ kind: ConfigMap, name: NAME }],
  reconcileHome(view, { namespace, terminating }) {
    if (terminating) return { writes: [] };
    const known = view.get(ConfigMap, NAME);
    const data = { [KEY]: certificates };
    if (!known) {
      const metadata = { name: NAME, namespace, annotations: { [DESCRIPTION]: DESCRIPTION_TEXT } };
      return {
        writes: [{ op: "create", kind: ConfigMap, object: { apiVersion: "v1", kind: "ConfigMap", metadata, data } }],
      };
    }
    const isSame =
      known.data?.[KEY] === certificates &&
      Object.keys(known.data).length === 1 &&
      known.metadata.annotations?.[DESCRIPTION] === DESCRIPTION_TEXT;
    if (isSame) return { writes: [] };
    const metadata = {
      ...known.metadata,
      annotations: { ...known.metadata.annotations, [DESCRIPTION]: DESCRIPTION_TEXT },
    };
    return { writes: [{ op: "update", kind: ConfigMap, object: { ...known, metadata, data } }] };
  },
});
