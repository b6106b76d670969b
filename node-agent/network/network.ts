import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { INode } from "kubernetes-models/v1/Node";
import type { IService } from "kubernetes-models/v1/Service";
import type { Logger } from "pino";
import { startClusterDns } from "../dns/cluster-dns.ts";
import { bridgeName, cniConfig, findCniPlugins, hasPlugin, writeCniConfig } from "./cni.ts";
import { run } from "./command.ts";
import { holdNetworkNamespace } from "./exclusive.ts";
import { findIptables } from "./iptables.ts";
import type { RuleFacts } from "./iptables-rules.ts";
import { addLocalAddress, DNS_INTERFACE, uplinkMtu } from "./links.ts";
import { startProxy } from "./proxy.ts";
import { cniDataDir, removeNetwork } from "./remove-network.ts";
import { startRouteSync } from "./route-sync.ts";
import { internalAddresses, podCidrs, routesToPeers } from "./routes.ts";
import { servicePorts } from "./service-ports.ts";
import { setSysctls } from "./sysctls.ts";
import { Watched, type WatchMessage } from "./watched.ts";

const ZONE_LABEL = "topology.kubernetes.io/zone";
const DNS_PORT = 53;

export interface NetworkOptions {
  nodeName: string;
  /** All pods' addresses, `10.244.0.0/16`. Traffic to anywhere else leaves with the node's address. */
  clusterCidr: string;
  /** Where containerd looks for CNI configuration: a folder of this node alone (`plugins.…cri.cni.conf_dir`). */
  cniConfDir: string;
  /** Where the CNI plugins are; absent: the first of the usual folders that has them. */
  cniBinDir?: string;
  /** Folder that survives restarts of the agent: host-local keeps the addresses it has given out below it. */
  stateDir: string;
  /** The cluster's DNS; absent: none is served here (and pods should be given the node's resolv.conf). */
  dns?: { address: string; domain: string; resolvConf?: string };
  log: Logger;
}

/** Pod network, Service rules and cluster DNS of one node, in the network namespace of this process. */
export interface Network {
  /** Takes the link's messages about services, EndpointSlices and nodes; those about pods are ignored. */
  update(message: WatchMessage): void;
  /** Resolves when pods can be given addresses: the CNI configuration is written (the Node has its podCIDR). */
  ready(): Promise<void>;
  /** Resolves when the rules of everything told so far are in force. */
  settled(): Promise<void>;
  /**
   * Stops. Rules, routes and interfaces stay as they are, so that pods go on being served while the agent restarts;
   * with `cleanup` everything that this node ever made is removed.
   */
  close(options?: { cleanup?: boolean }): Promise<void>;
}

/** Starts the node's network. Throws where the machine lacks what it needs (iptables, CNI plugins), naming it. */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const { nodeName, clusterCidr, dns, log } = options;
  const binDir = await findCniPlugins(options.cniBinDir ? [options.cniBinDir] : undefined);
  const iptables = await findIptables(run);
  const hold = await holdNetworkNamespace();
  const cni = {
    bridge: bridgeName(nodeName),
    dataDir: cniDataDir(options.stateDir),
    mtu: await uplinkMtu(run),
    hasPortmap: await hasPlugin(binDir, "portmap"),
  };
  log.info({ iptables: iptables.variant, plugins: binDir, ...cni }, "network");
  try {
    await setSysctls(run, log);
  } catch (error) {
    await hold.release();
    throw error;
  }

  const services = new Watched<IService>();
  const slices = new Watched<IEndpointSlice>();
  const nodes = new Watched<INode>();
  const readiness = Promise.withResolvers<void>();

  const proxy = startProxy({ iptables, run, wanted: wantedRules, log });
  const routes = startRouteSync({ run, wanted: () => routesToPeers(nodes.values(), nodeName), log });
  const clusterDns = dns && (await startDns(dns));

  /** Pods that need no names are better off with a node without DNS than with none. */
  async function startDns({ address, domain, resolvConf = "/etc/resolv.conf" }: NonNullable<typeof dns>) {
    try {
      await addLocalAddress(run, DNS_INTERFACE, address);
      return await startClusterDns({
        address,
        domain,
        resolvConf,
        port: DNS_PORT,
        services: () => services.values(),
        endpointSlices: () => slices.values(),
        log,
      });
    } catch (error) {
      log.error({ err: error }, `the cluster's DNS cannot listen on ${address}:${DNS_PORT}: pods will find no names`);
      return undefined;
    }
  }

  function wantedRules() {
    // Half of what there is would cut off the other half.
    if (!services.synced || !slices.synced || !nodes.synced) return undefined;
    const own = nodes.get(nodeName);
    const zone = own?.metadata?.labels?.[ZONE_LABEL];
    const facts: RuleFacts = {
      node: { name: nodeName, addresses: own ? internalAddresses(own) : [], ...(zone !== undefined && { zone }) },
      clusterCidr,
      podCidrs: own ? podCidrs(own) : [],
      servedHere: dns ? [dns.address] : [],
    };
    return { ports: servicePorts(services.values(), slices.values(), facts.node), facts };
  }

  let configured: string | undefined;
  async function configureCni(): Promise<void> {
    const own = nodes.get(nodeName);
    const cidrs = own ? podCidrs(own) : [];
    if (cidrs.length === 0) return;
    const text = cniConfig({ ...cni, podCidrs: cidrs });
    if (text === configured) return;
    configured = text;
    if (await writeCniConfig(options.cniConfDir, text)) log.info({ podCidrs: cidrs }, "pod network configured");
    readiness.resolve();
  }

  return {
    update(message) {
      if (message.resource === "services" || message.resource === "endpointslices.discovery.k8s.io") {
        const watched = message.resource === "services" ? services : slices;
        if (!watched.apply(message)) return;
        clusterDns?.changed();
        proxy.changed();
      } else if (message.resource === "nodes") {
        if (!nodes.apply(message)) return;
        configureCni().catch((error) => {
          configured = undefined;
          log.error({ err: error }, "the CNI configuration could not be written");
        });
        routes.changed();
        proxy.changed();
      }
    },
    ready: () => readiness.promise,
    settled: async () => {
      await Promise.all([proxy.settled(), routes.settled()]);
    },
    async close({ cleanup = false } = {}) {
      await clusterDns?.close();
      await routes.close();
      await proxy.close();
      if (cleanup) await removeNetwork(options);
      await hold.release();
    },
  };
}
