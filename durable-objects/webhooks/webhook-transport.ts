/** One call of a webhook. */
export interface WebhookCall {
  /** Where it is, as it is told in errors; the path and the query are what is asked for there. */
  readonly url: string;
  /** The Service that stands behind the URL's host, if one does. */
  readonly service?: ServiceAddress | undefined;
  /** PEM in base64. Empty: certificates that the platform trusts. */
  readonly caBundle: string;
  /** JSON. */
  readonly body: string;
  readonly timeoutMilliseconds: number;
}

export interface ServiceAddress {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface WebhookReply {
  /** HTTP status. */
  readonly code: number;
  readonly contentType: string;
  readonly body: string;
}

/** Carries a call to a webhook and its answer back; follows no redirects, and believes nobody who cannot show that it is who it should be. */
export interface WebhookTransport {
  /** Rejects with an Error in the words of Go's net packages where no whole answer comes in time. */
  post(call: WebhookCall): Promise<WebhookReply>;
}

/** Of a home that cannot call anybody. */
export const NO_TRANSPORT: WebhookTransport = {
  post: ({ url }) =>
    Promise.reject(new Error(`Post ${JSON.stringify(url)}: dial tcp: connect: network is unreachable`)),
};
