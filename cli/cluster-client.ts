import { dnsLabelComplaints } from "../api/names.ts";
import type { ApiAnswer, ApiClient } from "./api-client.ts";
import { makeAdminToken } from "./control-plane/credentials.ts";
import { clientOfHome } from "./control-plane/kubeconfig.ts";
import { Failure } from "./failure.ts";
import { type Home, readIfThere } from "./home.ts";
import { oneLine } from "./one-line.ts";

/** The cluster that `cox up` starts, and that a path without `/clusters/<name>` is of. */
export const DEFAULT_CLUSTER = "default";

/** A cluster of the home's control plane, as its admin. The credential of another one than the default is made for the purpose. */
export async function clusterClient(home: Home, cluster: string = DEFAULT_CLUSTER): Promise<ApiClient> {
  const [complaint] = dnsLabelComplaints(cluster);
  if (complaint !== undefined) throw new Failure(`${JSON.stringify(cluster)} is no cluster's name: ${complaint}`, 2);
  const client = clientOfHome(home);
  const signingKey = readIfThere(home.signingKey);
  if (!client || !signingKey) throw new Failure(`there is no cluster in ${home.root}: make one with \`cox up\``);
  if (cluster === DEFAULT_CLUSTER) return client;
  return {
    ...client,
    url: `${client.url}/clusters/${cluster}`,
    token: await makeAdminToken(signingKey, cluster),
  };
}

/** What a command asks of the API; where nobody answers, or no longer, the user is told what to do. */
export async function reached<T>({ url }: ApiClient, asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const server = new URL(url).origin;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED") throw new Failure(`nothing answers at ${server}: start the cluster with \`cox up\``);
    throw new Failure(
      `the control plane at ${server} broke off (${oneLine(message)}): look at \`cox status\`, and try again`,
    );
  }
}

/** Why the API refused, in one line. */
export function refusalOf({ code, body }: ApiAnswer): string {
  const message = typeof body === "string" ? body : body?.message;
  return typeof message === "string" && message !== "" ? oneLine(message) : `the API answered with code ${code}`;
}
