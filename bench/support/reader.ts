import { Agent, request } from "node:https";
import type { Server } from "./load.ts";

/** Reads answers without looking into them, over one connection that stays open. */
export class Reader {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(server: Server) {
    this.#server = server;
  }

  /** @returns the bytes of the body */
  read(path: string): Promise<number> {
    const { url, token, ca } = this.#server;
    const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
    return new Promise((resolve, reject) => {
      const asked = request(`${url}${path}`, { ca, agent: this.#agent, headers }, (answer) => {
        let bytes = 0;
        answer.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
        });
        answer.on("error", reject);
        answer.on("end", () =>
          answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`${path}: ${answer.statusCode}`)),
        );
      });
      asked.on("error", reject);
      asked.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
