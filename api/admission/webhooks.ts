import type { Webhook, WebhookConfigurationObject } from "../kinds/webhooks.ts";
import type { KubeObject } from "../object.ts";
import type { Attributes } from "./attributes.ts";
import { type Invocation, invocationOf, matchesNamespace, matchesObject, type NamespaceLabels } from "./rule-match.ts";

/** One webhook of one configuration. */
export interface Hook {
  readonly webhook: Webhook;
  readonly configuration: string;
  /** Tells it from every other of its sort. */
  readonly id: string;
}

const known = new WeakMap<readonly KubeObject[], readonly Hook[]>();

/** The webhooks of these configurations in the order of their calls: by the configuration's name, then as they are listed. */
export function hooksOf(configurations: readonly KubeObject[]): readonly Hook[] {
  let hooks = known.get(configurations);
  if (!hooks) {
    const sorted = [...configurations].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    hooks = sorted.flatMap((each) => {
      const { name } = each.metadata;
      return ((each as WebhookConfigurationObject).webhooks ?? []).map(
        (webhook, i): Hook => ({ webhook, configuration: name, id: `${name}/${webhook.name}/${i}` }),
      );
    });
    known.set(configurations, hooks);
  }
  return hooks;
}

/** How the webhook is to see the request; undefined: it is none of its. Match conditions come after this. */
export function hookInvocation(
  { webhook }: Hook,
  attributes: Attributes,
  namespaceLabels: NamespaceLabels,
): Invocation | undefined {
  const invocation = invocationOf(webhook.rules, webhook.matchPolicy, attributes);
  if (!invocation || !matchesObject(webhook.objectSelector, attributes)) return undefined;
  return matchesNamespace(webhook.namespaceSelector, attributes, namespaceLabels) ? invocation : undefined;
}
