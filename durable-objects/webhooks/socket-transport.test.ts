import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { makeAuthority, makeServerCertificate } from "../../cli/control-plane/certificates.ts";
import { dialFromNode } from "../../test/support/node-channel.ts";
import { isPrivateHost } from "./private-address.ts";
import { type SocketTransportOptions, socketTransport } from "./socket-transport.ts";
import type { WebhookCall } from "./webhook-transport.ts";

const now = new Date();
const authority = makeAuthority("webhooks", now);
const pair = makeServerCertificate(authority, ["127.0.0.1", "hook.default.svc"], now);
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer({ cert: pair.certificate, key: pair.key }, listener);
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const transport = (options: Partial<SocketTransportOptions> = {}) =>
  socketTransport({
    dial: dialFromNode,
    dialService: ({ name }) => Promise.reject(new Error(`service ${JSON.stringify(name)} not found`)),
    allowsPrivateAddresses: true,
    now: () => now.getTime(),
    later: (milliseconds, work) => {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    },
    ...options,
  });

const callOf = (port: number, more: Partial<WebhookCall> = {}): WebhookCall => ({
  url: `https://127.0.0.1:${port}/validate?timeout=10s`,
  caBundle: btoa(authority.certificate),
  body: '{"a":"ü"}',
  timeoutMilliseconds: 10_000,
  ...more,
});

const refusal = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    (value) => `answered ${JSON.stringify(value)}`,
    (error: Error) => error.message,
  );

describe("a call", () => {
  test("brings the body to the path, and the answer back", async () => {
    let heard = "";
    const port = await serve((request, response) => {
      request.on("data", (data) => (heard += data));
      request.on("end", () => {
        response.setHeader("content-type", "application/json");
        response.end(
          JSON.stringify({ url: request.url, type: request.headers["content-type"], method: request.method }),
        );
      });
    });
    const reply = await transport().post(callOf(port));
    expect(heard).toBe('{"a":"ü"}');
    expect(reply).toMatchObject({ code: 200, contentType: "application/json" });
    expect(JSON.parse(reply.body)).toEqual({ url: "/validate?timeout=10s", type: "application/json", method: "POST" });
  });

  test("understands chunks, and an answer that ends with the connection", async () => {
    const chunked = await serve((_, response) => {
      response.write("one ");
      response.end("two");
    });
    expect((await transport().post(callOf(chunked))).body).toBe("one two");
    const unmeasured = await serve((_, response) => {
      response.useChunkedEncodingByDefault = false;
      response.end("all of it");
    });
    expect((await transport().post(callOf(unmeasured))).body).toBe("all of it");
  });

  test("follows no redirect", async () => {
    let calls = 0;
    const port = await serve((_, response) => {
      calls++;
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    expect((await transport().post(callOf(port))).code).toBe(307);
    expect(calls).toBe(1);
  });

  test("of a Service goes where it is dialled, for the Service's own name", async () => {
    const port = await serve((request, response) => response.end(request.headers.host));
    const service = { namespace: "default", name: "hook", port: 443 };
    const url = "https://hook.default.svc:443/path";
    const dialService: SocketTransportOptions["dialService"] = (asked) => {
      expect(asked).toEqual(service);
      return dialFromNode({ hostname: "127.0.0.1", port });
    };
    const reply = await transport({ dialService, allowsPrivateAddresses: false }).post(callOf(port, { url, service }));
    expect(reply.body).toBe("hook.default.svc:443");
    expect(await refusal(transport().post(callOf(port, { url, service })))).toBe(
      'Post "https://hook.default.svc:443/path": service "hook" not found',
    );
  });
});

describe("no call", () => {
  test("to a private address, unless that is allowed", async () => {
    const dial = () => Promise.reject(new Error("dialled"));
    const strict = transport({ allowsPrivateAddresses: false, dial });
    for (const host of [
      "127.0.0.1",
      "localhost",
      "10.1.2.3",
      "169.254.169.254",
      "[::1]",
      "0x7f.1",
      "2130706433",
      "[fd00::1]",
    ]) {
      expect(await refusal(strict.post(callOf(0, { url: `https://${host}/` }))), host).toContain(
        "private addresses are not allowed",
      );
    }
    expect(await refusal(strict.post(callOf(0, { url: "https://203.0.114.7/" })))).toContain("dialled");
    expect(isPrivateHost("example.com")).toBe(false);
  });

  test("to a server that the bundle does not vouch for", async () => {
    let calls = 0;
    const port = await serve((_, response) => {
      calls++;
      response.end();
    });
    const other = btoa(makeAuthority("webhooks", now).certificate);
    for (const caBundle of [other, btoa("no certificate"), "%%%"]) {
      expect(await refusal(transport().post(callOf(port, { caBundle })))).toContain(
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
      );
    }
    expect(calls).toBe(0);
  });

  test("that lasts longer than it may", async () => {
    const port = await serve(() => undefined);
    expect(await refusal(transport().post(callOf(port, { timeoutMilliseconds: 50 })))).toBe(
      `Post "https://127.0.0.1:${port}/validate?timeout=10s": context deadline exceeded`,
    );
  });

  test("whose answer is no HTTP, ends too early or never ends", async () => {
    const cases: [string, string][] = [
      ["nonsense\r\n\r\n", "malformed HTTP response"],
      ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "unexpected EOF"],
      ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "multiple Content-Length"],
      ["HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "is longer than"],
      ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "malformed chunked encoding"],
      ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "unsupported transfer encoding"],
      [`HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`, "headers exceeded"],
      ["HTTP/1.1 100 Continue\r\n\r\n".repeat(20), "too many 1xx"],
    ];
    for (const [answer, why] of cases) {
      const port = await serve((request) => void request.socket.end(answer));
      expect(await refusal(transport().post(callOf(port))), answer.slice(0, 60)).toContain(why);
    }
  });
});
