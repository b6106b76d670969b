import { callApi } from "../api-client.ts";
import { clusterClient, DEFAULT_CLUSTER, reached } from "../cluster-client.ts";
import { chosenHome } from "../home.ts";
import { interruptible } from "../interrupt.ts";
import { describeMade, MAKING_MILLISECONDS_MAX } from "../new-cluster.ts";
import { chosenTime } from "../time.ts";

export interface ForkOptions {
  as: string;
  at?: string;
  cluster?: string;
  state?: string;
}

/** `cox fork`: a new cluster with all that another one has, or had. */
export async function fork(options: ForkOptions): Promise<void> {
  const at = options.at === undefined ? undefined : chosenTime(options.at, Date.now());
  const home = chosenHome(options.state, process.env);
  const from = options.cluster ?? DEFAULT_CLUSTER;
  const { token } = await clusterClient(home, from);
  const target = await clusterClient(home, options.as);
  const answer = await interruptible((signal) =>
    reached(
      target,
      callApi(
        target,
        "POST",
        "/coxswain/v1/fork",
        { from, token, ...(at !== undefined && { at }) },
        {
          signal,
          timeoutMilliseconds: MAKING_MILLISECONDS_MAX,
        },
      ),
    ),
  );
  process.stdout.write(describeMade("made", options.as, answer));
}
