import type { Logger } from "pino";
import WebSocket from "ws";
import type { PodObject } from "../../api/kinds/pod.ts";
import type { StreamRequest } from "../../api/node-link.ts";
import { ApiError, badRequest } from "../../api/status.ts";
import type { Observations } from "../observations.ts";
import type { ObservedContainer } from "../pod-actions-view.ts";
import { CHANNEL, type Channel, type RemoteStreams, type Runtime } from "../runtime/runtime.ts";
import { readLog } from "./read-log.ts";

/** `255 <channel>` closes a channel (v5.channel.k8s.io). */
const CLOSE_CHANNEL = 255;
/** More than this waiting in the socket: the process's output waits too. */
const BUFFERED_BYTES_MAX = 1 << 20;
const NORMAL = 1000;

export interface StreamServer {
  runtime: Runtime;
  observations: Observations;
  /** Of this uid, if it is on this node. */
  findPod(uid: string): PodObject | undefined;
  /** Why a container does not run yet, as its status says. */
  waitingReason(uid: string, container: string): string | undefined;
  log: Logger;
  now(): number;
}

/** Serves one stream that the control plane asked for, over the socket dialled for it. */
export function serveStream(server: StreamServer, request: StreamRequest, socket: WebSocket): void {
  socket.on("error", (error) => server.log.debug({ error: error.message }, "a stream failed"));
  socket.on("open", () => {
    const serving = request.kind === "log" ? serveLog(server, request, socket) : serveExec(server, request, socket);
    serving.catch((error: Error) => {
      if (!(error instanceof ApiError)) server.log.debug({ error: error.message }, "a stream could not be served");
      const answer = error instanceof ApiError ? error : new ApiError("InternalError", error.message);
      socket.send(JSON.stringify(answer.toStatus()));
      socket.close(NORMAL);
    });
  });
}

type LogRequest = Extract<StreamRequest, { kind: "log" }>;
type ExecRequest = Exclude<StreamRequest, LogRequest>;

async function serveLog(server: StreamServer, request: LogRequest, socket: WebSocket): Promise<void> {
  const container = logContainer(server, request);
  const { uid } = request.pod;
  const logPath = (await server.runtime.containerStatus(container.id))?.logPath;
  socket.send(JSON.stringify({ code: 200 }));
  if (logPath) {
    const stopped = new AbortController();
    socket.on("close", () => stopped.abort());
    const ended = () => {
      const now = server.observations.pod(uid).containers.find(({ id }) => id === container.id);
      return now?.state !== "running";
    };
    const since = request.sinceTime ? Date.parse(request.sinceTime) : sinceSeconds(server, request);
    const text = readLog(logPath, {
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

/** The instance whose log is asked for, or kubelet's words for why there is none. */
function logContainer(
  server: StreamServer,
  { pod: reference, container: name, previous }: LogRequest,
): ObservedContainer {
  knownContainer(server, reference, name);
  const instances = server.observations
    .pod(reference.uid)
    .containers.filter((candidate) => candidate.name === name && candidate.state !== "created" && !candidate.lost);
  if (previous) {
    const [, before] = instances;
    const ended = instances[0]?.state === "exited" && server.waitingReason(reference.uid, name) ? instances[0] : before;
    if (!ended) throw badRequest(`previous terminated container "${name}" in pod "${reference.name}" not found`);
    return ended;
  }
  if (!instances[0]) {
    const reason = server.waitingReason(reference.uid, name) ?? "ContainerCreating";
    const pulling = reason === "ErrImagePull" || reason === "ImagePullBackOff";
    throw badRequest(
      `container "${name}" in pod "${reference.name}" is waiting to start: ${pulling ? "trying and failing to pull image" : reason}`,
    );
  }
  return instances[0];
}

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
