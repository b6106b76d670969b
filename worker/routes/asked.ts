import type { User } from "../../api/object.ts";
import type { FlowMark } from "../../durable-objects/protocol.ts";
import type { Credentials } from "../access/credentials.ts";
import type { AuditedRequest } from "../audit/audited-request.ts";
import type { WorkerEnv } from "../env.ts";
import type { Past } from "./past.ts";

/** A request as its route sees it: of one cluster, its user known. */
export interface Asked {
  env: WorkerEnv;
  cluster: string;
  user: User;
  credentials: Credentials;
  /** `…/at/<time>/`: the cluster is asked for as it was; reads alone. */
  past: Past | undefined;
  /** The path within the cluster, behind `/at/<time>`. */
  path: string;
  /** Absent where the URL has none, as that of most reads and writes. */
  query: URLSearchParams | undefined;
  request: Request;
  /** What it is called in logs. */
  auditId: string;
  /** What is noted of it for the audit log; absent where nothing is. */
  audited?: AuditedRequest | undefined;
  /** What a home judged it by. */
  flow?: FlowMark | undefined;
}
