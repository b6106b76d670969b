import { type Attributes, isNamespace } from "../../api/admission/attributes.ts";
import type { KubeObject, User } from "../../api/object.ts";
import type { LabelSelector, Labels } from "../../api/selector.ts";
import { notFound } from "../../api/status.ts";
import type { Target } from "../protocol.ts";
import type { WebhookTransport } from "../webhooks/webhook-transport.ts";
import type { Admission } from "./plugin.ts";

/** Objects that may be another home's: one by its name, or those that a selector selects. */
export interface ObjectsAsk {
  readonly target: Pick<Target, "group" | "version" | "resource" | "namespace" | "name">;
  /** Where `name` is empty. */
  readonly selector?: LabelSelector | undefined;
}

/** What an expression asks of `authorizer`, as a request would be judged. */
export interface AccessCheck {
  readonly user: User;
  readonly verb: string;
  /** Of what is no resource; the target's fields are empty then. */
  readonly path: string;
  readonly target: Target;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** What webhooks and policies need of the home that they are asked in. */
export interface Surroundings {
  readonly transport: WebhookTransport;
  /** Empty where there are none of the name. Rejects with an ApiError where they cannot be read. */
  read(ask: ObjectsAsk): Promise<KubeObject[]>;
  /** Undefined: allowed; else why not. */
  refusal(check: AccessCheck): string | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  uuid(): string;
}

const NAMESPACES = { group: "", resource: "namespaces" };

/** The namespace that the request is in; of a Namespace itself, that. @throws ApiError NotFound */
export function namespaceOf(
  { tx, answers }: Admission,
  attributes: Attributes,
  surroundings: Surroundings,
): Readonly<KubeObject> | undefined {
  const name = attributes.namespace;
  if (name === "") return undefined;
  const target = { group: "", version: "v1", resource: "namespaces", namespace: "", name };
  const found = isNamespace(attributes)
    ? tx.get("namespaces", name)?.object
    : answers.to({
        key: "namespace",
        ask: name,
        answer: async () => ({ value: (await surroundings.read({ target }))[0] }),
      });
  if (!found) throw notFound(NAMESPACES, name);
  return found;
}

/** As selectors ask for them, which mostly they do not. */
export const namespaceLabelsOf =
  (admission: Admission, attributes: Attributes, surroundings: Surroundings) => (): Labels | undefined =>
    namespaceOf(admission, attributes, surroundings)?.metadata.labels;
