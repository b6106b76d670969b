import { type AuditRule, LEVELS, type Level, type Stage } from "../../api/audit/policy.ts";
import type { User } from "../../api/object.ts";
import type { ApiError } from "../../api/status.ts";
import type { HomeAnswer, HomeRequest, Target } from "../../durable-objects/protocol.ts";
import type { AuditEvent } from "./audit-log.ts";

/** What is known of a request before anything is done for it. */
export interface RequestFacts {
  readonly auditId: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly request: Request;
  readonly verb: string;
  /** Within the cluster. */
  readonly path: string;
  /** Undefined where nobody knows who asks. */
  readonly user: User | undefined;
  /** Undefined where the path names no resource. */
  readonly target: Target | undefined;
}

const USER_AGENT_CHARS_MAX = 1024;
const DECISION = "authorization.k8s.io/decision";
const REASON = "authorization.k8s.io/reason";

/** One request in the audit log (k8s.io/apiserver pkg/audit): what becomes of it is noted as it goes, and told at its stages. */
export class AuditedRequest {
  readonly #rule: AuditRule;
  readonly #emit: (event: AuditEvent) => void;
  readonly #now: () => number;
  readonly #event: AuditEvent;
  readonly #annotations: Record<string, string> = {};
  readonly #objectRef: Record<string, string> | undefined;
  #hasPanicked = false;

  constructor(facts: RequestFacts, rule: AuditRule, emit: (event: AuditEvent) => void, now: () => number) {
    this.#rule = rule;
    this.#emit = emit;
    this.#now = now;
    const { request, target, user } = facts;
    const { pathname, search } = new URL(request.url);
    const userAgent = request.headers.get("user-agent") ?? "";
    const sourceIPs = sourceIpsOf(request.headers);
    this.#objectRef = target && refOf(target);
    this.#event = {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: rule.level,
      auditID: facts.auditId,
      stage: "",
      requestURI: `${pathname}${search}`,
      verb: facts.verb,
      user: user ? { username: user.name, ...(user.uid && { uid: user.uid }), groups: user.groups } : {},
      ...(sourceIPs.length > 0 && { sourceIPs }),
      ...(userAgent && {
        userAgent:
          userAgent.length > USER_AGENT_CHARS_MAX
            ? `${userAgent.slice(0, USER_AGENT_CHARS_MAX)}...TRUNCATED`
            : userAgent,
      }),
      ...(this.#objectRef && { objectRef: this.#objectRef }),
      requestReceivedTimestamp: microTime(facts.receivedAt),
    };
    this.#tell("RequestReceived");
  }

  /** What a home is asked. */
  sent({ body, verb, patchType }: HomeRequest): void {
    if (!body) return;
    const value = parsed(body);
    if (patchType === undefined && verb !== "delete" && verb !== "deletecollection") this.#noteObject(value);
    if (this.#isAtLeast("Request")) this.#event.requestObject = this.#shown(value);
  }

  /** What a home answers. Of a list that is a stream nothing is kept. */
  answered({
    code,
    body,
    annotations,
  }: Pick<HomeAnswer, "code" | "annotations"> & Partial<Pick<HomeAnswer, "body">>): void {
    Object.assign(this.#annotations, annotations);
    // Who was refused by admission says that it was allowed; what crosses namespaces says nothing.
    if (code < 400) this.#annotations[DECISION] ??= "allow";
    else if (code === 403) this.#annotations[DECISION] ??= "forbid";
    if (this.#annotations[DECISION]) this.#annotations[REASON] ??= "";
    const isFailure = code >= 300;
    if (typeof body !== "string" || !(isFailure || this.#isAtLeast("RequestResponse"))) return;
    const value = parsed(body);
    if (isFailure) this.#note(value);
    if (this.#isAtLeast("RequestResponse")) this.#event.responseObject = this.#shown(value);
  }

  /** The worker refused it itself. */
  refused(error: ApiError): void {
    const status = error.toStatus();
    this.#note(status);
    if (status.code === 403) Object.assign(this.#annotations, { [DECISION]: "forbid", [REASON]: "" });
    if (this.#isAtLeast("RequestResponse")) this.#event.responseObject = status;
  }

  panicked(): void {
    this.#hasPanicked = true;
  }

  /** The answer has begun, and may go on for long. */
  started(code: number): void {
    this.#noteCode(code);
    this.#tell("ResponseStarted");
  }

  completed(code: number): void {
    this.#noteCode(code);
    this.#tell(this.#hasPanicked ? "Panic" : "ResponseComplete");
  }

  #isAtLeast(level: Level): boolean {
    return LEVELS.indexOf(this.#rule.level) >= LEVELS.indexOf(level);
  }

  #noteCode(code: number): void {
    this.#event["responseStatus"] ??= { metadata: {}, code };
  }

  #note(status: unknown): void {
    const { metadata = {}, status: state, message, reason, details, code } = (status ?? {}) as Record<string, unknown>;
    this.#event["responseStatus"] = {
      metadata,
      ...(state !== undefined && { status: state }),
      ...(message !== undefined && { message }),
      ...(reason !== undefined && { reason }),
      ...(details !== undefined && { details }),
      code,
    };
  }

  /** What the path does not tell of an object, its body may. */
  #noteObject(value: unknown): void {
    const metadata = (value as { metadata?: Record<string, unknown> } | null)?.metadata;
    if (!this.#objectRef || typeof metadata !== "object" || metadata === null) return;
    for (const field of ["namespace", "name", "uid", "resourceVersion"]) {
      const given = metadata[field];
      if (typeof given === "string" && given !== "") this.#objectRef[field] ||= given;
    }
  }

  #shown(value: unknown): unknown {
    return this.#rule.omitManagedFields ? withoutManagedFields(value) : value;
  }

  #tell(stage: Stage): void {
    if (this.#rule.omitStages.includes(stage)) return;
    const annotations = { ...this.#annotations };
    const hasAnnotations = Object.keys(annotations).length > 0;
    const { objectRef } = this.#event as { objectRef?: Record<string, string> };
    this.#emit({
      ...this.#event,
      stage,
      ...(objectRef && { objectRef: { ...objectRef } }),
      stageTimestamp: microTime(this.#now()),
      ...(hasAnnotations && { annotations }),
    });
  }
}

function refOf({ resource, namespace, name, group, version, subresource }: Target): Record<string, string> {
  const ref = { resource, namespace, name, apiGroup: group, apiVersion: version, subresource };
  return Object.fromEntries(Object.entries(ref).filter(([, value]) => value !== ""));
}

/** Whoever is in front says whom it speaks for, as upstream believes it. */
function sourceIpsOf(headers: Headers): string[] {
  const forwarded = (headers.get("x-forwarded-for") ?? "").split(",");
  const all = [...forwarded, headers.get("x-real-ip") ?? "", headers.get("cf-connecting-ip") ?? ""];
  return [...new Set(all.map((ip) => ip.trim()).filter((ip) => /^[0-9a-fA-F.:]{2,45}$/.test(ip)))];
}

/** RFC 3339 with microseconds, as metav1.MicroTime is written. */
const microTime = (milliseconds: number): string => new Date(milliseconds).toISOString().replace("Z", "000Z");

/** Text that is no JSON is said as it is. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

type Listed = { metadata?: object; items?: unknown };

function withoutManagedFields(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { metadata, items } = value as Listed;
  return {
    ...value,
    ...(metadata && { metadata: { ...metadata, managedFields: undefined } }),
    ...(Array.isArray(items) && { items: items.map(withoutManagedFields) }),
  };
}
