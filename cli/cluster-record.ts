import { type Home, readIfThere, writeWhole } from "./home.ts";
import type { Bridge } from "./node/network.ts";

/** What a cluster on this machine must find again the next time. */
export interface ClusterRecord {
  bridge?: Bridge;
  /** The nodes with containers of this machine's last run, the first being the machine itself. */
  nodes: string[];
  /** The containerd that the user named, where there is one. */
  containerd?: string;
}

/** What was chosen before, or nothing yet. */
export function readClusterRecord(home: Home): ClusterRecord {
  const text = readIfThere(home.cluster);
  return text === undefined ? { nodes: [] } : (JSON.parse(text) as ClusterRecord);
}

export function writeClusterRecord(home: Home, record: ClusterRecord): void {
  writeWhole(home.cluster, JSON.stringify(record, null, 2));
}
