import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { base64url, SignJWT } from "jose";
import { Cox } from "../test/support/cox.ts";
import type { Row } from "./row.ts";
import { delay, round } from "./row.ts";
import { HttpClient } from "./support/http-client.ts";
import { driveFor, type Load, type Server, sendAll } from "./support/load.ts";

const OBJECTS = 2000;
/** Connections of the one who floods: each has a list under way all the time. */
const FLOOD = 64;
const SECONDS = 5;
const PATH = "/api/v1/namespaces/default/endpoints";

/** `npm run bench -- limits`: the reads of one user, alone and while another floods the same namespace with lists. */
export default async function bench(): Promise<Row[]> {
  const cox = await Cox.up("--nodes", "0");
  try {
    const server = await cox.credentials();
    const key = (await readFile(join(cox.home, "control-plane", "signing.key"), "utf8")).trim();
    await sendAll(server, 16, objects());
    const [loud, quiet] = await Promise.all(["loud", "quiet"].map((name) => tokenOf(key, name)));
    const alone = await reads(server, quiet!);
    let isOver = false;
    const flood = await Promise.all(Array.from({ length: FLOOD }, () => HttpClient.open(server.url, loud!, server.ca)));
    const flooding = flood.map(async (connection) => {
      while (!isOver) await connection.request("GET", `${PATH}?labelSelector=not=there`);
    });
    const flooded = await reads(server, quiet!);
    isOver = true;
    await Promise.all(flooding);
    for (const connection of flood) connection.close();
    return [
      { name: "gets of one user, alone, p50", value: round(alone.p50), unit: "ms" },
      { name: `gets of one user, ${FLOOD} lists of another under way, p50`, value: round(flooded.p50), unit: "ms" },
      // A list of so many takes the thread for some 10 ms; without limits it would be all that are under way.
      delay(`gets of one user, ${FLOOD} lists of another under way, p99`, flooded.p99, "ms", 200),
    ];
  } finally {
    await cox.destroy();
  }
}

function* objects() {
  for (let i = 0; i < OBJECTS; i++) {
    const body = JSON.stringify({ apiVersion: "v1", kind: "Endpoints", metadata: { name: `e-${i}` } });
    yield { method: "POST", path: PATH, body };
  }
}

/** Of a node: whom nobody else has allowed anything may read endpoints. */
const tokenOf = async (key: string, node: string): Promise<string> =>
  await new SignJWT({ cluster: "default", groups: ["system:nodes"] })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer("coxswain")
    .setSubject(`system:node:${node}`)
    .setExpirationTime("1h")
    .sign(base64url.decode(key));

async function reads({ url, ca }: Server, token: string): Promise<Load> {
  const client = await HttpClient.open(url, token, ca);
  const load = await driveFor(1, SECONDS, async () => {
    const { status } = await client.request("GET", `${PATH}/e-0`);
    if (status !== 200) throw new Error(`a read was answered ${status}`);
  });
  client.close();
  return load;
}
