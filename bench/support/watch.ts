import { request } from "node:https";
import type { Server } from "./load.ts";

export interface WatchEvent {
  type: string;
  object: any;
}

/** Opens a watch and tells each event as it arrives; resolves once the server has answered. */
export async function openWatch(
  server: Server,
  path: string,
  onEvent: (event: WatchEvent) => void,
): Promise<{ close(): void }> {
  const asked = request(`${server.url}${path}`, {
    ca: server.ca,
    agent: false,
    headers: { authorization: `Bearer ${server.token}` },
  });
  let rest = "";
  await new Promise<void>((resolve, reject) => {
    asked.once("error", reject);
    asked.once("response", (response) => {
      if (response.statusCode !== 200) reject(new Error(`watch ${path}: ${response.statusCode}`));
      response.setEncoding("utf8");
      response.on("error", () => {}); // The close below.
      response.on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        for (const line of lines) onEvent(JSON.parse(line) as WatchEvent);
      });
      resolve();
    });
    asked.end();
  });
  asked.on("error", () => {});
  return { close: () => asked.destroy() };
}
