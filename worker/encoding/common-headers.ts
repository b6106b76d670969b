import type { FlowMark } from "../../durable-objects/protocol.ts";

export const AUDIT_ID = "audit-id";

/** What every answer says beside what it is of: how it is named in logs, what it was judged by, and that nobody keeps what only some may read. */
export function commonHeaders(auditId: string, flow: FlowMark | undefined): Record<string, string> {
  const headers: Record<string, string> = { [AUDIT_ID]: auditId, "cache-control": "no-cache, private" };
  if (flow) {
    headers["x-kubernetes-pf-flowschema-uid"] = flow.schemaUid;
    headers["x-kubernetes-pf-prioritylevel-uid"] = flow.levelUid;
  }
  return headers;
}
