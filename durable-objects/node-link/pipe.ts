/** What may wait for a reader that is slower than its container writes; beyond it the stream ends. */
const UNREAD_BYTES_MAX = 8 << 20;

/** Subprotocols of remote commands that are served, the better first; both carry the same frames (KEP-4006). */
export const CHANNEL_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/** The frames of an agent's log stream as an HTTP body. */
export function streamLog(socket: WebSocket, follow: boolean): Response {
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let open = true;
        const end = () => {
          if (open) controller.close();
          open = false;
        };
        socket.addEventListener("message", ({ data }) => {
          if (!open || typeof data === "string") return;
          controller.enqueue(new Uint8Array(data as ArrayBuffer));
          if ((controller.desiredSize ?? 0) < -UNREAD_BYTES_MAX) {
            socket.close(1013, "the reader is too slow");
            end();
          }
        });
        socket.addEventListener("close", () => {
          socket.close(1000);
          end();
        });
        socket.addEventListener("error", end);
      },
      cancel() {
        socket.close(1000, "the reader is gone");
      },
    },
    { highWaterMark: 0, size: (chunk) => chunk?.byteLength ?? 0 },
  );
  return new Response(body, {
    headers: {
      "content-type": "text/plain",
      // Proxies that gzip would hold back lines until their buffer is full.
      ...(follow && { "content-encoding": "identity", "cache-control": "no-cache, private, no-transform" }),
    },
  });
}

/** Joins the client's WebSocket with the agent's: frames are the same on both. `protocol`: the subprotocol that the client is told. */
export function bridge(agent: WebSocket, protocol?: string): Response {
  const { 0: theirs, 1: client } = new WebSocketPair();
  client.binaryType = "arraybuffer";
  client.accept();
  forward(client, agent);
  forward(agent, client);
  return new Response(null, {
    status: 101,
    webSocket: theirs,
    headers: protocol ? { "sec-websocket-protocol": protocol } : {},
  });
}

function forward(from: WebSocket, to: WebSocket): void {
  from.addEventListener("message", ({ data }) => {
    if (to.readyState === WebSocket.OPEN) to.send(data as string | ArrayBuffer);
  });
  const close = () => {
    for (const socket of [from, to]) if (socket.readyState === WebSocket.OPEN) socket.close(1000);
  };
  from.addEventListener("close", close);
  from.addEventListener("error", close);
}
