import { expect, test } from "vitest";
import { Watched, type WatchMessage } from "./watched.ts";

const message = (fields: Partial<WatchMessage>): WatchMessage => ({
  type: "watch",
  resource: "services",
  events: [],
  ...fields,
});
const event = (type: "ADDED" | "MODIFIED" | "DELETED", name: string, extra: object = {}) => ({
  type,
  object: { metadata: { name, namespace: "shop" }, ...extra },
});
const names = (watched: Watched<any>) => [...watched.values()].map(({ metadata }) => metadata.name);

test("nothing is to be acted upon before all is known", () => {
  const watched = new Watched();
  expect(watched.apply(message({ reset: true, events: [event("ADDED", "a")] }))).toBe(false);
  expect(watched.synced).toBe(false);
  expect(watched.apply(message({ synced: true, events: [event("ADDED", "b")] }))).toBe(true);
  expect(names(watched)).toEqual(["a", "b"]);
});

test("changes are shown as they come", () => {
  const watched = new Watched<any>();
  watched.apply(message({ reset: true, synced: true, events: [event("ADDED", "a"), event("ADDED", "b")] }));
  expect(watched.apply(message({ events: [event("DELETED", "a"), event("MODIFIED", "b", { spec: 1 })] }))).toBe(true);
  expect(names(watched)).toEqual(["b"]);
  expect(watched.get("b", "shop").spec).toBe(1);
  expect(watched.get("b")).toBeUndefined();
});

test("while a new full list arrives, the old one is shown", () => {
  const watched = new Watched();
  watched.apply(message({ reset: true, synced: true, events: [event("ADDED", "a")] }));
  expect(watched.apply(message({ reset: true, events: [event("ADDED", "b")] }))).toBe(false);
  expect(names(watched)).toEqual(["a"]);
  expect(watched.apply(message({ synced: true }))).toBe(true);
  expect(names(watched)).toEqual(["b"]);
});
