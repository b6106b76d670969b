import { ServiceAccount } from "../../api/kinds/service-account.ts";
import type { HomeController } from "./controller.ts";

const NAME = "default";

/** Sees to it that every namespace has the ServiceAccount that pods run as unless they name another. */
export const serviceAccount: HomeController = {
  name: "service-account-controller",
  watches: [{ kind: ServiceAccount, name: NAME }],
  reconcileHome(view, { namespace, terminating }) {
    if (terminating || view.get(ServiceAccount, NAME)) return { writes: [] };
    const object = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: NAME, namespace } };
    return { writes: [{ op: "create", kind: ServiceAccount, object }] };
  },
};
