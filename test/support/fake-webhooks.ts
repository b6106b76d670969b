import type { WebhookCall, WebhookTransport } from "../../durable-objects/webhooks/webhook-transport.ts";

/** An AdmissionRequest as a webhook hears it. */
export type Heard = any;

/** What a webhook says, by the path of its URL; an Error: it cannot be called. */
export type Say = (request: Heard) => object | Error;

/** Webhooks in this process: the transport of a test's homes. */
export class FakeWebhooks implements WebhookTransport {
  readonly heard: { path: string; request: Heard; call: WebhookCall }[] = [];
  readonly #say: Record<string, Say>;

  constructor(say: Record<string, Say>) {
    this.#say = say;
  }

  /** The paths that were called, in order. */
  get paths(): string[] {
    return this.heard.map(({ path }) => path);
  }

  post: WebhookTransport["post"] = async (call) => {
    const path = new URL(call.url).pathname;
    const { request, apiVersion, kind } = JSON.parse(call.body);
    this.heard.push({ path, request, call });
    const said = this.#say[path]?.(request) ?? new Error(`nobody is at ${path}`);
    if (said instanceof Error) throw said;
    const body = JSON.stringify({ apiVersion, kind, response: { uid: request.uid, ...said } });
    return { code: 200, contentType: "application/json", body };
  };
}

/** Lets a request pass with a JSON patch. */
export const patchedBy = (...operations: object[]): object => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: btoa(JSON.stringify(operations)),
});

export const ALLOWED = { allowed: true };

/** One webhook at `https://hooks.test/<path>` for creations and updates of config maps, unless `more` says otherwise. */
export const webhookAt = (path: string, more: object = {}): object => ({
  name: `${path}.hooks.test`,
  clientConfig: { url: `https://hooks.test/${path}` },
  rules: [{ operations: ["CREATE", "UPDATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  ...more,
});

export const webhookConfiguration = (kind: "Validating" | "Mutating", name: string, webhooks: object[]): object => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: `${kind}WebhookConfiguration`,
  metadata: { name },
  webhooks,
});
