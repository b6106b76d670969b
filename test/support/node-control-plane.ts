import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { type MessageToAgent, messageFromAgent, PING, PONG, type StreamRequest } from "../../api/node-link.ts";
import type { KubeObject } from "../../api/object.ts";

/** The other side of the link, for tests of the agent alone: hands out pods, keeps what the agent says. */
export interface TestControlPlane {
  url: string;
  /** Statuses by pod uid, the newest. */
  statuses: Map<string, Record<string, any>>;
  /** Every status in its order. */
  history: { uid: string; status: Record<string, any>; at: number }[];
  events: Map<string, KubeObject>;
  gone: Set<string>;
  nodes: Map<string, KubeObject>;
  /** By `resource/namespace/name`. */
  objects: Map<string, KubeObject>;
  setPod(pod: KubeObject): void;
  removePod(uid: string): void;
  /** Breaks the link; the agent may come back, or not before `accept(true)`. */
  drop(): void;
  accept(accepting: boolean): void;
  /** Opens a stream on the agent, and hands over its socket once it is there. */
  stream(request: StreamRequest): Promise<WebSocket>;
  /** Resolves when `check` is true of what was said; rejects after a while. */
  until(check: () => boolean, seconds?: number): Promise<void>;
  close(): Promise<void>;
}

const LOOK_MILLISECONDS = 5;

export async function testControlPlane(): Promise<TestControlPlane> {
  const http: Server = createServer((_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ token: "node-token", cluster: "default" }));
  });
  const sockets = new WebSocketServer({ server: http });
  const pods = new Map<string, KubeObject>();
  const waiting = new Map<string, (socket: WebSocket) => void>();
  let agent: WebSocket | undefined;
  let accepting = true;
  let streams = 0;
  const tell = (message: MessageToAgent) => agent?.send(JSON.stringify(message));
  const plane: TestControlPlane = {
    url: "",
    statuses: new Map(),
    history: [],
    events: new Map(),
    gone: new Set(),
    nodes: new Map(),
    objects: new Map(),
    setPod(pod) {
      const type = pods.has(pod.metadata.uid!) ? "MODIFIED" : "ADDED";
      pods.set(pod.metadata.uid!, pod);
      tell({ type: "watch", resource: "pods", events: [{ type, object: pod }] });
    },
    removePod(uid) {
      const pod = pods.get(uid);
      pods.delete(uid);
      if (pod) tell({ type: "watch", resource: "pods", events: [{ type: "DELETED", object: pod }] });
    },
    drop: () => agent?.terminate(),
    accept(value) {
      accepting = value;
    },
    stream(request) {
      const id = `s${++streams}`;
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        tell({ type: "open", stream: id, request });
      });
    },
    async until(check, seconds = 20) {
      const end = Date.now() + seconds * 1000;
      while (!check()) {
        if (Date.now() > end)
          throw new Error(`not so after ${seconds} s; statuses: ${JSON.stringify([...plane.statuses.values()])}`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
      }
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };

  const answer = (request: any): { code: number; body: Record<string, unknown> } => {
    switch (request.do) {
      case "register-node":
        plane.nodes.set(request.node.metadata.name, request.node);
        return { code: 200, body: request.node };
      case "node-status":
        return { code: 200, body: {} };
      case "pod-statuses":
        for (const { uid, status } of request.pods) {
          plane.statuses.set(uid, status);
          plane.history.push({ uid, status, at: performance.now() });
        }
        return { code: 200, body: { results: Object.fromEntries(request.pods.map(({ uid }: any) => [uid, 200])) } };
      case "pods-gone":
        for (const { uid } of request.pods) {
          plane.gone.add(uid);
          plane.removePod(uid);
        }
        return { code: 200, body: { results: Object.fromEntries(request.pods.map(({ uid }: any) => [uid, 200])) } };
      case "events":
        for (const event of request.events) plane.events.set(event.metadata.name, event);
        return { code: 200, body: {} };
      default: {
        const object = plane.objects.get(`${request.resource}/${request.namespace}/${request.name}`);
        return object ? { code: 200, body: object } : { code: 404, body: {} };
      }
    }
  };

  sockets.on("connection", (socket, request) => {
    const stream = /\/node-link\/streams\/(.+)$/.exec(request.url ?? "")?.[1];
    if (stream) return waiting.get(stream)?.(socket);
    if (!accepting) return socket.terminate();
    agent = socket;
    socket.on("message", (data) => {
      const text = data.toString();
      if (text === PING) return socket.send(PONG);
      const message = messageFromAgent.parse(JSON.parse(text));
      socket.send(JSON.stringify({ type: "answer", id: message.id, ...answer(message.request) }));
    });
    const events = [...pods.values()].map((object) => ({ type: "ADDED" as const, object }));
    tell({ type: "watch", resource: "pods", reset: true, synced: true, events });
    for (const resource of ["services", "endpointslices.discovery.k8s.io", "nodes"] as const) {
      tell({ type: "watch", resource, reset: true, synced: true, events: [] });
    }
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  plane.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return plane;
}
