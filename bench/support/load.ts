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
export type MakeRequest = (
  client: number,
  index: number,
) => { method: string; path: string; body?: string; contentType?: string };

/** Drives `clients` connections as fast as they are answered, for `seconds`. Throws on the first answer that is not 2xx. */
export async function drive(server: Server, clients: number, seconds: number, make: MakeRequest): Promise<Load> {
  const connections = await openClients(server, clients);
  const load = await driveFor(clients, seconds, (client, index) => ask(connections[client]!, make(client, index)));
  for (const connection of connections) connection.close();
  return load;
}

/** Sends these requests as fast as they are answered, over `clients` connections, or each when its time has come. */
export async function sendAll(
  server: Server,
  clients: number,
  requests: Iterable<ReturnType<MakeRequest>>,
  untilDue?: (index: number) => Promise<void>,
): Promise<void> {
  const connections = await openClients(server, clients);
  // One iterator for all: each takes the next that is left.
  const left = requests[Symbol.iterator]();
  let index = 0;
  await Promise.all(
    connections.map(async (connection) => {
      for (;;) {
        await untilDue?.(index++);
        const next = left.next();
        if (next.done) return;
        await ask(connection, next.value);
      }
    }),
  );
  for (const connection of connections) connection.close();
}

/** Has `clients` do something as often as they can, one thing after the other each, for `seconds`. */
export async function driveFor(
  clients: number,
  seconds: number,
  work: (client: number, index: number) => Promise<void>,
): Promise<Load> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let index = 0; performance.now() < end; index++) {
        const sent = performance.now();
        await work(client, index);
        latencies.push(performance.now() - sent);
      }
    }),
  );
  const elapsed = (performance.now() - start) / 1000;
  latencies.sort((a, b) => a - b);
  return { perSecond: latencies.length / elapsed, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

const openClients = ({ url, token, ca }: Server, clients: number): Promise<HttpClient[]> =>
  Promise.all(Array.from({ length: clients }, () => HttpClient.open(url, token, ca)));

async function ask(
  connection: HttpClient,
  { method, path, body, contentType }: ReturnType<MakeRequest>,
): Promise<void> {
  const answer = await connection.request(method, path, body, contentType);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
}

/** Of sorted numbers. */
export const percentile = (sorted: number[], fraction: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
