import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packet from "dns-packet";
import type { IService } from "kubernetes-models/v1/Service";
import type { Logger } from "pino";
import { afterEach, expect, test } from "vitest";
import { startClusterDns } from "./cluster-dns.ts";
import { startDnsServer } from "./server.ts";
import { framed, makeForward } from "./upstream.ts";

const log = { error: () => {} } as unknown as Logger;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(services: IService[]) {
  const dns = await startClusterDns({
    address: "127.0.0.1",
    port: 0,
    domain: "Cluster.Local.",
    resolvConf: "/dev/null",
    services: () => services,
    endpointSlices: () => [],
    log,
  });
  closing.push(() => dns.close());
  return dns;
}

const web = (clusterIP: string) =>
  ({ metadata: { name: "web", namespace: "shop" }, spec: { clusterIP } }) as unknown as IService;
const question = (id: number, name = "web.shop.svc.cluster.local") =>
  packet.encode({ type: "query", id, questions: [{ name, type: "A" }] });
const address = (message: Buffer) => (packet.decode(message).answers![0] as { data: string }).data;

async function askOverUdp(port: number, message: Buffer): Promise<Buffer> {
  const socket = createSocket("udp4");
  socket.send(message, port, "127.0.0.1");
  const [response] = await once(socket, "message");
  socket.close();
  return response;
}

test("over UDP it answers by what is known now", async () => {
  const services = [web("10.96.0.5")];
  const dns = await start(services);
  expect(address(await askOverUdp(dns.port, question(1)))).toBe("10.96.0.5");
  services[0] = web("10.96.0.6");
  dns.changed();
  expect(address(await askOverUdp(dns.port, question(2)))).toBe("10.96.0.6");
});

test("over TCP it answers several questions of one connection in order, however they are cut", async () => {
  const dns = await start([web("10.96.0.5")]);
  const socket = connect(dns.port, "127.0.0.1");
  const bytes = Buffer.concat([framed(question(1)), framed(question(2)), framed(question(3))]);
  for (const cut of [bytes.subarray(0, 1), bytes.subarray(1, 50), bytes.subarray(50)]) socket.write(cut);
  let received = Buffer.alloc(0);
  const ids: number[] = [];
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      ids.push(packet.decode(received.subarray(2, end)).id!);
      received = received.subarray(end);
    }
    if (ids.length === 3) break;
  }
  expect(ids).toEqual([1, 2, 3]);
});

test("a connection that speaks something else is closed, and others go on being served", async () => {
  const dns = await start([web("10.96.0.5")]);
  const socket = connect(dns.port, "127.0.0.1");
  socket.write(framed(Buffer.from("GET")));
  await once(socket, "close");
  expect(address(await askOverUdp(dns.port, question(1)))).toBe("10.96.0.5");
});

test("other names are asked of the servers of resolv.conf, under ids of our own, and never of ourselves", async () => {
  const folder = await mkdtemp(join(tmpdir(), "coxswain-dns-"));
  closing.push(() => rm(folder, { recursive: true }));
  const seen: number[] = [];
  const upstream = await startDnsServer({
    address: "127.0.0.1",
    port: 0,
    log,
    resolve: async (message) => {
      const { id, questions } = packet.decode(message);
      seen.push(id!);
      const answers = [{ type: "A" as const, name: questions![0]!.name, ttl: 1, data: "203.0.113.7" }];
      return packet.encode({ type: "response", id: id!, questions: questions!, answers });
    },
  });
  closing.push(() => upstream.close());
  await writeFile(join(folder, "resolv.conf"), "nameserver 127.0.0.2\nnameserver 127.0.0.1\n");
  const options = { resolvConf: join(folder, "resolv.conf"), port: upstream.port };
  const forward = makeForward({ ...options, except: ["127.0.0.2"] });
  for (const transport of ["udp", "tcp"] as const) {
    const response = await forward(question(42, "www.example.com"), transport);
    expect(packet.decode(response!).id).toBe(42);
    expect(address(response!)).toBe("203.0.113.7");
  }
  expect(seen).toHaveLength(2);
  const nobody = makeForward({ ...options, except: ["127.0.0.1", "127.0.0.2"] });
  expect(await nobody(question(42, "www.example.com"), "udp")).toBeUndefined();
});

test("a port that is taken is an error at the start", async () => {
  const dns = await start([]);
  const again = startDnsServer({ address: "127.0.0.1", port: dns.port, resolve: async () => undefined, log });
  await expect(again).rejects.toThrow("EADDRINUSE");
});
