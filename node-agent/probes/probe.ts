import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { IContainer } from "kubernetes-models/v1/Container";
import type { IProbe } from "kubernetes-models/v1/Probe";
import { type Runtime, RuntimeError } from "../runtime/runtime.ts";
import { probeGrpc } from "./grpc-probe.ts";
import type { ProbeResult } from "./probe-result.ts";

export interface ProbeTarget {
  runtime: Runtime;
  containerId: string;
  container: IContainer;
  /** Of the pod, or of the node where the pod has the node's network. */
  ip: string;
}

/** Read of an answer's body, for events. */
const BODY_BYTES_MAX = 10 * 1024;
const REDIRECTS_MAX = 10;
const USER_AGENT = "kube-probe/1.36";

/** Makes one probe; never rejects. */
export async function runProbe(probe: IProbe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1;
  try {
    if (probe.exec) return await probeExec(probe.exec.command ?? [], target, timeoutSeconds);
    if (probe.httpGet) {
      const { url, headers } = httpTarget(probe.httpGet, target);
      return await probeHttp(url, headers, timeoutSeconds);
    }
    if (probe.tcpSocket) {
      return await probeTcp(
        probe.tcpSocket.host ?? target.ip,
        portNumber(probe.tcpSocket.port, target.container),
        timeoutSeconds,
      );
    }
    if (probe.grpc) return await probeGrpc(target.ip, probe.grpc.port, probe.grpc.service ?? "", timeoutSeconds);
    return { outcome: "unknown", output: "missing probe handler" };
  } catch (error) {
    return { outcome: "unknown", output: (error as Error).message };
  }
}

async function probeExec(
  command: readonly string[],
  { runtime, containerId }: ProbeTarget,
  timeoutSeconds: number,
): Promise<ProbeResult> {
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, [...command], timeoutSeconds);
    const output = Buffer.concat([stdout, stderr]).subarray(0, BODY_BYTES_MAX).toString();
    return { outcome: exitCode === 0 ? "success" : "failure", output };
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "timeout") {
      return {
        outcome: "failure",
        output: `command timed out: "${command.join(" ")}" timed out after ${timeoutSeconds}s`,
      };
    }
    throw error;
  }
}

type HttpGet = NonNullable<IProbe["httpGet"]>;

/** Where an httpGet handler (of a probe or a hook) leads. */
export function httpTarget(
  httpGet: HttpGet,
  { ip, container }: Pick<ProbeTarget, "ip" | "container">,
): { url: URL; headers: Record<string, string> } {
  const scheme = (httpGet.scheme ?? "HTTP").toLowerCase();
  const host = httpGet.host || ip;
  const path = httpGet.path ?? "/";
  const authority = `${host.includes(":") ? `[${host}]` : host}:${portNumber(httpGet.port, container)}`;
  const url = new URL(`${scheme}://${authority}${path.startsWith("/") ? "" : "/"}${path}`);
  const headers: Record<string, string> = { "User-Agent": USER_AGENT, Accept: "*/*" };
  for (const { name, value } of httpGet.httpHeaders ?? []) headers[name] = value;
  return { url, headers };
}

/** A number, or the name of one of the container's ports. */
export function portNumber(port: string | number, container: IContainer): number {
  const number = Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65536) return number;
  const named = container.ports?.find(({ name }) => name === port);
  if (!named) throw new Error(`couldn't find port: "${port}"`);
  return named.containerPort;
}

export async function probeHttp(
  url: URL,
  headers: Record<string, string>,
  timeoutSeconds: number,
): Promise<ProbeResult> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  let at = url;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const answer = await get(at, headers, Math.max(deadline - Date.now(), 1));
    if ("failed" in answer) return { outcome: "failure", output: `Get "${at}": ${answer.failed}` };
    const { code, location, body } = answer;
    if (code >= 300 && code < 400 && location) {
      const next = new URL(location, at);
      // Upstream warns and counts a redirect to another host as a success.
      if (next.hostname !== url.hostname) return { outcome: "success", output: body };
      at = next;
      continue;
    }
    if (code >= 200 && code < 400) return { outcome: "success", output: body };
    return { outcome: "failure", output: `HTTP probe failed with statuscode: ${code}` };
  }
  return { outcome: "failure", output: `Get "${at}": stopped after ${REDIRECTS_MAX} redirects` };
}

type HttpAnswer = { code: number; location: string | undefined; body: string } | { failed: string };

function get(url: URL, headers: Record<string, string>, timeoutMilliseconds: number): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    const options = { headers, agent: false, rejectUnauthorized: false } as const;
    const ask = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, options);
    const timer = setTimeout(() => {
      resolve({ failed: "context deadline exceeded (Client.Timeout exceeded while awaiting headers)" });
      ask.destroy();
    }, timeoutMilliseconds);
    ask.on("error", (error) => {
      clearTimeout(timer);
      resolve({ failed: dialError(error, url.hostname, Number(url.port)) });
    });
    ask.on("response", (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = () => {
        clearTimeout(timer);
        resolve({
          code: answer.statusCode ?? 0,
          location: answer.headers.location,
          body: Buffer.concat(chunks).subarray(0, BODY_BYTES_MAX).toString(),
        });
        ask.destroy();
      };
      answer.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= BODY_BYTES_MAX) finish();
      });
      answer.on("end", finish);
    });
    ask.end();
  });
}

async function probeTcp(host: string, port: number, timeoutSeconds: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (result: ProbeResult) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutSeconds * 1000, () =>
      finish({ outcome: "failure", output: `dial tcp ${host}:${port}: i/o timeout` }),
    );
    socket.on("connect", () => finish({ outcome: "success", output: "" }));
    socket.on("error", (error) => finish({ outcome: "failure", output: dialError(error, host, port) }));
  });
}

const DIAL_ERRORS: Record<string, string> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
};

/** Go's words for what Node says in its own. */
function dialError(error: NodeJS.ErrnoException, host: string, port: number): string {
  const known = DIAL_ERRORS[error.code ?? ""];
  if (known) return `dial tcp ${host}:${port}: ${known}`;
  if (error.code === "ECONNRESET") return "EOF";
  return error.message;
}
