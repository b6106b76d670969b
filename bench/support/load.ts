import { HttpClient } from "./http-client.ts";

export interface Load {
  /** Requests answered a second. */
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

export interface Server {
  url: string;
  token: string;
  ca: string;
}

/** A request of client `client`, its `index`-th. */
export type MakeRequest = (client: number, index: number) => { method: string; path: string; body?: string };

/** Drives `clients` connections as fast as they are answered, for `seconds`. Throws on the first answer that is not 2xx. */
export async function drive(server: Server, clients: number, seconds: number, make: MakeRequest): Promise<Load> {
  const connections = await Promise.all(
    Array.from({ length: clients }, () => HttpClient.open(server.url, server.token, server.ca)),
  );
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    connections.map(async (connection, client) => {
      for (let index = 0; performance.now() < end; index++) {
        const { method, path, body } = make(client, index);
        const sent = performance.now();
        const answer = await connection.request(method, path, body);
        latencies.push(performance.now() - sent);
        if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
      }
    }),
  );
  const elapsed = (performance.now() - start) / 1000;
  for (const connection of connections) connection.close();
  latencies.sort((a, b) => a - b);
  return { perSecond: latencies.length / elapsed, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

/** Of sorted numbers. */
export const percentile = (sorted: number[], fraction: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
