import { createHash } from "node:crypto";
import { isCidr, type NodeFacts, type ServicePort } from "./service-ports.ts";

/** The rules of our chains by table: chain → rules, each as it follows `-A CHAIN`. */
export interface RuleSet {
  nat: Map<string, string[]>;
  filter: Map<string, string[]>;
}

/** A rule in a chain of the kernel's that leads into one of ours. */
export interface Jump {
  table: keyof RuleSet;
  from: "PREROUTING" | "INPUT" | "FORWARD" | "OUTPUT" | "POSTROUTING";
  /** As it follows `-I FROM`. */
  rule: string;
  to: string;
}

export interface RuleFacts {
  node: NodeFacts;
  clusterCidr: string;
  /** This node's own pods' addresses; absent until the Node has them. */
  podCidrs: readonly string[];
  /** Cluster IPs that the node answers itself (the cluster's DNS), and which therefore want no rules. */
  servedHere: readonly string[];
}

/** The packet mark that asks for masquerading, the same bit as kube-proxy's. */
const MASQUERADE_MARK = "0x4000";
const NEW = "-m conntrack --ctstate NEW";

/** All chains that are ours begin with one of these: KUBE- has kube-proxy's names, COX- the rest. */
export const OWN_CHAIN =
  /^(KUBE-(SERVICES|NODEPORTS|POSTROUTING|MARK-MASQ|FORWARD|EXTERNAL-SERVICES|PROXY-FIREWALL|SVC-.+|SVL-.+|EXT-.+|SEP-.+|FW-.+)|COX-.+)$/;

/**
 * In the order in which each is to stand in its chain. The first packet of a connection alone is looked at where the
 * filter table must look through all Services.
 */
export const JUMPS: readonly Jump[] = [
  { table: "nat", from: "PREROUTING", rule: comment("kubernetes service portals"), to: "KUBE-SERVICES" },
  { table: "nat", from: "OUTPUT", rule: comment("kubernetes service portals"), to: "KUBE-SERVICES" },
  { table: "nat", from: "POSTROUTING", rule: comment("kubernetes postrouting rules"), to: "KUBE-POSTROUTING" },
  { table: "nat", from: "POSTROUTING", rule: comment("coxswain pod egress"), to: "COX-EGRESS" },
  { table: "filter", from: "INPUT", rule: comment("coxswain local addresses"), to: "COX-INPUT" },
  {
    table: "filter",
    from: "INPUT",
    rule: `${NEW} ${comment("kubernetes load balancer firewall")}`,
    to: "KUBE-PROXY-FIREWALL",
  },
  {
    table: "filter",
    from: "INPUT",
    rule: `${NEW} ${comment("kubernetes externally-visible service portals")}`,
    to: "KUBE-EXTERNAL-SERVICES",
  },
  {
    table: "filter",
    from: "FORWARD",
    rule: `${NEW} ${comment("kubernetes load balancer firewall")}`,
    to: "KUBE-PROXY-FIREWALL",
  },
  { table: "filter", from: "FORWARD", rule: comment("kubernetes forwarding rules"), to: "KUBE-FORWARD" },
  { table: "filter", from: "FORWARD", rule: `${NEW} ${comment("kubernetes service portals")}`, to: "KUBE-SERVICES" },
  {
    table: "filter",
    from: "FORWARD",
    rule: `${NEW} ${comment("kubernetes externally-visible service portals")}`,
    to: "KUBE-EXTERNAL-SERVICES",
  },
  { table: "filter", from: "FORWARD", rule: comment("coxswain pod traffic"), to: "COX-FORWARD" },
  {
    table: "filter",
    from: "OUTPUT",
    rule: `${NEW} ${comment("kubernetes load balancer firewall")}`,
    to: "KUBE-PROXY-FIREWALL",
  },
  { table: "filter", from: "OUTPUT", rule: `${NEW} ${comment("kubernetes service portals")}`, to: "KUBE-SERVICES" },
];

/**
 * All rules of a node. The chains, their names and what they mean are those of kube-proxy's iptables mode, so that
 * whoever knows one can read the other:
 * KUBE-SERVICES → KUBE-SVC-x (policy Cluster) or KUBE-SVL-x (Local) → KUBE-SEP-x (one endpoint: DNAT);
 * what comes from outside the cluster → KUBE-EXT-x, which says whether it is masqueraded, → KUBE-SVC-x or KUBE-SVL-x.
 */
export function makeRules(ports: readonly ServicePort[], facts: RuleFacts): RuleSet {
  const rules = emptyRules(facts);
  for (const port of ports) {
    if (facts.servedHere.includes(port.clusterIP)) continue;
    addServicePort(rules, port, facts);
  }
  // Must stand last: what is addressed to this node and is no Service's address may be for a node port.
  append(
    rules.nat,
    "KUBE-SERVICES",
    `${comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain")} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
  );
  return rules;
}

function emptyRules({ clusterCidr, podCidrs }: RuleFacts): RuleSet {
  const pods = podCidrs.filter(isCidr);
  return {
    nat: new Map([
      ["KUBE-SERVICES", []],
      ["KUBE-NODEPORTS", []],
      ["KUBE-MARK-MASQ", [`-j MARK --or-mark ${MASQUERADE_MARK}`]],
      [
        "KUBE-POSTROUTING",
        [
          `-m mark ! --mark ${MASQUERADE_MARK}/${MASQUERADE_MARK} -j RETURN`,
          // A packet may pass here twice (tunnels): it is masqueraded once.
          `-j MARK --xor-mark ${MASQUERADE_MARK}`,
          `${comment("kubernetes service traffic requiring SNAT")} -j MASQUERADE --random-fully`,
        ],
      ],
      [
        "COX-EGRESS",
        pods.flatMap((cidr) => [
          `-s ${cidr} -d ${clusterCidr} -j RETURN`,
          `-s ${cidr} -d 224.0.0.0/4 -j RETURN`,
          `-s ${cidr} ${comment("masquerade traffic that leaves the cluster")} -j MASQUERADE --random-fully`,
        ]),
      ],
    ]),
    filter: new Map([
      ["KUBE-SERVICES", []],
      ["KUBE-EXTERNAL-SERVICES", []],
      ["KUBE-PROXY-FIREWALL", []],
      [
        "KUBE-FORWARD",
        [
          // What conntrack does not know would reach the client unmasked, and be answered with a reset.
          "-m conntrack --ctstate INVALID -j DROP",
          `${comment("kubernetes forwarding rules")} -m mark --mark ${MASQUERADE_MARK}/${MASQUERADE_MARK} -j ACCEPT`,
          `${comment("kubernetes forwarding conntrack rule")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
        ],
      ],
      ["COX-FORWARD", pods.flatMap((cidr) => [`-s ${cidr} -j ACCEPT`, `-d ${cidr} -j ACCEPT`])],
      [
        "COX-INPUT",
        [
          // route_localnet would let neighbours reach what listens on the loopback alone (CVE-2020-8558).
          `${comment("block incoming localnet connections")} ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
        ],
      ],
    ]),
  };
}

function addServicePort({ nat, filter }: RuleSet, port: ServicePort, facts: RuleFacts): void {
  const { id, protocol } = port;
  const hash = chainHash(id + protocol);
  const clusterChain = `KUBE-SVC-${hash}`;
  const localChain = `KUBE-SVL-${hash}`;
  const externalChain = `KUBE-EXT-${hash}`;
  const firewallChain = `KUBE-FW-${hash}`;
  const to = (address: string) => `-d ${address} ${match(protocol)} --dport ${port.port}`;
  const internal = port.internalLocal ? port.localEndpoints : port.clusterEndpoints;
  const external = port.externalLocal ? port.localEndpoints : port.clusterEndpoints;
  const externalTarget = port.externalLocal ? localChain : clusterChain;
  // Traffic that would have found an endpoint elsewhere is dropped: the client may try again, and reach another node.
  const verdict = (endpoints: readonly string[]) =>
    endpoints.length > 0
      ? undefined
      : port.hasAnyEndpoint
        ? DROP
        : { target: REFUSE[protocol], why: "has no endpoints" };

  const internalVerdict = verdict(internal);
  if (internalVerdict) {
    append(
      filter,
      "KUBE-SERVICES",
      `${comment(`${id} ${internalVerdict.why}`)} ${to(port.clusterIP)} -j ${internalVerdict.target}`,
    );
  } else {
    const chain = port.internalLocal ? localChain : clusterChain;
    append(nat, "KUBE-SERVICES", `${comment(`${id} cluster IP`)} ${to(port.clusterIP)} -j ${chain}`);
  }

  const externalVerdict = verdict(external);
  const usedFromOutside = port.externalIPs.length + port.loadBalancerIPs.length > 0 || port.nodePort !== undefined;
  const guarded = port.loadBalancerSourceRanges !== undefined;
  // Under externalTrafficPolicy Local pods and the node itself still reach every endpoint from inside.
  const clusterUsed = port.clusterEndpoints.length > 0 && (!port.internalLocal || usedFromOutside);
  const localUsed = port.localEndpoints.length > 0 && (port.internalLocal || (port.externalLocal && usedFromOutside));

  const portal = (address: string, what: string, chain: string) => {
    if (externalVerdict) {
      append(
        filter,
        "KUBE-EXTERNAL-SERVICES",
        `${comment(`${id} ${externalVerdict.why}`)} ${to(address)} -j ${externalVerdict.target}`,
      );
    }
    if (!externalVerdict || clusterUsed)
      append(nat, "KUBE-SERVICES", `${comment(`${id} ${what}`)} ${to(address)} -j ${chain}`);
  };
  for (const address of port.externalIPs) portal(address, "external IP", externalChain);
  for (const address of port.loadBalancerIPs) {
    portal(address, "loadbalancer IP", guarded ? firewallChain : externalChain);
    if (guarded) {
      append(
        filter,
        "KUBE-PROXY-FIREWALL",
        `${comment(`${id} traffic not accepted by ${firewallChain}`)} ${to(address)} -j DROP`,
      );
    }
  }
  if (port.nodePort !== undefined) {
    const dport = `${match(protocol)} --dport ${port.nodePort}`;
    if (externalVerdict) {
      append(
        filter,
        "KUBE-EXTERNAL-SERVICES",
        `${comment(`${id} ${externalVerdict.why}`)} -m addrtype --dst-type LOCAL ${dport} -j ${externalVerdict.target}`,
      );
    }
    if (!externalVerdict || clusterUsed) append(nat, "KUBE-NODEPORTS", `${comment(id)} ${dport} -j ${externalChain}`);
  }

  if (usedFromOutside && (!externalVerdict || clusterUsed)) {
    nat.set(
      externalChain,
      externalRules(port, clusterUsed ? clusterChain : undefined, externalVerdict ? undefined : externalTarget, facts),
    );
    if (guarded && port.loadBalancerIPs.length > 0) nat.set(firewallChain, firewallRules(port, externalChain, facts));
  }
  if (clusterUsed) nat.set(clusterChain, balancingRules(nat, port, port.clusterEndpoints, facts));
  if (localUsed) nat.set(localChain, balancingRules(nat, port, port.localEndpoints, facts));
}

/**
 * TCP gets a reset, where kube-proxy answers with ICMP: of a pod on this node that reaches the socket while it is busy
 * connecting, and the kernel heeds it only when the SYN is sent again, a second later.
 */
const REFUSE = { tcp: "REJECT --reject-with tcp-reset", udp: "REJECT", sctp: "REJECT" } as const;
const DROP = { target: "DROP", why: "has no local endpoints" };

function externalRules(
  port: ServicePort,
  clusterChain: string | undefined,
  target: string | undefined,
  facts: RuleFacts,
): string[] {
  if (!port.externalLocal) {
    // The endpoint may be on another node: its answer has to come back through this one.
    return [
      `${comment(`masquerade traffic for ${port.id} external destinations`)} -j KUBE-MARK-MASQ`,
      ...(target ? [`-j ${target}`] : []),
    ];
  }
  const inside = clusterChain
    ? [
        `-s ${facts.clusterCidr} ${comment(`pod traffic for ${port.id} external destinations`)} -j ${clusterChain}`,
        `${comment(`masquerade LOCAL traffic for ${port.id} external destinations`)} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
        `${comment(`route LOCAL traffic for ${port.id} external destinations`)} -m addrtype --src-type LOCAL -j ${clusterChain}`,
      ]
    : [];
  return target ? [...inside, `-j ${target}`] : inside;
}

function firewallRules(port: ServicePort, externalChain: string, facts: RuleFacts): string[] {
  const ranges = port.loadBalancerSourceRanges ?? [];
  const rules = ranges.map((range) => `-s ${range} ${comment(`${port.id} loadbalancer IP`)} -j ${externalChain}`);
  // What the node sends to the balancer's address may carry that address as its source too.
  if (ranges.some((range) => facts.node.addresses.some((address) => contains(range, address)))) {
    for (const address of port.loadBalancerIPs) {
      rules.push(`-s ${address} ${comment(`${port.id} loadbalancer IP`)} -j ${externalChain}`);
    }
  }
  return rules;
}

/** The chain that shares traffic among endpoints; adds the endpoints' own chains to `nat`. */
function balancingRules(
  nat: RuleSet["nat"],
  port: ServicePort,
  endpoints: readonly string[],
  facts: RuleFacts,
): string[] {
  const chains = endpoints.map((endpoint) => {
    const chain = `KUBE-SEP-${chainHash(port.id + port.protocol + endpoint)}`;
    nat.set(chain, endpointRules(port, endpoint, chain));
    return { chain, endpoint };
  });
  const rules = [
    `! -s ${facts.clusterCidr} -d ${port.clusterIP} ${match(port.protocol)} --dport ${port.port} ${comment(`${port.id} cluster IP`)} -j KUBE-MARK-MASQ`,
  ];
  if (port.affinitySeconds !== undefined) {
    for (const { chain, endpoint } of chains) {
      rules.push(
        `${comment(`${port.id} -> ${endpoint}`)} -m recent --name ${chain} --rcheck --seconds ${port.affinitySeconds} --reap -j ${chain}`,
      );
    }
  }
  chains.forEach(({ chain, endpoint }, i) => {
    const left = chains.length - i;
    const chance = left > 1 ? ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}` : "";
    rules.push(`${comment(`${port.id} -> ${endpoint}`)}${chance} -j ${chain}`);
  });
  return rules;
}

function endpointRules(port: ServicePort, endpoint: string, chain: string): string[] {
  const address = endpoint.slice(0, endpoint.indexOf(":"));
  const stick = port.affinitySeconds !== undefined ? `-m recent --name ${chain} --set ` : "";
  return [
    // Hairpin: a pod that reaches itself through its Service would answer itself, past conntrack.
    `-s ${address} ${comment(port.id)} -j KUBE-MARK-MASQ`,
    `${comment(port.id)} ${stick}${match(port.protocol)} -j DNAT --to-destination ${endpoint}`,
  ];
}

function match(protocol: ServicePort["protocol"]): string {
  return `-p ${protocol} -m ${protocol}`;
}

function comment(text: string): string {
  return `-m comment --comment "${text}"`;
}

function append(chains: Map<string, string[]>, chain: string, rule: string): void {
  chains.get(chain)!.push(rule);
}

/** 16 characters of base32, as chains' names are bounded (28 characters) and Services' are not. */
function chainHash(text: string): string {
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = BigInt(`0x${createHash("sha256").update(text).digest("hex").slice(0, 20)}`);
  let out = "";
  for (let i = 0; i < 16; i++, bits >>= 5n) out = ALPHABET[Number(bits & 31n)] + out;
  return out;
}

function contains(cidr: string, address: string): boolean {
  const [base = "", bits = "32"] = cidr.split("/");
  const shift = 2 ** (32 - Number(bits));
  return Math.floor(number(base) / shift) === Math.floor(number(address) / shift);
}

function number(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}
