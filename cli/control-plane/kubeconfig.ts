import { dump, load } from "js-yaml";
import type { ApiClient } from "../api-client.ts";
import { type Home, readIfThere } from "../home.ts";

const CLUSTER = "coxswain";
const USER = "kubernetes-admin";

/** What a kubeconfig leads to, where that is not the default cluster as it is now. */
export interface KubeconfigScope {
  /** Another cluster of the control plane, to which the client's URL leads. */
  cluster?: string | undefined;
  /** RFC 3339: the cluster as it was then. */
  at?: string | undefined;
}

/** The kubeconfig of a cluster's admin. Its names tell its scope: `KUBECONFIG=a:b` merges several, and the first of a name wins. */
export function kubeconfig({ url, caCertificate, token }: ApiClient, { cluster, at }: KubeconfigScope = {}): string {
  const suffix = cluster === undefined ? "" : `-${cluster}`;
  const context = `${CLUSTER}${suffix}${at === undefined ? "" : `@${at}`}`;
  const user = `${USER}${suffix}`;
  const server = at === undefined ? url : `${url}/at/${at}`;
  return dump(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: context,
          cluster: { server, "certificate-authority-data": Buffer.from(caCertificate).toString("base64") },
        },
      ],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: context, context: { cluster: context, user } }],
      "current-context": context,
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
