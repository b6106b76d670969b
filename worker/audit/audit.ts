import { load } from "js-yaml";
import { auditRuleOf, type Policy } from "../../api/audit/policy.ts";
import { readPolicy } from "../../api/audit/read-policy.ts";
import type { WorkerEnv } from "../env.ts";
import { AuditLog, type AuditSink, type Keeper } from "./audit-log.ts";
import { AuditedRequest, type RequestFacts } from "./audited-request.ts";

/** What an isolate writes down of what it is asked. */
export class Audit {
  readonly #policy: Policy;
  readonly #log: AuditLog;

  constructor(policy: Policy, log: AuditLog) {
    this.#policy = policy;
    this.#log = log;
  }

  /** Undefined where the policy has nothing to be said of the request. */
  begin(facts: RequestFacts): AuditedRequest | undefined {
    const rule = auditRuleOf(this.#policy, facts);
    if (rule.level === "None") return undefined;
    return new AuditedRequest(facts, rule, (event) => this.#log.add(event), Date.now);
  }

  flush(keeper: Keeper): void {
    this.#log.flush(keeper);
  }
}

type AuditEnv = Pick<WorkerEnv, "AUDIT_POLICY" | "AUDIT_LOG" | "AUDIT_BUCKET">;

let auditOfIsolate: { text: string; audit: Audit } | undefined;

/** Undefined where nothing is audited. Throws where the policy cannot be read: what should be written down must not happen unseen. */
export function auditOf(env: AuditEnv): Audit | undefined {
  const { AUDIT_POLICY: text } = env;
  if (!text) return undefined;
  if (auditOfIsolate?.text !== text) {
    const read = readPolicy(load(text));
    if ("problems" in read) throw new Error(`the audit policy is invalid: ${read.problems.join("; ")}`);
    const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
    auditOfIsolate = { text, audit: new Audit(read.policy, new AuditLog({ sink: sinkOf(env), now: Date.now, sleep })) };
  }
  return auditOfIsolate.audit;
}

/** A bucket where it is deployed, the log's own process on one machine. */
function sinkOf({ AUDIT_LOG: log, AUDIT_BUCKET: bucket }: AuditEnv): AuditSink {
  if (log)
    return {
      async write(lines) {
        const answer = await log.fetch("http://audit-log/", { method: "POST", body: lines });
        await answer.body?.cancel();
        if (!answer.ok) throw new Error(`the audit log answered ${answer.status}`);
      },
    };
  if (bucket)
    return {
      async write(lines) {
        await bucket.put(objectName(new Date()), lines);
      },
    };
  throw new Error("an audit policy needs a place to write to: the binding AUDIT_BUCKET (R2)");
}

/** Names sort by time; a folder a day. */
function objectName(now: Date): string {
  const time = now.toISOString();
  return `audit/${time.slice(0, 10)}/${time}-${crypto.randomUUID()}.ndjson`;
}
