import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Readable } from "node:stream";

const ANSWER_BYTES_MAX = 32 << 20;
const TIMEOUT_MILLISECONDS = 10_000;

/** How to reach a cluster's API as its admin. */
export interface ApiClient {
  /** Without a slash at its end; paths are appended to it (`https://127.0.0.1:6443/clusters/blue`). */
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

export interface ApiRequestOptions {
  accept?: string;
  contentType?: string;
  /** How long nothing may be sent and nothing received. */
  timeoutMilliseconds?: number;
  /** Aborts the request, and the answer that is being read. */
  signal?: AbortSignal;
}

/** One request. Rejects where nobody answers in time. */
export async function callApi(
  client: ApiClient,
  method: string,
  path: string,
  body?: unknown,
  options: ApiRequestOptions = {},
): Promise<ApiAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return await readAnswer(await openApi(client, method, path, text, options));
}

/**
 * One request whose answer is read by the caller, and whose body may be a stream: resolves once the answer begins. What is not sent
 * of the body by then is never sent. Rejects where nobody answers in time; an answer that breaks off is an error of the stream.
 */
export function openApi(
  client: ApiClient,
  method: string,
  path: string,
  body: string | Readable | undefined,
  options: ApiRequestOptions = {},
): Promise<IncomingMessage> {
  const { timeoutMilliseconds = TIMEOUT_MILLISECONDS } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(client.url + path, {
      method,
      ca: client.caCertificate,
      agent: false,
      timeout: timeoutMilliseconds,
      signal: options.signal,
      headers: {
        accept: options.accept ?? "application/json",
        authorization: `Bearer ${client.token}`,
        ...(body === undefined ? {} : { "content-type": options.contentType ?? "application/json" }),
      },
    });
    let incoming: IncomingMessage | undefined;
    outgoing.on("response", (answer) => {
      incoming = answer;
      if (typeof body === "object") {
        body.unpipe(outgoing);
        body.destroy();
      }
      resolve(answer);
    });
    outgoing.on("timeout", () =>
      (incoming ?? outgoing).destroy(new Error(`${path}: no answer in ${timeoutMilliseconds} ms`)),
    );
    outgoing.on("error", (error) => {
      if (typeof body === "object") body.destroy();
      reject(error);
    });
    if (typeof body === "object") {
      body.on("error", (error) => outgoing.destroy(error));
      body.pipe(outgoing);
    } else {
      outgoing.end(body);
    }
  });
}

/** The whole of an answer. */
export async function readAnswer(incoming: IncomingMessage): Promise<ApiAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return { code: incoming.statusCode!, body: parse(Buffer.concat(chunks).toString()) };
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
