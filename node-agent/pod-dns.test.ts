import { expect, test } from "vitest";
import type { PodObject } from "../api/kinds/pod.ts";
import { hostnameOf, hostsFile, nodeHostsFile, parseResolvConf, podDns } from "./pod-dns.ts";

const CLUSTER = { address: "10.96.0.10", domain: "cluster.local" };
const NODE = { servers: ["192.168.0.1"], searches: ["lan"], options: ["timeout:1"] };
const pod = (spec: object, name = "web"): PodObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop" },
  spec: { containers: [], ...spec },
});

test("by default a pod asks the cluster's name server first for its own namespace", () => {
  expect(podDns(pod({}), CLUSTER, NODE)).toEqual({
    servers: ["10.96.0.10"],
    searches: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "lan"],
    options: ["ndots:5"],
  });
});

test.each([
  ["on the node's network", { hostNetwork: true }, CLUSTER],
  ["that asks for it", { dnsPolicy: "Default" }, CLUSTER],
  ["of a cluster without a name server", {}, { domain: "cluster.local" }],
])("a pod %s has the node's resolv.conf", (_, spec, cluster) => {
  expect(podDns(pod(spec), cluster, NODE)).toEqual(NODE);
});

test("a pod on the node's network can ask for the cluster's name server", () => {
  const spec = { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" };
  expect(podDns(pod(spec), CLUSTER, NODE).servers).toEqual(["10.96.0.10"]);
});

test("dnsConfig is added, and an option of the same name replaced", () => {
  const dnsConfig = {
    nameservers: ["1.1.1.1"],
    searches: ["my.dom"],
    options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
  };
  const dns = podDns(pod({ dnsConfig }), CLUSTER, NODE);
  expect(dns.servers).toEqual(["10.96.0.10", "1.1.1.1"]);
  expect(dns.searches.at(-1)).toBe("my.dom");
  expect(dns.options).toEqual(["ndots:2", "edns0"]);
  expect(podDns(pod({ dnsPolicy: "None", dnsConfig }), CLUSTER, NODE).servers).toEqual(["1.1.1.1"]);
});

test("resolv.conf is read", () => {
  expect(parseResolvConf("# c\nnameserver 1.1.1.1\nsearch a b .\noptions ndots:1 rotate\n")).toEqual({
    servers: ["1.1.1.1"],
    searches: ["a", "b"],
    options: ["ndots:1", "rotate"],
  });
});

test("a long pod name is cut to a host name that does not end with a dash", () => {
  expect(hostnameOf(pod({}, `${"a".repeat(62)}-bcd`))).toBe("a".repeat(62));
  expect(hostnameOf(pod({ hostname: "own" }))).toBe("own");
});

test("the hosts file names the pod, with its subdomain, and the aliases", () => {
  const text = hostsFile(
    pod({ hostname: "db", subdomain: "data", hostAliases: [{ ip: "1.2.3.4", hostnames: ["x", "y"] }] }),
    ["10.0.0.2"],
    "cluster.local",
  );
  expect(text).toContain("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n");
  expect(text).toContain("10.0.0.2\tdb.data.shop.svc.cluster.local\tdb\n");
  expect(text).toContain("# Entries added by HostAliases.\n1.2.3.4\tx\ty\n");
});

test("on the node's network the node's hosts file is kept", () => {
  expect(nodeHostsFile(pod({}), "127.0.0.1 localhost\n")).toBe(
    "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n",
  );
});
