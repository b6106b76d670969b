import { clusterClient, DEFAULT_CLUSTER } from "../cluster-client.ts";
import { kubeconfig } from "../control-plane/kubeconfig.ts";
import { chosenHome } from "../home.ts";
import { chosenTime } from "../time.ts";

export interface KubeconfigOptions {
  cluster?: string;
  at?: string;
  state?: string;
}

/** `cox kubeconfig`: prints it, for a pipe or a redirection. */
export async function printKubeconfig(options: KubeconfigOptions): Promise<void> {
  const at = options.at === undefined ? undefined : chosenTime(options.at, Date.now());
  const client = await clusterClient(chosenHome(options.state, process.env), options.cluster);
  const cluster = options.cluster === DEFAULT_CLUSTER ? undefined : options.cluster;
  process.stdout.write(kubeconfig(client, { cluster, at }));
}
