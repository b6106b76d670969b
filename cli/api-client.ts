import { request } from "node:https";

const ANSWER_BYTES_MAX = 32 << 20;
const TIMEOUT_MILLISECONDS = 10_000;

/** How to reach a cluster's API as its admin. */
export interface ApiClient {
  url: string;
  token: string;
  /** PEM. */
  caCertificate: string;
}

export interface ApiAnswer {
  code: number;
  /** The JSON object; of an answer that is none, its text. */
  body: any;
}

/** One request. Rejects where nobody answers in time. */
export function callApi(client: ApiClient, method: string, path: string, body?: unknown): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, client.url),
      {
        method,
        ca: client.caCertificate,
        agent: false,
        timeout: TIMEOUT_MILLISECONDS,
        headers: {
          accept: "application/json",
          authorization: `Bearer ${client.token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > ANSWER_BYTES_MAX)
            outgoing.destroy(new Error(`${path}: an answer of more than ${ANSWER_BYTES_MAX} bytes`));
          else chunks.push(chunk);
        });
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({ code: incoming.statusCode!, body: parse(Buffer.concat(chunks).toString()) }),
        );
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${path}: no answer in ${TIMEOUT_MILLISECONDS} ms`)));
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Whether the control plane says that it is ready. */
export async function isReady(client: ApiClient): Promise<boolean> {
  try {
    return (await callApi(client, "GET", "/readyz")).code === 200;
  } catch {
    return false; // Not listening yet.
  }
}

function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
