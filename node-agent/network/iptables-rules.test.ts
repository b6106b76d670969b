import { describe, expect, test } from "vitest";
import { makeRules, OWN_CHAIN, type RuleFacts } from "./iptables-rules.ts";
import type { ServicePort } from "./service-ports.ts";

const FACTS: RuleFacts = {
  node: { name: "n1", addresses: ["192.0.2.1"] },
  clusterCidr: "10.244.0.0/16",
  podCidrs: ["10.244.1.0/24"],
  servedHere: ["10.96.0.10"],
};
const A = "10.244.1.2:8080";
const B = "10.244.2.2:8080";

const port = (fields: Partial<ServicePort> = {}): ServicePort => ({
  id: "shop/web:http",
  protocol: "tcp",
  clusterIP: "10.96.0.5",
  port: 80,
  nodePort: undefined,
  externalIPs: [],
  loadBalancerIPs: [],
  loadBalancerSourceRanges: undefined,
  affinitySeconds: undefined,
  internalLocal: false,
  externalLocal: false,
  clusterEndpoints: [A, B],
  localEndpoints: [A],
  hasAnyEndpoint: true,
  ...fields,
});

const rulesOf = (fields: Partial<ServicePort> = {}, facts = FACTS) => makeRules([port(fields)], facts);

/** The one chain whose name begins so. */
function chain(rules: ReturnType<typeof makeRules>, prefix: string): string[] {
  const names = [...rules.nat.keys()].filter((name) => name.startsWith(prefix));
  expect(names).toHaveLength(1);
  return rules.nat.get(names[0]!)!;
}

/** Without comments, which are for people. */
const bare = (rules: readonly string[]) => rules.map((rule) => rule.replace(/-m comment --comment "[^"]*" ?/, ""));

/** Where a chain's rules lead, by prefix: `KUBE-SEP-…` → `KUBE-SEP`. */
const targets = (rules: readonly string[]) =>
  rules.map((rule) => / -j (\S+?)(-[A-Z2-7]{16})?( |$)/.exec(` ${rule}`)?.[1]);

describe("a cluster IP", () => {
  test("leads to the endpoints with equal chances, and the last takes what is left", () => {
    const rules = rulesOf({ clusterEndpoints: [A, B, "10.244.2.3:8080"] });
    const service = chain(rules, "KUBE-SVC-");
    expect(service.map((rule) => /--probability (\S+)/.exec(rule)?.[1])).toEqual([
      undefined,
      "0.3333333333",
      "0.5000000000",
      undefined,
    ]);
    expect(targets(service)).toEqual(["KUBE-MARK-MASQ", "KUBE-SEP", "KUBE-SEP", "KUBE-SEP"]);
    expect(bare(rules.nat.get("KUBE-SERVICES")!)[0]).toMatch(/^-d 10\.96\.0\.5 -p tcp -m tcp --dport 80 -j KUBE-SVC-/);
  });

  test("masks clients from outside the cluster's pods, and pods that reach themselves", () => {
    const rules = rulesOf({ clusterEndpoints: [A] });
    expect(bare(chain(rules, "KUBE-SVC-"))[0]).toBe(
      "! -s 10.244.0.0/16 -d 10.96.0.5 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ",
    );
    expect(bare(chain(rules, "KUBE-SEP-"))).toEqual([
      "-s 10.244.1.2 -j KUBE-MARK-MASQ",
      `-p tcp -m tcp -j DNAT --to-destination ${A}`,
    ]);
  });

  test.each(["udp", "sctp"] as const)("over %s is the same", (protocol) => {
    expect(bare(chain(rulesOf({ protocol, clusterEndpoints: [A] }), "KUBE-SEP-"))[1]).toBe(
      `-p ${protocol} -m ${protocol} -j DNAT --to-destination ${A}`,
    );
  });

  test("without endpoints refuses: TCP by a reset, others by ICMP", () => {
    const none = { clusterEndpoints: [], localEndpoints: [], hasAnyEndpoint: false };
    expect(bare(rulesOf(none).filter.get("KUBE-SERVICES")!)).toEqual([
      "-d 10.96.0.5 -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset",
    ]);
    expect(bare(rulesOf({ ...none, protocol: "udp" }).filter.get("KUBE-SERVICES")!)).toEqual([
      "-d 10.96.0.5 -p udp -m udp --dport 80 -j REJECT",
    ]);
    expect([...rulesOf(none).nat.keys()].some((name) => name.startsWith("KUBE-SVC-"))).toBe(false);
  });

  test("with session affinity asks first whom the client had, and remembers whom it gets", () => {
    const rules = rulesOf({ affinitySeconds: 300, clusterEndpoints: [A] });
    expect(bare(chain(rules, "KUBE-SVC-"))[1]).toMatch(
      /^-m recent --name KUBE-SEP-\w{16} --rcheck --seconds 300 --reap -j KUBE-SEP-\w{16}$/,
    );
    expect(bare(chain(rules, "KUBE-SEP-"))[1]).toMatch(/^-m recent --name KUBE-SEP-\w{16} --set -p tcp -m tcp -j DNAT/);
  });

  test("under internalTrafficPolicy Local leads to this node's endpoints, and drops where there are none here", () => {
    const local = rulesOf({ internalLocal: true });
    expect(targets(chain(local, "KUBE-SVL-"))).toEqual(["KUBE-MARK-MASQ", "KUBE-SEP"]);
    expect([...local.nat.keys()].some((name) => name.startsWith("KUBE-SVC-"))).toBe(false);
    const none = rulesOf({ internalLocal: true, localEndpoints: [] });
    expect(none.filter.get("KUBE-SERVICES")![0]).toContain('"shop/web:http has no local endpoints"');
    expect(none.filter.get("KUBE-SERVICES")![0]).toMatch(/-j DROP$/);
  });

  test("that the node answers itself has no rules", () => {
    const rules = makeRules([port({ clusterIP: "10.96.0.10", clusterEndpoints: [] })], FACTS);
    expect(rules).toEqual(makeRules([], FACTS));
  });
});

describe("traffic from outside", () => {
  test("to a node port is masked under policy Cluster", () => {
    const rules = rulesOf({ nodePort: 30080 });
    expect(bare(rules.nat.get("KUBE-NODEPORTS")!)).toEqual([
      expect.stringMatching(/^-p tcp -m tcp --dport 30080 -j KUBE-EXT-/),
    ]);
    expect(targets(chain(rules, "KUBE-EXT-"))).toEqual(["KUBE-MARK-MASQ", "KUBE-SVC"]);
  });

  test("looks for node ports after all addresses of Services", () => {
    const rules = makeRules([port({ nodePort: 30080 }), port({ id: "shop/z", clusterIP: "10.96.0.6" })], FACTS);
    expect(rules.nat.get("KUBE-SERVICES")!.at(-1)).toMatch(/--dst-type LOCAL -j KUBE-NODEPORTS$/);
  });

  test("keeps its address under policy Local, but for the node's own", () => {
    const rules = rulesOf({ nodePort: 30080, externalLocal: true });
    expect(bare(chain(rules, "KUBE-EXT-"))).toEqual([
      expect.stringMatching(/^-s 10\.244\.0\.0\/16 -j KUBE-SVC-/),
      "-m addrtype --src-type LOCAL -j KUBE-MARK-MASQ",
      expect.stringMatching(/^-m addrtype --src-type LOCAL -j KUBE-SVC-/),
      expect.stringMatching(/^-j KUBE-SVL-/),
    ]);
  });

  test("is dropped under policy Local on a node without endpoints, from inside it is not", () => {
    const rules = rulesOf({ nodePort: 30080, externalLocal: true, localEndpoints: [] });
    expect(bare(rules.filter.get("KUBE-EXTERNAL-SERVICES")!)).toEqual([
      "-m addrtype --dst-type LOCAL -p tcp -m tcp --dport 30080 -j DROP",
    ]);
    expect(targets(chain(rules, "KUBE-EXT-"))).toEqual(["KUBE-SVC", "KUBE-MARK-MASQ", "KUBE-SVC"]);
  });

  test("is refused at every address where there are no endpoints at all", () => {
    const rules = rulesOf({
      nodePort: 30080,
      externalIPs: ["203.0.113.1"],
      loadBalancerIPs: ["198.51.100.1"],
      clusterEndpoints: [],
      localEndpoints: [],
      hasAnyEndpoint: false,
    });
    expect(bare(rules.filter.get("KUBE-EXTERNAL-SERVICES")!)).toEqual([
      "-d 203.0.113.1 -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset",
      "-d 198.51.100.1 -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset",
      "-m addrtype --dst-type LOCAL -p tcp -m tcp --dport 30080 -j REJECT --reject-with tcp-reset",
    ]);
    expect([...rules.nat.keys()].filter((name) => /-[A-Z2-7]{16}$/.test(name))).toEqual([]);
  });

  test("to a balancer's address is let in from its source ranges alone, and the rest dropped", () => {
    const rules = rulesOf({ loadBalancerIPs: ["198.51.100.1"], loadBalancerSourceRanges: ["203.0.113.0/24"] });
    expect(targets(rules.nat.get("KUBE-SERVICES")!)).toEqual(["KUBE-SVC", "KUBE-FW", "KUBE-NODEPORTS"]);
    expect(bare(chain(rules, "KUBE-FW-"))).toEqual([expect.stringMatching(/^-s 203\.0\.113\.0\/24 -j KUBE-EXT-/)]);
    expect(bare(rules.filter.get("KUBE-PROXY-FIREWALL")!)).toEqual([
      "-d 198.51.100.1 -p tcp -m tcp --dport 80 -j DROP",
    ]);
  });

  test("from a node within the source ranges may carry the balancer's own address", () => {
    const rules = rulesOf({ loadBalancerIPs: ["198.51.100.1"], loadBalancerSourceRanges: ["192.0.2.0/24"] });
    expect(bare(chain(rules, "KUBE-FW-"))[1]).toMatch(/^-s 198\.51\.100\.1 -j KUBE-EXT-/);
  });
});

describe("the rules as a whole", () => {
  test("name no chain that they do not make, and make none that is not reached", () => {
    const rules = makeRules(
      [
        port({ nodePort: 30080, externalLocal: true, affinitySeconds: 10 }),
        port({ id: "shop/b", internalLocal: true, externalIPs: ["203.0.113.1"] }),
        port({
          id: "shop/c",
          protocol: "udp",
          loadBalancerIPs: ["198.51.100.1"],
          loadBalancerSourceRanges: ["10.0.0.0/8"],
        }),
        port({ id: "shop/d", nodePort: 30081, externalLocal: true, localEndpoints: [] }),
        port({ id: "shop/e", nodePort: 30082, clusterEndpoints: [], localEndpoints: [], hasAnyEndpoint: false }),
      ],
      FACTS,
    );
    for (const chains of [rules.nat, rules.filter]) {
      const named = new Set(
        [...chains.values()].flat().flatMap((rule) => / -j ((KUBE|COX)-\S+)/.exec(` ${rule}`)?.[1] ?? []),
      );
      expect([...named].filter((name) => !chains.has(name))).toEqual([]);
      expect([...chains.keys()].filter((name) => /-[A-Z2-7]{16}$/.test(name) && !named.has(name))).toEqual([]);
      expect([...chains.keys()].filter((name) => !OWN_CHAIN.test(name) || name.length > 28)).toEqual([]);
    }
  });

  test("are the same for the same input, whatever the order of Services' names", () => {
    expect(rulesOf()).toEqual(rulesOf());
    expect(chain(rulesOf(), "KUBE-SVC-")).not.toEqual(chain(rulesOf({ id: "shop/other" }), "KUBE-SVC-"));
  });

  test("mask this node's pods towards the world, not towards other pods, and nothing before they are known", () => {
    expect(bare(rulesOf().nat.get("COX-EGRESS")!)).toEqual([
      "-s 10.244.1.0/24 -d 10.244.0.0/16 -j RETURN",
      "-s 10.244.1.0/24 -d 224.0.0.0/4 -j RETURN",
      "-s 10.244.1.0/24 -j MASQUERADE --random-fully",
    ]);
    expect(rulesOf({}, { ...FACTS, podCidrs: [] }).nat.get("COX-EGRESS")).toEqual([]);
  });

  test("leave chains of others alone", () => {
    for (const name of ["KUBE-FIREWALL", "KUBE-KUBELET-CANARY", "DOCKER", "CNI-DN-abc", "COXSWAIN"]) {
      expect(OWN_CHAIN.test(name)).toBe(false);
    }
  });
});
