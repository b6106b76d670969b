import { deadlineExceeded, httpFailure } from "../../api/admission/denial.ts";
import {
  BadReview,
  type ReviewAnswer,
  type ReviewRequest,
  type ReviewVersion,
  readReview,
  reviewText,
} from "../../api/admission/review.ts";
import { SERVICE_PORT } from "../../api/kinds/webhook-client-config.ts";
import { TIMEOUT_SECONDS, type Webhook } from "../../api/kinds/webhooks.ts";
import type { Question } from "../verbs/answers.ts";
import type { WebhookCall } from "../webhooks/webhook-transport.ts";
import type { Surroundings } from "./surroundings.ts";

/** What became of a call: an answer, or upstream's sentence for why there is none. */
export type Called =
  | { readonly answer: ReviewAnswer; readonly failure?: undefined }
  | { readonly answer?: undefined; readonly failure: string };

/** A request that asks webhooks takes no longer (upstream's --request-timeout). */
const REQUEST_MILLISECONDS_MAX = 60_000;

export interface Asking {
  readonly key: string;
  readonly webhook: Webhook;
  readonly version: ReviewVersion;
  readonly request: ReviewRequest;
  readonly mutating: boolean;
  /** Milliseconds since 1970: when the request came. */
  readonly began: number;
}

/** What a webhook is to be asked before the write can go on. */
export const webhookQuestion = (asking: Asking, surroundings: Surroundings): Question<Called> => ({
  key: asking.key,
  ask: asking.request,
  answer: async () => ({ value: await callWebhook(asking, surroundings) }),
});

async function callWebhook(asking: Asking, { transport, now, uuid }: Surroundings): Promise<Called> {
  const { webhook, version, request, mutating, began } = asking;
  const left = began + REQUEST_MILLISECONDS_MAX - now();
  if (left <= 0) throw deadlineExceeded();
  const own = (webhook.timeoutSeconds ?? TIMEOUT_SECONDS) * 1000;
  const timeoutMilliseconds = Math.min(left, own);
  const uid = uuid();
  const call = callOf(webhook.clientConfig ?? {}, reviewText(version, uid, request), timeoutMilliseconds);
  try {
    const { code, contentType, body } = await transport.post(call);
    if (code < 200 || code > 206) throw new Error(httpFailure(code, body, isText(contentType)));
    if (body === "") {
      throw new Error(`0-length response with status code: ${code} and content type: ${contentType}`);
    }
    return { answer: readReview(body, version, uid, mutating) };
  } catch (error) {
    if (own > left && now() >= began + REQUEST_MILLISECONDS_MAX) throw deadlineExceeded();
    const { message } = error as Error;
    return { failure: error instanceof BadReview ? message : `failed to call webhook: ${message}` };
  }
}

const isText = (contentType: string): boolean => contentType === "" || contentType.startsWith("text/");

/** The call of a webhook by its URL or its Service, with the bound that it is told of. */
export function callOf(
  { url, service, caBundle = "" }: NonNullable<Webhook["clientConfig"]>,
  body: string,
  timeoutMilliseconds: number,
): WebhookCall {
  const { name = "", namespace = "", port = SERVICE_PORT, path = "" } = service ?? {};
  const place = service ? `https://${name}.${namespace}.svc:${port}${path}` : (url ?? "");
  return {
    url: `${place}?timeout=${Math.ceil(timeoutMilliseconds / 1000)}s`,
    service: service && { namespace, name, port },
    caBundle,
    body,
    timeoutMilliseconds,
  };
}
