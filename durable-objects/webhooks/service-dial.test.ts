import { expect, test } from "vitest";
import type { PodEndpoint } from "../../api/service-endpoint.ts";
import type { HomeAnswer, Target } from "../protocol.ts";
import type { Channel } from "../tls/channel.ts";
import { serviceDialer } from "./service-dial.ts";

const ADDRESS = { namespace: "shop", name: "hook", port: 443 };
const metadata = { namespace: "shop", name: "hook" };
const CHANNEL = {} as Channel;

/** A dialler in a cluster with this Service and these EndpointSlices, and what it asks and connects to. */
function dialling(service: object | undefined, slices: object[] = []) {
  const asked: [Target, string][] = [];
  const connected: PodEndpoint[] = [];
  const answer = (code: number, value: object): HomeAnswer => ({ code, body: JSON.stringify(value) });
  const dial = serviceDialer({
    read: async (target, selector) => {
      asked.push([target, selector]);
      if (target.resource === "endpointslices") return answer(200, { items: slices });
      return service ? answer(200, { metadata, spec: service }) : answer(404, { message: "not found" });
    },
    connect: async (endpoint) => {
      connected.push(endpoint);
      return CHANNEL;
    },
    random: () => 0.99,
  });
  return { dial, asked, connected };
}

const endpoint = (name: string, ready = true) => ({
  conditions: { ready },
  nodeName: `node-of-${name}`,
  targetRef: { kind: "Pod", namespace: "shop", name, uid: name },
});

test("a Service's port leads to a ready pod behind it, by the pod's node", async () => {
  const slice = {
    ports: [{ name: "", port: 8443 }],
    endpoints: [endpoint("one"), endpoint("two"), endpoint("late", false)],
  };
  const { dial, asked, connected } = dialling({ ports: [{ port: 443 }] }, [slice]);
  expect(await dial(ADDRESS)).toBe(CHANNEL);
  expect(connected).toEqual([{ node: "node-of-two", port: 8443, pod: { namespace: "shop", name: "two", uid: "two" } }]);
  expect(asked.map(([{ namespace, resource, name }, selector]) => [namespace, resource, name, selector])).toEqual([
    ["shop", "services", "hook", ""],
    ["shop", "endpointslices", "", "kubernetes.io/service-name=hook"],
  ]);
});

test.each([
  ["no Service", undefined, 'service "hook" not found'],
  ["another port", { ports: [{ port: 80 }] }, 'no service port 443 found for service "hook"'],
  ["no endpoints", { ports: [{ port: 443 }] }, 'no endpoints available for service "hook"'],
  ["a name outside", { type: "ExternalName", ports: [{ port: 443 }] }, 'unsupported service type "ExternalName"'],
])("%s: it is told", async (_, service, message) => {
  const { dial, connected } = dialling(service);
  await expect(dial(ADDRESS)).rejects.toThrow(message);
  expect(connected).toEqual([]);
});
