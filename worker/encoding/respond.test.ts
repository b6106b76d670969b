import { expect, test } from "vitest";
import type { Target } from "../../durable-objects/protocol.ts";
import { type IncludeObject, respond, respondWatch } from "./respond.ts";

const target = (group: string, version: string, resource: string, subresource = ""): Target => ({
  group,
  version,
  resource,
  namespace: "default",
  name: "",
  subresource,
});
const asTable = (about: Target, includeObject: IncludeObject = "Metadata") => ({
  negotiated: { format: "json", as: "Table" } as const,
  target: about,
  includeObject,
});
const cellsOf = (table: any) =>
  table.rows.map(({ cells }: any) =>
    Object.fromEntries(table.columnDefinitions.map(({ name }: any, i: number) => [name, cells[i]])),
  );

const event = {
  kind: "Event",
  apiVersion: "events.k8s.io/v1",
  metadata: { name: "web.1", namespace: "default", resourceVersion: "7" },
  regarding: { kind: "Pod", name: "web", namespace: "default" },
  reason: "Pulled",
  note: "Container image is present",
  type: "Normal",
};

test("the table of a version that is not stored has the columns of the stored one, and its own objects", async () => {
  const list = {
    kind: "EventList",
    apiVersion: "events.k8s.io/v1",
    metadata: { resourceVersion: "9" },
    items: [event],
  };
  const answer = () => ({ code: 200, body: JSON.stringify(list) });
  const about = target("events.k8s.io", "v1", "events");
  const table: any = await (await respond(answer(), asTable(about, "Object"))).json();
  expect(table.metadata).toEqual({ resourceVersion: "9" });
  expect(cellsOf(table)).toMatchObject([
    { Type: "Normal", Reason: "Pulled", Object: "pod/web", Message: "Container image is present" },
  ]);
  expect(table.rows[0].object).toEqual(event);
  const partial: any = await (await respond(answer(), asTable(about))).json();
  expect(partial.rows[0].object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "web.1" } });
  const bare: any = await (await respond(answer(), asTable(about, "None"))).json();
  expect(bare.rows[0].object).toBeUndefined();
});

test("an autoscaler of v1 shows its target in the columns of v2, and keeps the annotations that v1 has", async () => {
  const annotations = { "autoscaling.alpha.kubernetes.io/conditions": "[]" };
  const autoscaler = {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v1",
    metadata: { name: "web", namespace: "default", annotations },
    spec: { scaleTargetRef: { kind: "Deployment", name: "web" }, maxReplicas: 3, targetCPUUtilizationPercentage: 80 },
    status: { currentReplicas: 1, desiredReplicas: 1 },
  };
  const answer = { code: 200, body: JSON.stringify(autoscaler) };
  const table: any = await (
    await respond(answer, asTable(target("autoscaling", "v1", "horizontalpodautoscalers")))
  ).json();
  expect(cellsOf(table)[0].Targets).toContain("80%");
  expect(table.rows[0].object.metadata.annotations).toEqual(annotations);
});

test("what a subresource answers is not taken for the kind it belongs to", async () => {
  const scale = { kind: "Scale", apiVersion: "autoscaling/v1", metadata: { name: "web" }, spec: { replicas: 2 } };
  const answer = { code: 200, body: JSON.stringify(scale) };
  const table: any = await (await respond(answer, asTable(target("apps", "v1", "deployments", "scale")))).json();
  expect(table.columnDefinitions.map(({ name }: any) => name)).toEqual(["Name", "Created At"]);
});

test("a watched event of such a version becomes a row, too", async () => {
  const line = `${JSON.stringify({ type: "ADDED", object: event })}\n`;
  const events = new Response(line).body as ReadableStream<Uint8Array>;
  const text = await respondWatch({ code: 200, events }, asTable(target("events.k8s.io", "v1", "events"))).text();
  const { type, object } = JSON.parse(text);
  expect(type).toBe("ADDED");
  expect(cellsOf(object)).toMatchObject([{ Reason: "Pulled", Object: "pod/web" }]);
});

test.each([429, 503])("a %i says when to come back", async (code) => {
  const body = JSON.stringify({ kind: "Status", code, details: { retryAfterSeconds: 7 } });
  const wanted = { ...asTable(target("", "v1", "pods")), negotiated: { format: "json", as: "object" } as const };
  expect((await respond({ code, body }, wanted)).headers.get("retry-after")).toBe("7");
  expect(respondWatch({ code, body }, wanted).headers.get("retry-after")).toBe("7");
});
