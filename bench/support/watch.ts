import { request } from "node:https";
import type { Server } from "./load.ts";

export interface WatchEvent {
  type: string;
  object: any;
}

export interface Watch {
  close(): void;
  /** Resolves when the connection has ended, whoever ended it. */
  ended: Promise<void>;
}

/** Opens a watch and tells each event as it arrives; resolves once the server has answered. */
export async function openWatch(server: Server, path: string, onEvent: (event: WatchEvent) => void): Promise<Watch> {
  return await openWatchText(server, path, (text) => {
    for (const line of text.split("\n")) if (line !== "") onEvent(JSON.parse(line) as WatchEvent);
  });
}

/** Opens a watch and tells its lines as they arrive, one or more at a time, each whole. */
export async function openWatchText(server: Server, path: string, onLines: (text: string) => void): Promise<Watch> {
  let onEnd: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    onEnd = resolve;
  });
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
      response.on("error", () => {}); // The end below.
      response.once("close", onEnd);
      response.on("data", (chunk: string) => {
        const text = rest + chunk;
        const end = text.lastIndexOf("\n") + 1;
        rest = text.slice(end);
        if (end > 0) onLines(text.slice(0, end));
      });
      resolve();
    });
    asked.end();
  });
  asked.on("error", () => {});
  return { close: () => asked.destroy(), ended };
}
