import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { request as requestPlain } from "node:http";
import { request } from "node:https";
import { dirname } from "node:path";
import { joinAnswer } from "../../api/node-link.ts";

const JOIN_SECONDS = 30;
const ANSWER_BYTES_MAX = 64 * 1024;

export interface JoinOptions {
  server: string;
  nodeName: string;
  bootstrapToken: string;
  ca?: string;
}

/** Trades a bootstrap token for the node's own credential. Rejects with what the server says where it refuses. */
export async function join(options: JoinOptions): Promise<string> {
  const url = new URL(`${options.server.replace(/\/$/, "")}/node-join`);
  const body = JSON.stringify({ nodeName: options.nodeName });
  const { code, text } = await post(url, body, options);
  if (code !== 200 && code !== 201) {
    const message = parse(text)?.["message"];
    throw new Error(
      `the server refused to let this node join (${code}): ${typeof message === "string" ? message : "no reason given"}`,
    );
  }
  return joinAnswer.parse(JSON.parse(text)).token;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function post(url: URL, body: string, { bootstrapToken, ca }: JoinOptions): Promise<{ code: number; text: string }> {
  const headers = {
    Authorization: `Bearer ${bootstrapToken}`,
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  };
  const options = { method: "POST", headers, timeout: JOIN_SECONDS * 1000, ...(ca !== undefined && { ca }) };
  return new Promise((resolve, reject) => {
    const ask = (url.protocol === "https:" ? request : requestPlain)(url, options, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES_MAX) answer.destroy(new Error("the server's answer is too long"));
      });
      answer.on("error", reject);
      answer.on("end", () => resolve({ code: answer.statusCode ?? 0, text }));
    });
    ask.on("timeout", () => ask.destroy(new Error("the server did not answer in time")));
    ask.on("error", reject);
    ask.end(body);
  });
}

/** The credential kept from an earlier join. */
export const readCredential = async (file: string): Promise<string | undefined> =>
  (await readFile(file, "utf8").catch(() => undefined))?.trim() || undefined;

export async function saveCredential(file: string, token: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.new`;
  await writeFile(next, `${token}\n`, { mode: 0o600 });
  await chmod(next, 0o600);
  await rename(next, file);
}
