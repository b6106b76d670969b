import { join } from "node:path";
import type { PodObject } from "../api/kinds/pod.ts";

/** Folder names come from uids and names that the API has checked; here is the last place to see that they are no paths. */
const SAFE_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

function safe(name: string): string {
  if (!SAFE_NAME.test(name)) throw new Error(`unsafe name in a path: ${JSON.stringify(name)}`);
  return name;
}

/** Where an agent keeps what; all below its state folder. */
export interface AgentPaths {
  /** One folder per pod, named by uid. */
  pods: string;
  pod(uid: string): string;
  volume(uid: string, volume: string): string;
  /** On memory, where the machine permits it: secret values. */
  secrets: string;
  secretVolume(uid: string, volume: string): string;
  hostsFile(uid: string): string;
  /** Where a container's terminationMessagePath leads. */
  terminationLog(uid: string, container: string, restartCount: number): string;
  subPaths(uid: string): string;
  logs: string;
  podLogs(pod: Pick<PodObject, "metadata">): string;
  savedState: string;
  credential: string;
}

export function agentPaths(stateDir: string): AgentPaths {
  const pods = join(stateDir, "pods");
  const secrets = join(stateDir, "secrets");
  const logs = join(stateDir, "logs");
  const pod = (uid: string) => join(pods, safe(uid));
  return {
    pods,
    pod,
    volume: (uid, volume) => join(pod(uid), "volumes", safe(volume)),
    secrets,
    secretVolume: (uid, volume) => join(secrets, safe(uid), safe(volume)),
    hostsFile: (uid) => join(pod(uid), "etc-hosts"),
    terminationLog: (uid, container, restartCount) =>
      join(pod(uid), "containers", safe(container), `termination-log-${restartCount}`),
    subPaths: (uid) => join(pod(uid), "sub-paths"),
    logs,
    podLogs: ({ metadata }) =>
      join(logs, `${safe(metadata.namespace ?? "default")}_${safe(metadata.name)}_${safe(metadata.uid ?? "")}`),
    savedState: join(stateDir, "pods.json"),
    credential: join(stateDir, "credential"),
  };
}

/** Relative to the pod's log folder. */
export const logPath = (container: string, restartCount: number): string =>
  join(safe(container), `${restartCount}.log`);
