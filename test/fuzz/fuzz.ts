import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestCluster } from "../support/control-plane.ts";
import { endpointsOf } from "./endpoints.ts";
import { type FuzzRequest, RequestMaker } from "./make-request.ts";
import { Random } from "./random.ts";

/** An answer begins and ends within this, or the request hangs. A watch is left once it has begun. */
const HANG_MILLISECONDS = 20_000;
const PARALLEL = 4;
/** So much more memory than after the first third of the time is growth. */
const GROWTH_BYTES_MAX = 512 << 20;
const FINDINGS_MAX = 20;
/** Webhooks and policies that were stored refuse everything else: they are removed again after so many requests. */
const REQUESTS_BETWEEN_CLEANINGS = 150;
const ADMISSION = ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"].concat(
  ["validatingadmissionpolicybindings", "mutatingadmissionpolicybindings", "validatingadmissionpolicies"],
  ["mutatingadmissionpolicies"],
);
/** What upstream answers with these codes, too: not implemented, nobody there, too late. */
const HONEST = new Set([501, 503, 504]);
/** 500 with these words is what upstream answers, too: somebody else fails, or its storage or its merging refuses. */
const UPSTREAMS_OWN = [
  /failed calling webhook|conversion webhook for|error dialing/,
  /unknown patch type: .* in map/s,
  /failed to (create typed|convert) (patch|live|new) object/,
  /resourceVersion should not be set on objects to be created/,
];

export interface Finding {
  what: string;
  /** The smallest request that was found to show it. */
  request: string;
  /** Whether that request alone shows it again. */
  isRepeatable: boolean;
}

export interface FuzzResult {
  requests: number;
  /** How many answers had which code. */
  codes: Record<string, number>;
  findings: Finding[];
  memory: { early: number; late: number };
}

interface Outcome {
  code: number | undefined;
  bytes: Buffer;
  /** Why there is no whole answer. */
  lost: string | undefined;
}

/**
 * Sends requests that the seed decides until the time is over, or too much was found. What is sent depends on what was answered
 * before, too: the same seed begins the same, and goes on alike.
 */
export async function fuzz(
  cluster: TestCluster,
  options: { seed: number; milliseconds: number; onFinding?: (finding: Finding) => void },
): Promise<FuzzResult> {
  const endpoints = await endpointsOf(cluster);
  for (const name of ["fuzz", "other"])
    await cluster.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const maker = new RequestMaker(new Random(options.seed), endpoints);
  const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL * 2 });
  const codes: Record<string, number> = {};
  const found = new Map<string, Finding>();
  const start = Date.now();
  const { pid } = cluster;
  let requests = 0;
  let early = 0;

  const clean = async () => {
    for (const resource of ADMISSION) await cluster.call("DELETE", `/apis/admissionregistration.k8s.io/v1/${resource}`);
  };
  const one = async () => {
    const asked = maker.next();
    const outcome = await send(cluster, agent, asked);
    const key = String(outcome.code ?? outcome.lost);
    codes[key] = (codes[key] ?? 0) + 1;
    if (outcome.code !== undefined && outcome.code < 300) maker.learn(asked, outcome.bytes);
    const what = wrongWith(outcome);
    if (what === undefined) return;
    const kind = `${kindOf(what)} ${asked.method}`;
    if (found.has(kind) || found.size >= FINDINGS_MAX) return;
    found.set(kind, { what, request: "", isRepeatable: false });
    const finding = await smallest(cluster, agent, asked, what);
    found.set(kind, finding);
    options.onFinding?.(finding);
  };
  const worker = async () => {
    while (Date.now() - start < options.milliseconds && found.size < FINDINGS_MAX) {
      await one();
      requests++;
      if (requests % REQUESTS_BETWEEN_CLEANINGS === 0) await clean();
      if (early === 0 && Date.now() - start > options.milliseconds / 3) early = memoryOf(cluster);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  agent.destroy();
  const late = memoryOf(cluster);
  const findings = [...found.values()];
  if (cluster.pid !== pid) findings.push({ what: "workerd has died", request: "", isRepeatable: false });
  if (late - early > GROWTH_BYTES_MAX)
    findings.push({ what: `memory has grown from ${early} to ${late} bytes`, request: "", isRepeatable: false });
  return { requests, codes, findings, memory: { early, late } };
}

function wrongWith({ code, bytes, lost }: Outcome): string | undefined {
  if (lost !== undefined) return lost;
  if (code === undefined || code < 500 || HONEST.has(code)) return undefined;
  const text = bytes.toString("utf8");
  return UPSTREAMS_OWN.some((own) => own.test(text)) ? undefined : `${code}: ${text.slice(0, 300)}`;
}

/** What is wrong, but for names and numbers: the same thing is told once. */
const kindOf = (what: string): string =>
  what.slice(0, 4) +
  what
    .slice(4)
    .replace(/"[^"]*"|\(.*?\)|\W|\d/g, "")
    .slice(0, 80);

async function send(cluster: TestCluster, agent: Agent | undefined, asked: FuzzRequest): Promise<Outcome> {
  const query = new URLSearchParams(asked.query).toString();
  const path = `${asked.path}${query && "?"}${query}`;
  // A watch without an end is left once it has begun.
  const isWatch = asked.query.some(([name]) => name === "watch" || name === "follow");
  return await new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let code: number | undefined;
    const done = (lost?: string) => {
      clearTimeout(late);
      resolve({ code, bytes: Buffer.concat(chunks), lost });
      outgoing.destroy();
    };
    const late = setTimeout(() => done("no answer"), HANG_MILLISECONDS);
    const outgoing = request(cluster.url + path, {
      method: asked.method,
      ca: cluster.caCertificate,
      agent: agent ?? false,
      headers: { authorization: `Bearer ${cluster.token}`, ...asked.headers },
    });
    outgoing.on("response", (answer) => {
      code = answer.statusCode;
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", (error) => done(`the answer breaks off: ${error.message}`));
      answer.on("end", () => {
        clearTimeout(late);
        resolve({ code, bytes: Buffer.concat(chunks), lost: undefined });
      });
      if (isWatch && code === 200) done();
    });
    outgoing.on("upgrade", (answer, socket) => {
      code = answer.statusCode;
      socket.destroy();
      done();
    });
    outgoing.on("error", (error) => {
      // An idle connection may be closed at any time: who finds it so asks again, as every client does.
      if (outgoing.reusedSocket && agent && code === undefined) {
        clearTimeout(late);
        resolve(send(cluster, undefined, asked));
      } else done(`the connection breaks: ${error.message}`);
    });
    outgoing.end(asked.body);
  });
}

/** How often a request is made smaller at most. */
const SHRINK_STEPS_MAX = 120;

/** Leaves out whatever does not matter: parts of the query, headers, fields of the body. */
async function smallest(cluster: TestCluster, agent: Agent, asked: FuzzRequest, what: string): Promise<Finding> {
  const shows = async (smaller: FuzzRequest) =>
    kindOf(wrongWith(await send(cluster, agent, smaller)) ?? "") === kindOf(what);
  await sleep(100); // What another request has broken for a moment is not this one's.
  if (!(await shows(asked))) return { what, request: describeRequest(asked), isRepeatable: false };
  let best = asked;
  let steps = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const smaller of smallerThan(best)) {
      if (++steps > SHRINK_STEPS_MAX) break;
      if (!(await shows(smaller))) continue;
      best = smaller;
      isSmaller = true;
      break;
    }
  }
  return { what, request: describeRequest(best), isRepeatable: true };
}

function* smallerThan(asked: FuzzRequest): Generator<FuzzRequest> {
  for (const [i] of asked.query.entries()) yield { ...asked, query: asked.query.toSpliced(i, 1) };
  for (const name of Object.keys(asked.headers)) {
    const { [name]: _, ...headers } = asked.headers;
    yield { ...asked, headers };
  }
  if (!asked.body) return;
  yield { ...asked, body: undefined };
  let value: unknown;
  try {
    value = JSON.parse(asked.body.toString("utf8"));
  } catch {
    return;
  }
  for (const smaller of smallerValues(value)) yield { ...asked, body: Buffer.from(JSON.stringify(smaller)) };
}

/** The same value without one of its parts, the largest parts first. */
function* smallerValues(value: unknown): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  const keys = Object.keys(value);
  const without = (key: string) =>
    Array.isArray(value)
      ? value.toSpliced(Number(key), 1)
      : Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  for (const key of keys) yield without(key);
  for (const key of keys)
    for (const inner of smallerValues((value as Record<string, unknown>)[key]))
      yield Array.isArray(value) ? value.with(Number(key), inner) : { ...value, [key]: inner };
}

function describeRequest({ method, path, query, headers, body }: FuzzRequest): string {
  const text = body?.toString("utf8") ?? "";
  const isText = body === undefined || Buffer.from(text).equals(body);
  const said = isText ? text : `base64:${body.toString("base64")}`;
  const asked = new URLSearchParams(query).toString();
  return `${method} ${path}${asked && "?"}${asked}\n${JSON.stringify(headers)}\n${said.slice(0, 4_000)}`;
}

/** Bytes that workerd has in memory; 0 where it is not running. */
function memoryOf(cluster: TestCluster): number {
  const { pid } = cluster;
  if (pid === undefined) return 0;
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}
