import type { IContainer } from "kubernetes-models/v1/Container";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeRuntime } from "../runtime/fake.ts";
import type { ProbeResult } from "./probe-result.ts";
import { type ProbedContainer, Prober } from "./prober.ts";

beforeEach(() => vi.useFakeTimers({ now: 0 }));
afterEach(() => vi.useRealTimers());

const PROBE = { tcpSocket: { port: 80 }, periodSeconds: 10 };

/** Answers probes of a type (told apart by their ports) with what the test last set. */
function prober(container: Partial<IContainer>, more: Partial<ProbedContainer> = {}) {
  const outcomes: Record<number, ProbeResult["outcome"]> = {};
  const unhealthy: string[] = [];
  const probed: number[] = [];
  const subject = new Prober({
    runtime: fakeRuntime(),
    now: Date.now,
    onChange: () => {},
    onUnhealthy: (_, type) => unhealthy.push(type),
    run: async (probe) => {
      const port = Number(probe.tcpSocket!.port);
      probed.push(port);
      return { outcome: outcomes[port] ?? "success", output: "" };
    },
  });
  const one = {
    id: "c1",
    container: { name: "app", image: "a", ...container },
    startedAt: 0,
    ip: "",
    wasReady: false,
    wasStarted: false,
    ...more,
  };
  subject.sync([one]);
  return { subject, outcomes, unhealthy, probed, verdict: () => subject.verdicts().get("c1") };
}
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

test("a container is ready once its readiness probe has succeeded", async () => {
  const { verdict } = prober({ readinessProbe: { ...PROBE, initialDelaySeconds: 5 } });
  expect(verdict()).toEqual({ started: true, ready: false });
  await seconds(4);
  expect(verdict()?.ready).toBe(false);
  await seconds(1);
  expect(verdict()?.ready).toBe(true);
});

test("thresholds count what comes in a row", async () => {
  const { verdict, outcomes, unhealthy } = prober({
    readinessProbe: { ...PROBE, failureThreshold: 2, successThreshold: 2 },
  });
  await seconds(1);
  expect(verdict()?.ready).toBe(false);
  await seconds(10);
  expect(verdict()?.ready).toBe(true);
  outcomes[80] = "failure";
  await seconds(10);
  expect(verdict()?.ready).toBe(true);
  await seconds(10);
  expect(verdict()?.ready).toBe(false);
  expect(unhealthy).toEqual(["readiness", "readiness"]);
});

test("a probe that could not be made does not count", async () => {
  const { verdict, outcomes } = prober({ livenessProbe: { ...PROBE, failureThreshold: 1 } });
  outcomes[80] = "unknown";
  await seconds(60);
  expect(verdict()?.failed).toBeUndefined();
});

test("a failed liveness probe asks for a restart, and is not made again", async () => {
  const { verdict, outcomes, probed } = prober({ livenessProbe: { ...PROBE, failureThreshold: 2 } });
  outcomes[80] = "failure";
  await seconds(11);
  expect(verdict()?.failed).toBe("liveness");
  await seconds(60);
  expect(probed).toHaveLength(2);
});

test("the others wait for the startup probe", async () => {
  const startupProbe = { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 5 };
  const { verdict, outcomes, probed } = prober({ startupProbe, readinessProbe: { tcpSocket: { port: 2 } } });
  outcomes[1] = "failure";
  await seconds(2);
  expect(verdict()).toEqual({ started: false, ready: false });
  expect(probed).not.toContain(2);
  outcomes[1] = "success";
  await seconds(1.1);
  expect(verdict()).toEqual({ started: true, ready: true });
  const startups = probed.filter((port) => port === 1).length;
  await seconds(10);
  expect(probed.filter((port) => port === 1)).toHaveLength(startups);
});

test("a startup probe that fails too often asks for a restart", async () => {
  const { verdict, outcomes } = prober({ startupProbe: { ...PROBE, failureThreshold: 3 } });
  outcomes[80] = "failure";
  await seconds(21);
  expect(verdict()).toEqual({ started: false, ready: false, failed: "startup" });
});

test("what was ready before the agent restarted stays so until a probe says otherwise", async () => {
  const { verdict, outcomes } = prober({ readinessProbe: { ...PROBE, failureThreshold: 1 } }, { wasReady: true });
  outcomes[80] = "failure";
  expect(verdict()?.ready).toBe(true);
  await seconds(1);
  expect(verdict()?.ready).toBe(false);
});

test("a container that is gone is not probed any more", async () => {
  const { subject, probed } = prober({ livenessProbe: PROBE });
  await seconds(1);
  subject.sync([]);
  await seconds(60);
  expect(probed).toHaveLength(1);
  expect(subject.verdicts().size).toBe(0);
});
