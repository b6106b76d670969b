import WebSocket from "ws";
import type { StreamRequest } from "../../api/node-link.ts";
import { ApiError, badRequest, internalError } from "../../api/status.ts";
import { CHANNEL, type Channel, type RemoteStreams } from "../runtime/runtime.ts";
import { readLog } from "./read-log.ts";
import { serveTunnel } from "./serve-tunnel.ts";
import type { StreamServer } from "./stream-server.ts";

/** `255 <channel>` closes a channel (v5.channel.k8s.io). */
const CLOSE_CHANNEL = 255;
/** More than this waiting in the socket: the process's output waits too. */
const BUFFERED_BYTES_MAX = 1 << 20;
const NORMAL = 1000;

/** Serves one stream that the control plane asked for, over the socket dialled for it. */
export function serveStream(server: StreamServer, request: StreamRequest, socket: WebSocket): void {
  socket.on("error", (error) => server.log.debug({ error: error.message }, "a stream failed"));
  socket.on("open", () => {
    const serving = serve(server, request, socket);
    serving.catch((error: Error) => {
      if (!(error instanceof ApiError)) server.log.debug({ error: error.message }, "a stream could not be served");
      if (request.kind === "exec" || request.kind === "attach") refuseExec(socket, error);
      else {
        const answer = error instanceof ApiError ? error : new ApiError("InternalError", error.message);
        socket.send(JSON.stringify(answer.toStatus()));
      }
      socket.close(NORMAL);
    });
  });
}

async function serve(server: StreamServer, request: StreamRequest, socket: WebSocket): Promise<void> {
  switch (request.kind) {
    case "log":
      return await serveLog(server, request, socket);
    case "exec":
    case "attach":
      return await serveExec(server, request, socket);
    default:
      return await serveTunnel(server, request, socket);
  }
}

/** On the error channel, as kube-apiserver tells a client what the node refused: in place of an answer, kubectl tries SPDY. */
function refuseExec(socket: WebSocket, error: Error): void {
  const status = internalError(`unable to upgrade connection: ${error.message}`).toStatus();
  socket.send(JSON.stringify({ code: 200 }));
  socket.send(Buffer.concat([Buffer.from([CHANNEL.error]), Buffer.from(JSON.stringify(status))]));
}

type LogRequest = Extract<StreamRequest, { kind: "log" }>;
type ExecRequest = Extract<StreamRequest, { kind: "exec" | "attach" }>;

async function serveLog(server: StreamServer, request: LogRequest, socket: WebSocket): Promise<void> {
  const { uid } = request.pod;
  const url = logContainer(server, request);
  const id = url.split("://")[1]!;
  const status = await server.runtime.containerStatus(id);
  socket.send(JSON.stringify({ code: 200 }));
  if (!status) await sent(socket, Buffer.from(`unable to retrieve container logs for ${url}`));
  else if (status.logPath) {
    const stopped = new AbortController();
    socket.on("close", () => stopped.abort());
    const ended = () => {
      const now = server.observations.pod(uid).containers.find((container) => container.id === id);
      return now?.state !== "running";
    };
    const since = request.sinceTime ? Date.parse(request.sinceTime) : sinceSeconds(server, request);
    const text = readLog(status.logPath, {
      timestamps: request.timestamps,
      follow: request.follow,
      ...(request.tailLines !== undefined && { tailLines: request.tailLines }),
      ...(request.limitBytes !== undefined && { limitBytes: request.limitBytes }),
      ...(since !== undefined && { since }),
      ended,
      signal: stopped.signal,
    });
    for await (const piece of text) await sent(socket, piece);
  }
  socket.close(NORMAL);
}

const sinceSeconds = (server: StreamServer, { sinceSeconds: seconds }: LogRequest): number | undefined =>
  seconds === undefined ? undefined : server.now() - seconds * 1000;

/** Resolves once the bytes have left: a slow reader slows the reading of the file. */
const sent = (socket: WebSocket, piece: Buffer): Promise<void> =>
  new Promise((resolve) => {
    if (socket.readyState !== WebSocket.OPEN) resolve();
    else socket.send(piece, () => resolve());
  });

/** The container (`containerd://…`) whose log is asked for, or kubelet's words for why there is none. */
function logContainer(server: StreamServer, { pod: reference, container: name, previous }: LogRequest): string {
  knownContainer(server, reference, name);
  const status = server.containerStatus(reference.uid, name);
  const { running, terminated, waiting } = status?.state ?? {};
  const last = status?.lastState?.terminated?.containerID;
  const label = `container "${name}" in pod "${reference.name}"`;
  if (previous) {
    if (!last) throw badRequest(`previous terminated ${label} not found`);
    return last;
  }
  const id = running ? status?.containerID : terminated?.containerID || last;
  if (id) return id;
  if (terminated) throw badRequest(`${label} is terminated`);
  const reason = waiting?.reason ?? "ContainerCreating";
  throw badRequest(`${label} is waiting to start: ${PULL_FAILURES[reason] ?? reason}`);
}

const PULL_FAILURES: Record<string, string> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: "trying and failing to pull image",
};

function knownContainer(server: StreamServer, reference: { name: string; uid: string }, name: string): void {
  const pod = server.findPod(reference.uid);
  if (!pod) throw new ApiError("NotFound", `pods "${reference.name}" not found`);
  const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((container) => container.name);
  if (!names.includes(name)) throw badRequest(`container ${name} is not valid for pod ${reference.name}`);
}

async function serveExec(server: StreamServer, request: ExecRequest, socket: WebSocket): Promise<void> {
  knownContainer(server, request.pod, request.container);
  const container = server.observations
    .pod(request.pod.uid)
    .containers.find(({ name, state }) => name === request.container && state === "running");
  if (!container) throw new ApiError("NotFound", `container not found ("${request.container}")`);
  const { command, stdin, stdout, tty } = request;
  // A terminal has one output.
  const options = { stdin, stdout, stderr: request.stderr && !tty, tty };
  const streams =
    request.kind === "exec"
      ? await server.runtime.exec(container.id, { command, ...options })
      : await server.runtime.attach(container.id, options);
  socket.send(JSON.stringify({ code: 200 }));
  connect(streams, socket);
}

/** Carries frames both ways, each side no faster than the other takes them. */
export function connect(streams: RemoteStreams, socket: WebSocket): void {
  streams.onData = (channel, data) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    const frame = Buffer.concat([Buffer.from([channel]), data]);
    socket.send(frame, () => {
      if (socket.bufferedAmount <= BUFFERED_BYTES_MAX) streams.resume();
    });
    if (socket.bufferedAmount > BUFFERED_BYTES_MAX) streams.pause();
  };
  streams.onEnd = () => socket.close(NORMAL);
  streams.onDrain = () => socket.resume();
  socket.on("message", (data: Buffer, isBinary) => {
    if (!isBinary || data.length === 0) return;
    const channel = data[0]!;
    if (channel === CLOSE_CHANNEL) {
      if (data[1] === CHANNEL.stdin) streams.closeChannel(CHANNEL.stdin);
      return;
    }
    if (channel !== CHANNEL.stdin && channel !== CHANNEL.resize) return;
    if (!streams.send(channel as Channel, data.subarray(1))) socket.pause();
  });
  socket.on("close", () => streams.close());
}
