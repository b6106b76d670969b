import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { load } from "js-yaml";
import { readPolicy } from "../../api/audit/read-policy.ts";
import { Failure } from "../failure.ts";
import type { Home } from "../home.ts";
import { projectPath } from "../project.ts";
import type { ProcessPlan } from "../supervise.ts";

export interface AuditOptions {
  /** The file of a Policy of audit.k8s.io/v1. */
  policy: string;
  /** The file that is written; absent: `audit.log` among the cluster's logs. */
  log?: string | undefined;
}

/** What a control plane that audits needs. */
export interface PreparedAudit {
  /** The policy, as JSON. */
  policy: string;
  /** Where the log's process listens: a Unix socket. */
  socket: string;
  plan: ProcessPlan;
}

/** A Unix socket's address holds 108 bytes, the closing zero included. */
const SOCKET_PATH_BYTES_MAX = 107;

/** Reads the policy, and says how its log is kept; starts nothing. @throws Failure where the policy is none. */
export function prepareAudit(home: Home, { policy: file, log }: AuditOptions): PreparedAudit {
  const socket = join(home.controlPlane, "audit.sock");
  if (Buffer.byteLength(socket) > SOCKET_PATH_BYTES_MAX)
    throw new Failure(`${socket} is too long for a socket: set COXSWAIN_HOME or --state to a shorter path`);
  const path = resolve(log ?? join(home.logs, "audit.log"));
  return {
    policy: JSON.stringify(policyIn(file)),
    socket,
    plan: {
      name: "audit-log",
      role: "audit-log",
      command: process.execPath,
      args: ["--max-semi-space-size=1", projectPath("cli", "audit", "audit-log.ts"), socket, path],
      environment: { NODE_COMPILE_CACHE: home.compileCache },
      log: join(home.logs, "audit-log.log"),
    },
  };
}

function policyIn(file: string): unknown {
  const fail = (why: string) => new Failure(`${file}: ${why}`, 2);
  let value: unknown;
  try {
    value = load(readFileSync(file, "utf8"));
  } catch (error) {
    throw fail((error as Error).message.split("\n", 1)[0]!);
  }
  const read = readPolicy(value);
  if ("problems" in read) throw fail(`it is no audit policy: ${read.problems.join("; ")}`);
  return value;
}
