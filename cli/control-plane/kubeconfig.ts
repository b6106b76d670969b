import { dump, load } from "js-yaml";
import type { ApiClient } from "../api-client.ts";
import { type Home, readIfThere } from "../home.ts";

const CLUSTER = "coxswain";
const USER = "kubernetes-admin";

/** The kubeconfig of a cluster's admin. */
export function kubeconfig({ url, caCertificate, token }: ApiClient): string {
  return dump(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: CLUSTER,
          cluster: { server: url, "certificate-authority-data": Buffer.from(caCertificate).toString("base64") },
        },
      ],
      users: [{ name: USER, user: { token } }],
      contexts: [{ name: CLUSTER, context: { cluster: CLUSTER, user: USER } }],
      "current-context": CLUSTER,
      preferences: {},
    },
    { lineWidth: -1 },
  );
}

/** The API that a home's kubeconfig leads to; undefined where no cluster was ever started. */
export function clientOfHome(home: Home): ApiClient | undefined {
  const text = readIfThere(home.kubeconfig);
  if (text === undefined) return undefined;
  const { clusters, users } = load(text) as {
    clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
    users: { user: { token: string } }[];
  };
  const { cluster } = clusters[0]!;
  return {
    url: cluster.server,
    caCertificate: Buffer.from(cluster["certificate-authority-data"], "base64").toString(),
    token: users[0]!.user.token,
  };
}
