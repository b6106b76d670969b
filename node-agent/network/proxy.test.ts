import type { Logger } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Iptables } from "./iptables.ts";
import { JUMPS, type RuleFacts, type RuleSet } from "./iptables-rules.ts";
import { startProxy } from "./proxy.ts";
import type { SavedTable } from "./restore-text.ts";
import type { ServicePort } from "./service-ports.ts";

const log = { error: () => {}, warn: () => {} } as unknown as Logger;
const facts: RuleFacts = {
  node: { name: "n1", addresses: [] },
  clusterCidr: "10.244.0.0/16",
  podCidrs: ["10.244.1.0/24"],
  servedHere: [],
};

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const port = (protocol: "tcp" | "udp", ...clusterEndpoints: string[]): ServicePort => ({
  id: "shop/web",
  protocol,
  clusterIP: "10.96.0.5",
  port: 80,
  nodePort: undefined,
  externalIPs: [],
  loadBalancerIPs: [],
  loadBalancerSourceRanges: undefined,
  affinitySeconds: undefined,
  internalLocal: false,
  externalLocal: false,
  clusterEndpoints,
  localEndpoints: [],
  hasAnyEndpoint: clusterEndpoints.length > 0,
});

/** A kernel as far as it matters here: how many rules each chain of ours has. */
function kernel() {
  const chains: Record<keyof RuleSet, Map<string, number>> = { nat: new Map(), filter: new Map() };
  const jumps: Record<keyof RuleSet, Set<string>> = { nat: new Set(), filter: new Set() };
  const texts: string[] = [];
  let refuse = false;
  const iptables: Iptables = {
    variant: "iptables",
    async restore(text) {
      texts.push(text);
      if (refuse) throw new Error("refused");
      let table: keyof RuleSet = "nat";
      for (const line of text.split("\n")) {
        const [word = "", chain = ""] = line.split(" ");
        if (word.startsWith("*")) table = word.slice(1) as keyof RuleSet;
        else if (word.startsWith(":")) chains[table].set(word.slice(1), 0);
        else if (word === "-A") chains[table].set(chain, chains[table].get(chain)! + 1);
        else if (word === "-X") chains[table].delete(chain);
        else if (word === "-I") jumps[table].add(line.slice("-I ".length));
      }
    },
    async save() {
      const saved = (table: keyof RuleSet): SavedTable => ({
        chains: new Map(chains[table]),
        jumps: [...jumps[table]],
      });
      return { nat: saved("nat"), filter: saved("filter") };
    },
  };
  return {
    iptables,
    chains,
    jumps,
    texts,
    refuse: (value: boolean) => {
      refuse = value;
    },
  };
}

function start(ports: ServicePort[] | undefined) {
  const machine = kernel();
  const run = vi.fn(async () => ({ code: 0, stdout: "", stderr: "" }));
  const state = { ports };
  const wanted = () => state.ports && { ports: state.ports, facts };
  const proxy = startProxy({ iptables: machine.iptables, run, wanted, log });
  const change = async (next: ServicePort[] | undefined) => {
    state.ports = next;
    proxy.changed();
    await vi.advanceTimersByTimeAsync(100);
  };
  return { ...machine, run, proxy, change };
}

test("as long as not everything is known, the rules of an earlier run stay", async () => {
  const { change, texts, proxy } = start(undefined);
  await change(undefined);
  expect(texts).toEqual([]);
  await proxy.close();
});

test("the first pass writes all, and the jumps; later ones what changed, and nothing where nothing did", async () => {
  const { change, texts, jumps, proxy } = start([]);
  await change([port("tcp", "10.244.1.2:80")]);
  expect(jumps.nat.size + jumps.filter.size).toBe(JUMPS.length);
  await change([port("tcp", "10.244.1.2:80")]);
  expect(texts).toHaveLength(1);
  await change([port("tcp", "10.244.1.2:80", "10.244.1.3:80")]);
  expect(texts).toHaveLength(2);
  expect(texts[1]).not.toContain(":KUBE-SERVICES");
  expect(texts[1]).not.toContain("*filter");
  await proxy.close();
});

test("chains that an earlier run left are removed", async () => {
  const { change, chains, proxy } = start([]);
  chains.nat.set("KUBE-SVC-STALE", 3);
  await change([]);
  expect(chains.nat.has("KUBE-SVC-STALE")).toBe(false);
  await proxy.close();
});

test("after a failure it looks again, and writes all", async () => {
  const { change, texts, refuse, proxy } = start([]);
  await change([]);
  refuse(true);
  await change([port("tcp", "10.244.1.2:80")]);
  refuse(false);
  await vi.advanceTimersByTimeAsync(5000);
  expect(texts.at(-1)).toContain(":KUBE-POSTROUTING");
  await proxy.settled();
  await proxy.close();
});

test("rules that somebody else has flushed are written anew", async () => {
  const { change, chains, texts, proxy } = start([]);
  await change([]);
  const whole = chains.nat.get("KUBE-POSTROUTING")!;
  chains.nat.set("KUBE-POSTROUTING", 0);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(chains.nat.get("KUBE-POSTROUTING")).toBe(whole);
  const written = texts.length;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(texts).toHaveLength(written);
  await proxy.close();
});

test("flows to UDP endpoints that left are forgotten, once the rules no longer lead there", async () => {
  const { change, run, proxy } = start([]);
  await change([port("udp", "10.244.1.2:80", "10.244.1.3:80")]);
  run.mockClear();
  await change([port("udp", "10.244.1.2:80")]);
  expect(run).toHaveBeenCalledExactlyOnceWith("conntrack", [
    "-D",
    "-p",
    "udp",
    "--orig-dst",
    "10.96.0.5",
    "--dst-nat",
    "10.244.1.3",
  ]);
  await proxy.close();
});
