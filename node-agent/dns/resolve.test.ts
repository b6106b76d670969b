import packet, { type Packet, type RecordType } from "dns-packet";
import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { IService } from "kubernetes-models/v1/Service";
import { describe, expect, test, vi } from "vitest";
import { clusterRecords } from "./records.ts";
import { makeResolve } from "./resolve.ts";
import { type Forward, parseNameservers } from "./upstream.ts";

const endpoints = Array.from({ length: 90 }, (_, i) => ({ addresses: [`10.244.1.${i + 1}`] }));
const records = clusterRecords(
  [
    { metadata: { name: "web", namespace: "shop" }, spec: { clusterIP: "10.96.0.5" } },
    { metadata: { name: "many", namespace: "shop" }, spec: { clusterIP: "None" } },
    { metadata: { name: "away", namespace: "shop" }, spec: { type: "ExternalName", externalName: "www.example.com" } },
    {
      metadata: { name: "near", namespace: "shop" },
      spec: { type: "ExternalName", externalName: "web.shop.svc.cluster.local" },
    },
    {
      metadata: { name: "loop", namespace: "shop" },
      spec: { type: "ExternalName", externalName: "loop.shop.svc.cluster.local" },
    },
  ] as unknown as IService[],
  [
    {
      metadata: { name: "many-1", namespace: "shop", labels: { "kubernetes.io/service-name": "many" } },
      addressType: "IPv4",
      endpoints,
    },
  ] as unknown as IEndpointSlice[],
);

/** Another server: knows one address for every name. */
const elsewhere: Forward = async (query) => {
  const { id, questions } = packet.decode(query);
  const answers = questions!.map(({ name }) => ({ type: "A" as const, name, ttl: 60, data: "203.0.113.7" }));
  return packet.encode({
    type: "response",
    id: id!,
    flags: packet.RECURSION_AVAILABLE,
    questions: questions!,
    answers,
  });
};

const query = (name: string, fields: Partial<Packet> = {}, type: RecordType = "A") =>
  packet.encode({ type: "query", id: 7, flags: packet.RECURSION_DESIRED, questions: [{ name, type }], ...fields });

async function ask(message: Buffer, transport: "udp" | "tcp" = "udp", forward: Forward = elsewhere) {
  const response = await makeResolve({ records: () => records, zone: "cluster.local", forward })(message, transport);
  return response && { ...(packet.decode(response) as any), bytes: response.length };
}

const data = (response: any) => response.answers.map((record: any) => record.data);

describe("a question", () => {
  test("for a name of the cluster is answered under its id, with its question", async () => {
    const response = await ask(query("web.shop.svc.cluster.local"));
    expect(response).toMatchObject({
      id: 7,
      type: "response",
      rcode: "NOERROR",
      flag_aa: true,
      flag_rd: true,
      flag_ra: true,
    });
    expect(response.questions[0].name).toBe("web.shop.svc.cluster.local");
    expect(data(response)).toEqual(["10.96.0.5"]);
  });

  test("for a name beyond is passed on as it is", async () => {
    const forward = vi.fn(elsewhere);
    expect(data(await ask(query("www.example.com"), "udp", forward))).toEqual(["203.0.113.7"]);
    expect(forward).toHaveBeenCalledTimes(1);
  });

  test("that nobody answers is answered SERVFAIL", async () => {
    expect(await ask(query("www.example.com"), "udp", async () => undefined)).toMatchObject({
      id: 7,
      rcode: "SERVFAIL",
    });
  });

  test("for an alias of a name beyond is answered with what that leads to", async () => {
    expect(data(await ask(query("away.shop.svc.cluster.local")))).toEqual(["www.example.com", "203.0.113.7"]);
  });

  test("for an alias of a name of the cluster is answered from here", async () => {
    expect(data(await ask(query("near.shop.svc.cluster.local")))).toEqual(["web.shop.svc.cluster.local", "10.96.0.5"]);
  });

  test("for an alias of itself ends", async () => {
    expect(await ask(query("loop.shop.svc.cluster.local"))).toMatchObject({ rcode: "SERVFAIL" });
  });
});

describe("an answer that is too long for a datagram", () => {
  test("is cut, and the asker told to come over TCP, where it is whole", async () => {
    const cut = await ask(query("many.shop.svc.cluster.local"));
    expect(cut).toMatchObject({ flag_tc: true, answers: [], rcode: "NOERROR" });
    const whole = await ask(query("many.shop.svc.cluster.local"), "tcp");
    expect(whole).toMatchObject({ flag_tc: false });
    expect(whole.answers).toHaveLength(90);
  });

  test("may be as long as the asker says, up to what passes everywhere", async () => {
    const opt = { type: "OPT", name: ".", udpPayloadSize: 4096, flags: 0, options: [] } as any;
    const response = await ask(query("many.shop.svc.cluster.local", { additionals: [opt] }));
    expect(response.flag_tc).toBe(true);
    const small = await ask(query("web.shop.svc.cluster.local", { additionals: [opt] }));
    expect(small.additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1232 }]);
  });
});

describe("what is no question", () => {
  test("is told so where it can be", async () => {
    expect(await ask(Buffer.from("0007010000010000000000000a", "hex"))).toMatchObject({ id: 7, rcode: "FORMERR" });
    expect(await ask(query("a.b", { questions: [] }))).toMatchObject({ rcode: "FORMERR" });
    const two = [
      { name: "a", type: "A" as const },
      { name: "b", type: "A" as const },
    ];
    expect(await ask(query("a", { questions: two }))).toMatchObject({ rcode: "FORMERR" });
    expect(await ask(query("a", { flags: 5 << 11 }))).toMatchObject({ rcode: "NOTIMP" });
    const chaos = [{ name: "version.bind", type: "TXT" as const, class: "CH" as const }];
    expect(await ask(query("a", { questions: chaos }))).toMatchObject({ rcode: "REFUSED" });
  });

  test("gets no answer where there is nobody to answer, or it is an answer itself", async () => {
    expect(await ask(Buffer.from("0007", "hex"))).toBeUndefined();
    const response = packet.encode({ type: "response", id: 7, questions: [] });
    expect(await ask(response)).toBeUndefined();
  });
});

test("resolv.conf names the servers that are asked, and its other lines do not", () => {
  const text =
    "# nameserver 192.0.2.9\nsearch example.com\nnameserver 192.0.2.1\n nameserver\tfd00::1\nnameserver here\n";
  expect(parseNameservers(text)).toEqual(["192.0.2.1", "fd00::1"]);
});
