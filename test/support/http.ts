import { request } from "node:https";

export interface HttpAnswer {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
  text: string;
  /** The text parsed, where it is JSON. */
  body: any;
}

/** A request with exactly these headers and bytes: for what a proper client would never send. */
export async function ask(
  server: { url: string; caCertificate: string },
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<HttpAnswer> {
  return await new Promise((resolve, reject) => {
    const asked = request(
      `${server.url}${path}`,
      { method, ca: server.caCertificate, agent: false, headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString("utf8");
          resolve({ code: answer.statusCode ?? 0, headers: answer.headers, bytes, text, body: parsed(text) });
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
