import { expect, test } from "vitest";
import { Interests } from "./interests.ts";

test("what is watched is complete once every open home has learned of it", () => {
  let told = 50;
  const interests = new Interests(() => told);
  interests.opened("a");
  interests.opened("b");
  interests.watch("secrets");
  expect(interests.resources).toContain("secrets");
  expect(interests.completeFrom("secrets")).toBeUndefined();
  const { version } = interests;
  interests.learned("a", version, 900);
  expect(interests.completeFrom("secrets")).toBeUndefined();
  expect(interests.isLearned(version)).toBe(false);
  told = 70;
  interests.learned("b", version, 60);
  expect(interests.completeFrom("secrets")).toBe(900);
  expect(interests.isLearned(version)).toBe(true);
});

test("an answer to an ask that did not name a resource yet teaches nothing", () => {
  const interests = new Interests(() => 0);
  interests.opened("a");
  const { version } = interests;
  interests.watch("secrets");
  interests.learned("a", version, 10);
  expect(interests.completeFrom("secrets")).toBeUndefined();
});

test("homes that open later know from their lease, those that close need not know", () => {
  const interests = new Interests(() => 5);
  interests.opened("a");
  interests.watch("secrets");
  interests.opened("b");
  expect(interests.completeFrom("secrets")).toBeUndefined();
  interests.ended("a");
  expect(interests.completeFrom("secrets")).toBe(5);
});

test("what every home tells of anyway is complete from what was told last", () => {
  const interests = new Interests(() => 42);
  interests.opened("a");
  interests.watch("pods");
  expect(interests.completeFrom("pods")).toBe(42);
});

test("what an earlier instance made homes tell of is not known", () => {
  const interests = new Interests(() => 0);
  interests.survived("a");
  interests.watch("pods");
  expect(interests.completeFrom("pods")).toBeUndefined();
  interests.learned("a", interests.version, 7);
  expect(interests.completeFrom("pods")).toBe(7);
});

test("a resource that nobody watches any more is learned anew", () => {
  const interests = new Interests(() => 0);
  interests.opened("a");
  interests.watch("secrets");
  interests.watch("secrets");
  interests.learned("a", interests.version, 3);
  interests.unwatch("secrets");
  expect(interests.isWatched("secrets")).toBe(true);
  interests.unwatch("secrets");
  expect(interests.isWatched("secrets")).toBe(false);
  expect(interests.resources).not.toContain("secrets");
  interests.watch("secrets");
  expect(interests.completeFrom("secrets")).toBeUndefined();
});

test("what a subscriber wants stays", () => {
  const interests = new Interests(() => 0);
  const { version } = interests;
  interests.keep("secrets");
  expect(interests.version).toBe(version + 1);
  interests.keep("secrets");
  interests.watch("secrets");
  interests.unwatch("secrets");
  expect(interests.version).toBe(version + 1);
  expect(interests.resources).toContain("secrets");
});
