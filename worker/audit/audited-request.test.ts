import { describe, expect, test } from "vitest";
import type { AuditRule } from "../../api/audit/policy.ts";
import { ApiError } from "../../api/status.ts";
import type { AuditEvent } from "./audit-log.ts";
import { AuditedRequest, type RequestFacts } from "./audited-request.ts";

const target = { group: "", version: "v1", resource: "pods", namespace: "default", name: "", subresource: "" };
const user = { name: "jane", groups: ["system:authenticated"] };

function begin(rule: Partial<AuditRule> = {}, facts: Partial<RequestFacts> = {}, headers: Record<string, string> = {}) {
  const events: AuditEvent[] = [];
  const request = new Request("https://host/api/v1/namespaces/default/pods?limit=5", { headers });
  const audited = new AuditedRequest(
    { auditId: "id", receivedAt: Date.UTC(2026, 0, 1), request, verb: "list", path: "", user, target, ...facts },
    { level: "Metadata", omitStages: ["RequestReceived"], omitManagedFields: false, ...rule },
    (event) => events.push(event),
    () => Date.UTC(2026, 0, 1, 0, 0, 1),
  );
  return { audited, events };
}

const pod = { metadata: { name: "web", uid: "u", managedFields: [{ manager: "kubectl" }] }, spec: {} };
const sent = (body: unknown, more: object = {}) => ({
  verb: "create" as const,
  user,
  target,
  options: {},
  body: JSON.stringify(body),
  ...more,
});

describe("what is said of a request", () => {
  test("begins when it has come, where the policy wants that", () => {
    const { events } = begin({ omitStages: [] });
    expect(events).toEqual([
      {
        kind: "Event",
        apiVersion: "audit.k8s.io/v1",
        level: "Metadata",
        auditID: "id",
        stage: "RequestReceived",
        requestURI: "/api/v1/namespaces/default/pods?limit=5",
        verb: "list",
        user: { username: "jane", groups: ["system:authenticated"] },
        objectRef: { resource: "pods", namespace: "default", apiVersion: "v1" },
        requestReceivedTimestamp: "2026-01-01T00:00:00.000000Z",
        stageTimestamp: "2026-01-01T00:00:01.000000Z",
      },
    ]);
  });

  test.each([
    ["Metadata", undefined, undefined],
    ["Request", pod, undefined],
    ["RequestResponse", pod, pod],
  ] as const)("has the bodies that level %s is for", (level, requestObject, responseObject) => {
    const { audited, events } = begin({ level });
    audited.sent(sent(pod));
    audited.answered({ code: 201, body: JSON.stringify(pod) });
    audited.completed(201);
    const [event] = events as [any];
    expect([event.requestObject, event.responseObject]).toEqual([requestObject, responseObject]);
    expect(event.objectRef).toMatchObject({ name: "web", uid: "u" });
    expect(event.responseStatus).toEqual({ metadata: {}, code: 201 });
    expect(event.annotations).toEqual({ "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" });
  });

  test("leaves managed fields out where the policy says so, of lists, too", () => {
    const { audited, events } = begin({ level: "RequestResponse", omitManagedFields: true });
    audited.answered({ code: 200, body: JSON.stringify({ kind: "PodList", metadata: {}, items: [pod] }) });
    audited.completed(200);
    expect(JSON.stringify(events)).not.toContain("managedFields");
    expect((events[0] as any).responseObject.items[0].metadata.name).toBe("web");
  });

  test("names no object by a patch, and keeps what is no JSON as it is", () => {
    const { audited, events } = begin({ level: "Request" });
    audited.sent(sent(pod, { verb: "patch", patchType: "merge", body: "{broken" }));
    audited.completed(400);
    expect(events[0]).toMatchObject({ requestObject: "{broken", objectRef: { resource: "pods" } });
    expect((events[0] as any).objectRef.name).toBeUndefined();
  });

  test("has what admission notes, and the reason of a refusal", () => {
    const { audited, events } = begin();
    const status = { kind: "Status", metadata: {}, status: "Failure", message: "no", reason: "Forbidden", code: 403 };
    const annotations = { "authorization.k8s.io/decision": "allow", "policy/mine": "x" };
    audited.answered({ code: 403, body: JSON.stringify(status), annotations });
    audited.completed(403);
    expect(events[0]).toMatchObject({
      annotations,
      responseStatus: { status: "Failure", message: "no", reason: "Forbidden", code: 403 },
    });
  });

  test("tells what the worker itself refuses, and what nobody expected", () => {
    const refused = begin({ level: "RequestResponse" });
    refused.audited.refused(new ApiError("Forbidden", "no", {}));
    refused.audited.completed(403);
    expect(refused.events[0]).toMatchObject({
      stage: "ResponseComplete",
      responseStatus: { reason: "Forbidden", code: 403 },
      responseObject: { kind: "Status" },
      annotations: { "authorization.k8s.io/decision": "forbid" },
    });
    const broken = begin();
    broken.audited.panicked();
    broken.audited.completed(500);
    expect(broken.events[0]).toMatchObject({ stage: "Panic", responseStatus: { code: 500 } });
  });

  test("says nothing at stages that are left out", () => {
    const { audited, events } = begin({ omitStages: ["RequestReceived", "ResponseStarted", "ResponseComplete"] });
    audited.started(200);
    audited.completed(200);
    expect(events).toEqual([]);
  });

  test("believes who is in front about where it comes from, and no nonsense", () => {
    const headers = { "x-forwarded-for": "203.0.113.7, <script>, 2001:db8::1", "user-agent": "u".repeat(2000) };
    const { events } = begin({ omitStages: [] }, {}, headers);
    expect(events[0]).toMatchObject({ sourceIPs: ["203.0.113.7", "2001:db8::1"] });
    expect(events[0]?.["userAgent"]).toBe(`${"u".repeat(1024)}...TRUNCATED`);
  });
});
