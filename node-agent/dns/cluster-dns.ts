import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { IService } from "kubernetes-models/v1/Service";
import type { Logger } from "pino";
import { type ClusterRecords, clusterRecords } from "./records.ts";
import { makeResolve } from "./resolve.ts";
import { startDnsServer } from "./server.ts";
import { makeForward } from "./upstream.ts";

export interface ClusterDnsOptions {
  address: string;
  /** Mostly 53. */
  port: number;
  /** The cluster's domain, `cluster.local`. */
  domain: string;
  /** Where the servers for all other names are found. */
  resolvConf: string;
  services(): Iterable<IService>;
  endpointSlices(): Iterable<IEndpointSlice>;
  log: Logger;
}

/** The DNS of one node: the cluster's names by what the node knows of Services, all others by the node's own servers. */
export interface ClusterDns {
  readonly port: number;
  /** Services or EndpointSlices have changed. */
  changed(): void;
  close(): Promise<void>;
}

export async function startClusterDns(options: ClusterDnsOptions): Promise<ClusterDns> {
  const zone = options.domain.toLowerCase().replace(/\.$/, "");
  // Made when somebody asks: of a thousand changes that nobody asks between, one is paid for.
  let records: ClusterRecords | undefined;
  const resolve = makeResolve({
    zone,
    records: () => (records ??= clusterRecords(options.services(), options.endpointSlices())),
    forward: makeForward({ resolvConf: options.resolvConf, except: [options.address] }),
  });
  const server = await startDnsServer({ address: options.address, port: options.port, resolve, log: options.log });
  return {
    port: server.port,
    changed() {
      records = undefined;
    },
    close: () => server.close(),
  };
}
