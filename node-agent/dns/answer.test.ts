import type { Answer, RecordType } from "dns-packet";
import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { IService } from "kubernetes-models/v1/Service";
import { describe, expect, test } from "vitest";
import { answer } from "./answer.ts";
import { clusterRecords } from "./records.ts";

const service = (name: string, spec: object, namespace = "shop") =>
  ({ metadata: { name, namespace }, spec }) as unknown as IService;
const slice = (of: string, endpoints: object[], ports: object[] = [{ name: "http", port: 8080, protocol: "TCP" }]) =>
  ({
    metadata: { name: `${of}-1`, namespace: "shop", labels: { "kubernetes.io/service-name": of } },
    addressType: "IPv4",
    endpoints,
    ports,
  }) as unknown as IEndpointSlice;

const records = clusterRecords(
  [
    service("web", {
      clusterIP: "10.96.0.5",
      ports: [
        { name: "http", port: 80, protocol: "TCP" },
        { name: "dns", port: 53, protocol: "UDP" },
      ],
    }),
    service("db", { clusterIP: "None", ports: [{ name: "http", port: 80 }] }),
    service("away", { type: "ExternalName", externalName: "Www.Example.COM." }),
    service("pending", { clusterIP: "" }),
    service("alone", { clusterIP: "None" }),
  ],
  [
    slice("db", [
      { addresses: ["10.244.1.2"], hostname: "db-0" },
      { addresses: ["10.244.1.3"], hostname: "db-1", conditions: { ready: true } },
      { addresses: ["10.244.1.4"] },
      { addresses: ["10.244.1.5"], hostname: "db-2", conditions: { ready: false } },
    ]),
  ],
);

const ask = (name: string, type: RecordType | "ANY" = "A", turn = 0) =>
  answer(records, "cluster.local", { name, type: type as RecordType }, turn);

/** A final answer as text: its code, and its answers' types and data. */
function said(name: string, type: RecordType | "ANY" = "A", turn = 0): [rcode: string, ...answers: string[]] {
  const verdict = ask(name, type, turn);
  if (verdict === "forward" || "follow" in verdict) throw new Error("not final");
  return [verdict.rcode, ...verdict.answers.map(text)];
}

const text = (record: Answer) => {
  const data = (record as { data: unknown }).data;
  return `${record.type} ${typeof data === "string" ? data : JSON.stringify(data)}`;
};

describe("a Service with a cluster IP", () => {
  test("has its address, whatever the case it is asked in, and the answer repeats the name as asked", () => {
    expect(said("web.shop.svc.cluster.local")).toEqual(["NOERROR", "A 10.96.0.5"]);
    const verdict = ask("WEB.shop.SVC.cluster.local.");
    expect(verdict).toMatchObject({ answers: [{ name: "WEB.shop.SVC.cluster.local.", data: "10.96.0.5" }] });
  });

  test("has a service record for each named port, and its address beside it", () => {
    const verdict = ask("_http._tcp.web.shop.svc.cluster.local", "SRV");
    expect(verdict).toMatchObject({
      rcode: "NOERROR",
      answers: [{ type: "SRV", data: { port: 80, priority: 0, weight: 100, target: "web.shop.svc.cluster.local" } }],
      additionals: [{ type: "A", name: "web.shop.svc.cluster.local", data: "10.96.0.5" }],
    });
    expect(said("_dns._udp.web.shop.svc.cluster.local", "SRV")[0]).toBe("NOERROR");
    expect(said("_http._udp.web.shop.svc.cluster.local", "SRV")).toEqual(["NXDOMAIN"]);
  });

  test("is found by its address", () => {
    expect(said("5.0.96.10.in-addr.arpa", "PTR")).toEqual(["NOERROR", "PTR web.shop.svc.cluster.local"]);
    expect(ask("6.0.96.10.in-addr.arpa", "PTR")).toBe("forward");
  });
});

describe("a headless Service", () => {
  test("has the addresses of its ready endpoints, in turns", () => {
    expect(said("db.shop.svc.cluster.local")).toEqual(["NOERROR", "A 10.244.1.2", "A 10.244.1.3", "A 10.244.1.4"]);
    expect(said("db.shop.svc.cluster.local", "A", 1)).toEqual([
      "NOERROR",
      "A 10.244.1.3",
      "A 10.244.1.4",
      "A 10.244.1.2",
    ]);
  });

  test("has a name for each: its hostname, or else its address", () => {
    expect(said("db-0.db.shop.svc.cluster.local")).toEqual(["NOERROR", "A 10.244.1.2"]);
    expect(said("10-244-1-4.db.shop.svc.cluster.local")).toEqual(["NOERROR", "A 10.244.1.4"]);
    expect(said("db-2.db.shop.svc.cluster.local")).toEqual(["NXDOMAIN"]);
  });

  test("has a service record for each, with the pods' port", () => {
    const answers = said("_http._tcp.db.shop.svc.cluster.local", "SRV").slice(1);
    expect(answers).toHaveLength(3);
    expect(answers[0]).toContain('"port":8080,"target":"db-0.db.shop.svc.cluster.local"');
  });

  test("tells whose an address is where the endpoint has a hostname", () => {
    expect(said("2.1.244.10.in-addr.arpa", "PTR")).toEqual(["NOERROR", "PTR db-0.db.shop.svc.cluster.local"]);
    expect(ask("4.1.244.10.in-addr.arpa", "PTR")).toBe("forward");
  });

  test("without endpoints is a name without records", () => {
    expect(said("alone.shop.svc.cluster.local")).toEqual(["NOERROR"]);
  });
});

describe("an ExternalName Service", () => {
  test("is an alias, which has to be followed", () => {
    expect(ask("away.shop.svc.cluster.local")).toMatchObject({
      follow: "www.example.com",
      answers: [{ type: "CNAME", name: "away.shop.svc.cluster.local", data: "www.example.com" }],
    });
  });

  test("asked for the alias itself, is only that", () => {
    expect(said("away.shop.svc.cluster.local", "CNAME")).toEqual(["NOERROR", "CNAME www.example.com"]);
  });
});

describe("what is not there", () => {
  test.each([
    "absent.shop.svc.cluster.local",
    "web.absent.svc.cluster.local",
    "absent.svc.cluster.local",
    "x.cluster.local",
  ])("%s is denied, with the time that may be remembered", (name) => {
    expect(ask(name)).toMatchObject({
      rcode: "NXDOMAIN",
      answers: [],
      authorities: [{ type: "SOA", name: "cluster.local", ttl: 5 }],
    });
  });

  test.each([
    "www.example.com.shop.svc.cluster.local",
    "www.example.com.svc.cluster.local",
    "web.web.shop.svc.cluster.local",
  ])("%s, as search domains make them, is denied", (name) => {
    expect(said(name)).toEqual(["NXDOMAIN"]);
  });

  test.each([
    "cluster.local",
    "svc.cluster.local",
    "shop.svc.cluster.local",
    "_tcp.web.shop.svc.cluster.local",
    "pending.shop.svc.cluster.local",
    "pod.cluster.local",
  ])("%s is a name without addresses", (name) => {
    expect(ask(name)).toMatchObject({ rcode: "NOERROR", answers: [], authorities: [{ type: "SOA" }] });
  });

  test("an IPv6 address is not there, though the name is", () => {
    expect(said("web.shop.svc.cluster.local", "AAAA")).toEqual(["NOERROR"]);
  });

  test("names outside the zone are for others", () => {
    for (const name of ["www.example.com", "notcluster.local", "local", "web"]) expect(ask(name)).toBe("forward");
  });
});

describe("the rest of the zone", () => {
  test("knows pods by the address in their name", () => {
    expect(said("10-244-1-2.shop.pod.cluster.local")).toEqual(["NOERROR", "A 10.244.1.2"]);
    expect(said("10-244-1-256.shop.pod.cluster.local")).toEqual(["NXDOMAIN"]);
    expect(said("x.10-244-1-2.shop.pod.cluster.local")).toEqual(["NXDOMAIN"]);
  });

  test("tells its version and its authority", () => {
    expect(said("dns-version.cluster.local", "TXT")).toEqual(["NOERROR", "TXT 1.1.0"]);
    expect(said("cluster.local", "SOA")[1]).toContain("ns.dns.cluster.local");
  });

  test("answers a question for everything", () => {
    expect(said("web.shop.svc.cluster.local", "ANY")).toEqual(["NOERROR", "A 10.96.0.5"]);
  });
});
