import { expect, test } from "vitest";
import { messageToAgent } from "../../api/node-link.ts";
import type { FeedEvent } from "../protocol.ts";
import { watchMessages } from "./delivery.ts";

const event = (resource: string, name: string): FeedEvent & { namespace: string } => ({
  type: "ADDED",
  revision: 1,
  resource,
  name,
  namespace: "default",
  json: JSON.stringify({ metadata: { name } }),
});

const parsed = (...args: Parameters<typeof watchMessages>) =>
  [...watchMessages(...args)].map((text) => messageToAgent.parse(JSON.parse(text)) as any);

test("a change is one message of its resource", () => {
  expect(parsed({ events: [event("pods", "a")] }, 1000)).toEqual([
    { type: "watch", resource: "pods", events: [{ type: "ADDED", object: { metadata: { name: "a" } } }] },
  ]);
});

test("a reset names every resource, also those of which there is nothing", () => {
  const messages = parsed({ reset: true, synced: true, events: [event("services", "s")] }, 1000);
  expect(messages.map(({ resource, reset, synced, events }) => [resource, reset, synced, events.length])).toEqual([
    ["pods", true, true, 0],
    ["services", true, true, 1],
    ["endpointslices.discovery.k8s.io", true, true, 0],
    ["nodes", true, true, 0],
  ]);
});

test("a long delivery is cut; only its first part resets and only its last is synced", () => {
  const events = ["a", "b", "c"].map((name) => event("pods", name));
  const messages = parsed({ reset: true, synced: true, events }, 200).filter(({ resource }) => resource === "pods");
  expect(messages.length).toBeGreaterThan(1);
  expect(messages.map(({ reset }) => reset === true)).toEqual(messages.map((_, index) => index === 0));
  expect(messages.map(({ synced }) => synced === true)).toEqual(
    messages.map((_, index) => index === messages.length - 1),
  );
  expect(messages.flatMap(({ events }) => events.map(({ object }: any) => object.metadata.name))).toEqual([
    "a",
    "b",
    "c",
  ]);
});
