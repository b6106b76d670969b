import { expect, test } from "vitest";
import { staleFlows } from "./conntrack.ts";
import type { ServicePort } from "./service-ports.ts";

const dns = (clusterEndpoints: string[], fields: Partial<ServicePort> = {}): ServicePort => ({
  id: "kube-system/dns:dns",
  protocol: "udp",
  clusterIP: "10.96.0.9",
  port: 53,
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
  ...fields,
});

const said = (calls: string[][]) => calls.map((args) => args.join(" "));

test("flows to a UDP endpoint that left are forgotten, at every address of the Service", () => {
  const fields = { externalIPs: ["203.0.113.1"], nodePort: 30053 };
  const before = [dns(["10.244.0.2:53", "10.244.0.3:53"], fields)];
  expect(said(staleFlows(before, [dns(["10.244.0.2:53"], fields)]))).toEqual([
    "-D -p udp --orig-dst 10.96.0.9 --dst-nat 10.244.0.3",
    "-D -p udp --orig-dst 203.0.113.1 --dst-nat 10.244.0.3",
    "-D -p udp --orig-port-dst 30053 --dst-nat 10.244.0.3",
  ]);
});

test("so are those of a Service that is gone", () => {
  expect(said(staleFlows([dns(["10.244.0.2:53"])], []))).toEqual([
    "-D -p udp --orig-dst 10.96.0.9 --dst-nat 10.244.0.2",
  ]);
});

test("the first endpoint makes flows forgotten that led nowhere", () => {
  expect(said(staleFlows([dns([])], [dns(["10.244.0.2:53"])]))).toEqual(["-D -p udp --orig-dst 10.96.0.9"]);
});

test("nothing is forgotten where nothing left, nor of TCP", () => {
  expect(staleFlows([dns(["10.244.0.2:53"])], [dns(["10.244.0.2:53", "10.244.0.3:53"])])).toEqual([]);
  expect(staleFlows([dns(["10.244.0.2:53"], { protocol: "tcp" })], [])).toEqual([]);
});
