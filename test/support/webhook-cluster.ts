import { expect } from "vitest";
import { TestCluster } from "./cluster.ts";
import { FakeWebhooks, type Say, webhookConfiguration } from "./fake-webhooks.ts";

export const MUTATING = "admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
export const VALIDATING = "admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

/** A cluster in this process whose webhooks say what they are told to; all are of one configuration of each sort, `hooks`. */
export async function clusterWith(
  say: Record<string, Say>,
  { mutating = [], validating = [] }: { mutating?: object[]; validating?: object[] },
) {
  const webhooks = new FakeWebhooks(say);
  const cluster = new TestCluster({ controllers: [], transport: webhooks });
  for (const [path, kind, list] of [
    [MUTATING, "Mutating", mutating],
    [VALIDATING, "Validating", validating],
  ] as const) {
    if (list.length === 0) continue;
    const object = webhookConfiguration(kind, "hooks", list);
    expect((await cluster.ask("", "create", path, { object })).body).toMatchObject({ metadata: { name: "hooks" } });
  }
  const create = (name: string, data: object = {}, more: object = {}) =>
    cluster.ask("default", "create", "configmaps", {
      object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...more }, data },
    });
  return { cluster, webhooks, create };
}
