import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import type { ProbeResult } from "./probe-result.ts";

/** grpc.health.v1.Health/Check: a request of one string field (1), an answer of one enum field (1). */
const METHOD = "/grpc.health.v1.Health/Check";
const SERVING = 1;

export function probeGrpc(ip: string, port: number, service: string, timeoutSeconds: number): Promise<ProbeResult> {
  const authority = `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
  const client = new Client(authority, credentials.createInsecure());
  return new Promise((resolve) => {
    const finish = (result: ProbeResult) => {
      client.close();
      resolve(result);
    };
    client.makeUnaryRequest(
      METHOD,
      (name: string) => encodeString(name),
      (answer: Buffer) => (answer[0] === 0x08 ? (answer[1] ?? 0) : 0),
      service,
      { deadline: Date.now() + timeoutSeconds * 1000 },
      (error: ServiceError | null, serving?: number) => {
        if (error) finish({ outcome: "failure", output: describe(error, authority, timeoutSeconds) });
        else if (serving === SERVING) finish({ outcome: "success", output: "service healthy" });
        else finish({ outcome: "failure", output: 'service unhealthy (responded with "NOT_SERVING")' });
      },
    );
  });
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length === 0) return Buffer.alloc(0);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), bytes]);
}

function describe(error: ServiceError, authority: string, timeoutSeconds: number): string {
  if (error.code === status.DEADLINE_EXCEEDED || error.code === status.UNAVAILABLE) {
    return `timeout: failed to connect service "${authority}" within ${timeoutSeconds}s: ${error.details}`;
  }
  if (error.code === status.UNIMPLEMENTED)
    return "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)";
  return `error: health rpc probe failed: ${error.details}`;
}
