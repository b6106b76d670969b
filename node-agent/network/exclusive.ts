import { createServer } from "node:net";

/** An abstract Unix socket: one for each network namespace, and gone with the process that holds it. */
const NAME = "\0coxswain-network";

/**
 * Makes this process the one that manages the network namespace it is in; throws where another one does. Two would
 * take each other's rules for stale ones.
 */
export async function holdNetworkNamespace(): Promise<{ release(): Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new Error(
              "another node-agent manages this machine's network: stop it, or give this node a network namespace",
            )
          : error,
      );
    });
    server.listen({ path: NAME, exclusive: true }, resolve);
  });
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}
