import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PodObject } from "../api/kinds/pod.ts";
import type { AgentRequest } from "../api/node-link.ts";
import { EventRecorder } from "./event-recorder.ts";
import { StatusSender } from "./status-sender.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const pod = (uid: string): PodObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: uid, namespace: "d", uid },
  spec: { containers: [] },
});

function sender() {
  const sent: AgentRequest[] = [];
  let answer: () => { code: number; body: Record<string, unknown> } = () => ({ code: 200, body: {} });
  const events = new EventRecorder({ nodeName: "n", now: Date.now, random: Math.random, onQueued: () => {} });
  const subject = new StatusSender({
    events,
    request: async (request) => {
      sent.push(request);
      return answer();
    },
  });
  return { subject, sent, answer: (next: typeof answer) => (answer = next) };
}
const phases = (request: AgentRequest | undefined) =>
  request?.do === "pod-statuses" ? request.pods.map(({ uid, status }) => `${uid} ${status["phase"]}`) : request?.do;

test("changes that come together travel together, the newest of each pod", async () => {
  const { subject, sent } = sender();
  subject.setConnected(true);
  subject.status(pod("a"), { phase: "Pending" });
  subject.status(pod("b"), { phase: "Pending" });
  subject.status(pod("a"), { phase: "Running" });
  await vi.advanceTimersByTimeAsync(20);
  expect(sent.map(phases)).toEqual([["a Running", "b Pending"]]);
});

test("nothing is sent without a connection, and everything with the next one", async () => {
  const { subject, sent } = sender();
  subject.status(pod("a"), { phase: "Pending" });
  await vi.advanceTimersByTimeAsync(1000);
  expect(sent).toEqual([]);
  subject.setConnected(true);
  await vi.advanceTimersByTimeAsync(20);
  expect(sent.map(phases)).toEqual([["a Pending"]]);
});

test("what was not acknowledged is sent again", async () => {
  const { subject, sent, answer } = sender();
  subject.setConnected(true);
  answer(() => {
    throw new Error("broken");
  });
  subject.status(pod("a"), { phase: "Pending" });
  await vi.advanceTimersByTimeAsync(20);
  answer(() => ({ code: 200, body: { results: { a: 503 } } }));
  await vi.advanceTimersByTimeAsync(1000);
  answer(() => ({ code: 200, body: { results: { a: 200 } } }));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent.map(phases)).toEqual([["a Pending"], ["a Pending"], ["a Pending"]]);
});

test("a pod that the control plane does not know is not insisted on", async () => {
  const { subject, sent, answer } = sender();
  subject.setConnected(true);
  answer(() => ({ code: 200, body: { results: { a: 404 } } }));
  subject.status(pod("a"), { phase: "Pending" });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent).toHaveLength(1);
});

test("a pod is told to be gone after its last status has arrived", async () => {
  const { subject, sent, answer } = sender();
  subject.setConnected(true);
  answer(() => ({ code: 503, body: {} }));
  subject.status(pod("a"), { phase: "Succeeded" });
  subject.gone(pod("a"));
  await vi.advanceTimersByTimeAsync(20);
  answer(() => ({ code: 200, body: {} }));
  await vi.advanceTimersByTimeAsync(2000);
  expect(sent.map(phases)).toEqual([["a Succeeded"], ["a Succeeded"], "pods-gone"]);
});
