import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { fakeRuntime } from "../runtime/fake.ts";
import { RuntimeError } from "../runtime/runtime.ts";
import { portNumber, runProbe } from "./probe.ts";

const CONTAINER = { name: "app", image: "a" };
const target = (runtime = fakeRuntime()) => ({ runtime, containerId: "c", container: CONTAINER, ip: "127.0.0.1" });

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
/** A port at which nothing listens any more. */
async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
const web = () =>
  listen(
    createServer((request, response) => {
      if (request.url === "/slow") return;
      if (request.url === "/agent") return void response.end(request.headers["user-agent"]);
      const code = Number(request.url!.slice(1));
      response.writeHead(code, code === 302 ? { Location: "/200" } : {}).end("body");
    }),
  );

test.each([
  ["/200", "success", "body"],
  ["/302", "success", "body"],
  ["/500", "failure", "HTTP probe failed with statuscode: 500"],
  ["/404", "failure", "HTTP probe failed with statuscode: 404"],
  ["/agent", "success", "kube-probe/1.36"],
])("GET %s is a %s", async (path, outcome, output) => {
  expect(await runProbe({ httpGet: { path, port: await web() } }, target())).toEqual({ outcome, output });
});

test("a server that does not answer in time fails the probe", async () => {
  const port = await web();
  const result = await runProbe({ httpGet: { path: "/slow", port }, timeoutSeconds: 0.05 }, target());
  expect(result).toEqual({
    outcome: "failure",
    output: `Get "http://127.0.0.1:${port}/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  });
});

test("a port at which nothing listens fails, in Go's words", async () => {
  const port = await closedPort();
  const refused = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
  expect(await runProbe({ tcpSocket: { port } }, target())).toEqual({ outcome: "failure", output: refused });
  const http = await runProbe({ httpGet: { path: "/", port } }, target());
  expect(http).toEqual({ outcome: "failure", output: `Get "http://127.0.0.1:${port}/": ${refused}` });
});

test("a port at which something listens is a success", async () => {
  expect(await runProbe({ tcpSocket: { port: await listen(createTcpServer()) } }, target())).toMatchObject({
    outcome: "success",
  });
});

test("a command's exit code decides, its output is told", async () => {
  const runtime = (exitCode: number) => ({
    ...fakeRuntime(),
    execSync: async () => ({ exitCode, stdout: Buffer.from("out "), stderr: Buffer.from("err") }),
  });
  const probe = { exec: { command: ["check"] } };
  expect(await runProbe(probe, target(runtime(0)))).toEqual({ outcome: "success", output: "out err" });
  expect(await runProbe(probe, target(runtime(1)))).toEqual({ outcome: "failure", output: "out err" });
});

test("a command that takes too long fails; one that cannot be run says nothing of the container", async () => {
  const runtime = (code: "timeout" | "unavailable") => ({
    ...fakeRuntime(),
    execSync: async () => {
      throw new RuntimeError(code, "no");
    },
  });
  const probe = { exec: { command: ["check", "me"] }, timeoutSeconds: 3 };
  expect(await runProbe(probe, target(runtime("timeout")))).toEqual({
    outcome: "failure",
    output: 'command timed out: "check me" timed out after 3s',
  });
  expect(await runProbe(probe, target(runtime("unavailable")))).toMatchObject({ outcome: "unknown" });
});

test("a port may be named", () => {
  const container = { ...CONTAINER, ports: [{ name: "web", containerPort: 8080 }] };
  expect(portNumber("web", container)).toBe(8080);
  expect(portNumber("81", container)).toBe(81);
  expect(() => portNumber("none", container)).toThrow("couldn't find port");
});
