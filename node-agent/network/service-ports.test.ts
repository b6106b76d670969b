import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { IService } from "kubernetes-models/v1/Service";
import { describe, expect, test } from "vitest";
import { servicePorts } from "./service-ports.ts";

const NODE = { name: "n1", zone: "a", addresses: ["192.0.2.1"] };

const service = (spec: object, metadata: object = {}, status: object = {}) =>
  ({
    metadata: { name: "web", namespace: "shop", ...metadata },
    spec: { clusterIP: "10.96.0.5", ports: [{ name: "http", port: 80, protocol: "TCP" }], ...spec },
    status,
  }) as unknown as IService;

const slice = (endpoints: object[], extra: object = {}) =>
  ({
    metadata: { name: "web-1", namespace: "shop", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints,
    ...extra,
  }) as unknown as IEndpointSlice;

const at = (address: string, extra: object = {}) => ({ addresses: [address], nodeName: "n1", ...extra });
const LEAVING = { conditions: { ready: false, serving: true, terminating: true } };

const only = (spec: object, endpoints: object[]) => {
  const ports = servicePorts([service(spec)], [slice(endpoints)], NODE);
  expect(ports).toHaveLength(1);
  return ports[0]!;
};

describe("which Services are proxied", () => {
  test("a port is known by namespace, name and port name, and a port without name by the first two", () => {
    expect(servicePorts([service({})], [], NODE)[0]!.id).toBe("shop/web:http");
    expect(servicePorts([service({ ports: [{ port: 80 }] })], [], NODE)[0]!.id).toBe("shop/web");
  });

  test.each([
    ["headless", service({ clusterIP: "None" })],
    ["of type ExternalName", service({ type: "ExternalName", clusterIP: undefined })],
    ["another proxy's", service({}, { labels: { "service.kubernetes.io/service-proxy-name": "other" } })],
    ["without an address yet", service({ clusterIP: "" })],
    ["of an address that is none", service({ clusterIP: "10.96.0.5 -j ACCEPT" })],
    ["of a name that is none", service({}, { name: 'web" -j ACCEPT' })],
    ["of a protocol that is none", service({ ports: [{ port: 80, protocol: "ICMP" }] })],
    ["of a port that is none", service({ ports: [{ port: 80.5 }, { port: 0 }, { port: 65536 }] })],
  ])("not one that is %s", (_, wrong) => {
    expect(servicePorts([wrong], [], NODE)).toEqual([]);
  });

  test("of two families the IPv4 address is taken", () => {
    const both = service({ clusterIP: "fd00::5", clusterIPs: ["fd00::5", "10.96.0.7"] });
    expect(servicePorts([both], [], NODE)[0]!.clusterIP).toBe("10.96.0.7");
  });

  test("node ports count for NodePort and LoadBalancer alone", () => {
    const ports = [{ port: 80, nodePort: 30080 }];
    expect(only({ type: "ClusterIP", ports }, []).nodePort).toBeUndefined();
    expect(only({ type: "NodePort", ports }, []).nodePort).toBe(30080);
    expect(only({ type: "LoadBalancer", ports }, []).nodePort).toBe(30080);
  });

  test("a balancer's addresses are taken unless they are names or want their traffic for themselves", () => {
    const ingress = [{ ip: "198.51.100.1" }, { hostname: "lb" }, { ip: "198.51.100.2", ipMode: "Proxy" }];
    const balanced = service({ type: "LoadBalancer" }, {}, { loadBalancer: { ingress } });
    expect(servicePorts([balanced], [], NODE)[0]!.loadBalancerIPs).toEqual(["198.51.100.1"]);
  });

  test("source ranges of another family keep everybody of ours out", () => {
    expect(only({ loadBalancerSourceRanges: ["fd00::/8"] }, []).loadBalancerSourceRanges).toEqual([]);
    expect(only({ loadBalancerSourceRanges: [" 10.0.0.0/8"] }, []).loadBalancerSourceRanges).toEqual(["10.0.0.0/8"]);
    expect(only({}, []).loadBalancerSourceRanges).toBeUndefined();
  });
});

describe("where their traffic goes", () => {
  test("to ready endpoints, each once, in a stable order", () => {
    const port = only({}, [at("10.244.0.9"), at("10.244.0.2"), at("10.244.0.3", { conditions: { ready: false } })]);
    expect(port.clusterEndpoints).toEqual(["10.244.0.2:8080", "10.244.0.9:8080"]);
  });

  test("only to those of the same port name and protocol", () => {
    const ports = [
      { name: "http", port: 1, protocol: "UDP" },
      { name: "other", port: 2, protocol: "TCP" },
    ];
    expect(servicePorts([service({})], [slice([at("10.244.0.2")], { ports })], NODE)[0]!.clusterEndpoints).toEqual([]);
  });

  test("a named target port may be another number in another slice", () => {
    const other = slice([at("10.244.0.3")], { ports: [{ name: "http", port: 9090, protocol: "TCP" }] });
    const [port] = servicePorts([service({})], [slice([at("10.244.0.2")]), other], NODE);
    expect(port!.clusterEndpoints).toEqual(["10.244.0.2:8080", "10.244.0.3:9090"]);
  });

  test("an endpoint that two slices name is ready where one says so", () => {
    const slices = [slice([at("10.244.0.2")]), slice([at("10.244.0.2", LEAVING)])];
    expect(servicePorts([service({})], slices, NODE)[0]!.clusterEndpoints).toEqual(["10.244.0.2:8080"]);
    expect(servicePorts([service({})], slices.toReversed(), NODE)[0]!.clusterEndpoints).toEqual(["10.244.0.2:8080"]);
  });

  test("to those that terminate and still serve, once nobody is ready", () => {
    expect(only({}, [at("10.244.0.2"), at("10.244.0.3", LEAVING)]).clusterEndpoints).toEqual(["10.244.0.2:8080"]);
    expect(only({}, [at("10.244.0.3", LEAVING)]).clusterEndpoints).toEqual(["10.244.0.3:8080"]);
    const gone = { conditions: { ready: false, serving: false, terminating: true } };
    expect(only({}, [at("10.244.0.3", gone)])).toMatchObject({ clusterEndpoints: [], hasAnyEndpoint: false });
  });

  test("under policy Local to this node's, of which those that terminate are the last resort too", () => {
    const elsewhere = { nodeName: "n2" };
    const port = only({}, [at("10.244.0.2", LEAVING), at("10.244.1.2", elsewhere)]);
    expect(port.localEndpoints).toEqual(["10.244.0.2:8080"]);
    expect(only({}, [at("10.244.1.2", elsewhere)])).toMatchObject({ localEndpoints: [], hasAnyEndpoint: true });
  });

  test("to this zone's where every endpoint is meant for some zone, and one for this", () => {
    const zone = (name: string) => ({ hints: { forZones: [{ name }] } });
    const far = at("10.244.0.3", zone("b"));
    expect(only({}, [at("10.244.0.2", zone("a")), far]).clusterEndpoints).toEqual(["10.244.0.2:8080"]);
    expect(only({}, [at("10.244.0.2", zone("c")), far]).clusterEndpoints).toHaveLength(2);
    expect(only({}, [at("10.244.0.2", zone("a")), at("10.244.0.4")]).clusterEndpoints).toHaveLength(2);
  });

  test("a hint for this node goes before one for its zone", () => {
    const hints = (node: string) => ({ hints: { forZones: [{ name: "a" }], forNodes: [{ name: node }] } });
    const port = only({}, [at("10.244.0.2", hints("n1")), at("10.244.0.3", hints("n2"))]);
    expect(port.clusterEndpoints).toEqual(["10.244.0.2:8080"]);
  });

  test("not to addresses that are none", () => {
    expect(only({}, [at("10.244.0.2 -j ACCEPT"), at("fd00::1")]).clusterEndpoints).toEqual([]);
  });
});
