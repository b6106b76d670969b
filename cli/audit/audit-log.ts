/**
 * The process that keeps the audit log's file. The control plane sends it lines over a Unix socket: workerd itself can replace files, and not add to
 * them. It loads nothing beyond Node's own modules: it lives as long as the cluster.
 */
import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { RotatingFile } from "./rotating-file.ts";

/** As kube-apiserver's --audit-log-maxsize and --audit-log-maxbackup are commonly set. */
const FILE_BYTES_MAX = 100 << 20;
const FILES_MAX = 10;
/** More than the control plane ever sends at once. */
const BODY_BYTES_MAX = 64 << 20;

const [socket, path] = process.argv.slice(2) as [string, string];
const file = new RotatingFile({ path, bytesMax: FILE_BYTES_MAX, filesMax: FILES_MAX });

const server = createServer((request, response) => {
  take(request, response).catch((error: unknown) => {
    console.error(`audit events could not be written: ${(error as Error).message}`);
    response.writeHead(500).end();
  });
});

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error("they are too many at once");
    chunks.push(chunk);
  }
  file.append(Buffer.concat(chunks));
  response.writeHead(204).end();
}

// One that was killed left its socket.
rmSync(socket, { force: true });
process.umask(0o077);
server.listen(socket);
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(name, () => {
    server.close(() => {
      file.close();
      process.exit(0);
    });
    server.closeIdleConnections();
  });
