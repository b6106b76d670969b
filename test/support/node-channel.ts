import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Channel } from "../../durable-objects/tls/channel.ts";

/** A TCP connection from this process, as a home has one from its platform. */
export async function dialFromNode({ hostname, port }: { hostname: string; port: number }): Promise<Channel> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const made = connect({ host: hostname, port }, () => resolve(made));
    made.once("error", reject);
  });
  socket.on("error", () => undefined); // Told by the streams.
  const { readable, writable } = Duplex.toWeb(socket) as unknown as Channel;
  return {
    readable,
    writable,
    close: async () => {
      socket.destroy();
    },
  };
}
