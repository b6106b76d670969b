import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { containersOf } from "../support/containers.ts";
import { Cox, eventually } from "../support/cox.ts";
import { loadShellImage, Pods, STAYS, shell } from "../support/pods.ts";

// How pods end, and begin again: exit codes, back-off, memory, probes, graceful stop. Real kubectl, real containers.

let cox: Cox;
let pods: Pods;

beforeAll(async () => {
  cox = await Cox.up();
  pods = new Pods(cox);
  await loadShellImage(cox);
});

afterAll(async () => {
  await cox?.destroy();
});

describe.concurrent("a container that ends", () => {
  test("ends its pod where it is not to be restarted", async () => {
    await Promise.all([
      pods.create("never-good", {
        restartPolicy: "Never",
        containers: [shell("app", "exit 0"), shell("two", "sleep 1")],
      }),
      pods.create("never-bad", {
        restartPolicy: "Never",
        containers: [shell("two", "exit 7"), shell("app", "exit 0")],
      }),
      pods.create("failure-good", { restartPolicy: "OnFailure", containers: [shell("app", "exit 0")] }),
    ]);
    await pods.until("never-good", "{.status.phase}", "Succeeded");
    await pods.until("never-bad", "{.status.phase}", "Failed");
    await pods.until("failure-good", "{.status.phase}", "Succeeded");
    expect(await pods.column("never-good")).toBe("Completed");
    expect(await pods.column("never-bad")).toBe("Error");
    expect((await pods.container("never-bad", "two")).state.terminated).toMatchObject({
      exitCode: 7,
      reason: "Error",
      startedAt: expect.stringMatching(/Z$/),
      finishedAt: expect.stringMatching(/Z$/),
      containerID: expect.stringMatching(/^containerd:\/\//),
    });
    const { conditions } = (await pods.get("never-good")).status;
    const byType = Object.fromEntries(conditions.map(({ type, status, reason }: any) => [type, [status, reason]]));
    expect(byType).toMatchObject({
      PodScheduled: ["True", undefined],
      Initialized: ["True", "PodCompleted"],
      Ready: ["False", "PodCompleted"],
      ContainersReady: ["False", "PodCompleted"],
      PodReadyToStartContainers: ["False", undefined],
    });
  });

  test("is restarted on failure until it succeeds", async () => {
    await pods.create("on-failure", {
      restartPolicy: "OnFailure",
      volumes: [{ name: "disk", emptyDir: {} }],
      containers: [
        shell(
          "app",
          "echo x >> /disk/x; echo try $(wc -l < /disk/x) > /dev/termination-log; test $(wc -l < /disk/x) -gt 1",
          {
            volumeMounts: [{ name: "disk", mountPath: "/disk" }],
          },
        ),
      ],
    });
    await pods.until("on-failure", "{.status.phase}", "Succeeded");
    expect(await pods.container("on-failure")).toMatchObject({
      restartCount: 1,
      state: { terminated: { exitCode: 0, reason: "Completed", message: "try 2\n" } },
      lastState: { terminated: { exitCode: 1, reason: "Error", message: "try 1\n" } },
    });
  });

  test("backs off longer and longer", async () => {
    await pods.create("crashes", {
      containers: [shell("app", "echo last words; exit 3", { terminationMessagePolicy: "FallbackToLogsOnError" })],
    });
    const waiting = await pods.untilWaiting("crashes", "CrashLoopBackOff");
    const { uid } = (await pods.get("crashes")).metadata;
    const label = `crashes_default(${uid})`;
    expect(waiting.message).toBe(`back-off 10s restarting failed container=app pod=${label}`);
    expect(await pods.column("crashes")).toBe("CrashLoopBackOff");
    await pods.untilEvent("crashes", `BackOff: Back-off restarting failed container app in pod ${label}`);
    await eventually("the second back-off", async () =>
      expect((await pods.container("crashes")).state.waiting?.message).toBe(
        `back-off 20s restarting failed container=app pod=${label}`,
      ),
    );
    expect(await pods.container("crashes")).toMatchObject({
      restartCount: 2,
      ready: false,
      lastState: { terminated: { exitCode: 3, reason: "Error", message: "last words\n" } },
    });
    expect(await cox.kubectl(["describe", "pod", "crashes"])).toMatch(
      /BackOff +\S+ \(x\d+ over \S+\) +\S+ +Back-off restarting/,
    );
    expect((await pods.get("crashes")).status.phase).toBe("Running");
  });

  test("is OOMKilled beyond its memory limit", async () => {
    await pods.create("eats", {
      restartPolicy: "Never",
      containers: [
        // containerd listens from a moment after the start until the cgroup goes, so the shell lives before and after the kill.
        shell("app", "sleep 1; tail -c 100m /dev/zero; code=$?; sleep 2; exit $code", {
          resources: { limits: { memory: "8Mi", cpu: "500m" } },
        }),
      ],
    });
    await pods.until("eats", "{.status.phase}", "Failed");
    expect((await pods.container("eats")).state.terminated).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
    expect(await pods.column("eats")).toBe("OOMKilled");
  });

  test("that cannot be started says why", async () => {
    await pods.create("nowhere", { containers: [{ ...shell("app", ""), command: ["/nowhere"] }] });
    await eventually("RunContainerError or its back-off", async () => {
      const { state, lastState } = await pods.container("nowhere");
      expect(JSON.stringify({ state, lastState })).toMatch(
        /exec: \\"\/nowhere\\": stat \/nowhere: no such file or directory/,
      );
    });
    await pods.untilEvent("nowhere", /^Failed: Error: failed to create containerd task: .*exec: "\/nowhere"/);
  });

  test("past the pod's deadline ends the pod", async () => {
    await pods.create("deadline", { activeDeadlineSeconds: 3, containers: [shell("app", STAYS)] });
    await pods.until("deadline", "{.status.phase}", "Failed");
    const { status } = await pods.get("deadline");
    expect(status).toMatchObject({
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    });
    await pods.untilEvent(
      "deadline",
      "DeadlineExceeded: Pod was active on the node longer than the specified deadline",
    );
    await eventually("nothing of it runs", async () =>
      expect((await pods.container("deadline")).state.terminated).toBeTruthy(),
    );
  });
});

describe.concurrent("probes", () => {
  test("restart what does not live: a command, a page, a port", async () => {
    const often = { periodSeconds: 1, failureThreshold: 2 };
    const web = `mkdir -p /www; echo ok > /www/alive; httpd -p 8080 -h /www; ${STAYS}`;
    const probed = (name: string, livenessProbe: object) =>
      pods.runReady(name, {
        containers: [
          shell("app", web, {
            ports: [{ name: "web", containerPort: 8080 }],
            livenessProbe: { ...often, ...livenessProbe },
          }),
        ],
      });
    await Promise.all([
      probed("live-exec", { exec: { command: ["cat", "/www/alive"] } }),
      probed("live-http", { initialDelaySeconds: 1, httpGet: { path: "/alive", port: "web" } }),
      probed("live-tcp", { initialDelaySeconds: 1, tcpSocket: { port: 8080 } }),
    ]);
    for (const name of ["live-exec", "live-http"]) await pods.inside(name, "rm /www/alive");
    await pods.inside("live-tcp", "killall httpd");
    const address = (await pods.get("live-tcp")).status.podIP;
    const reasons: Record<string, string> = {
      "live-exec": "cat: can't open '/www/alive': No such file or directory\n",
      "live-http": "HTTP probe failed with statuscode: 404",
      "live-tcp": `dial tcp ${address}:8080: connect: connection refused`,
    };
    for (const [name, reason] of Object.entries(reasons)) {
      await pods.untilEvent(name, `Unhealthy: Liveness probe failed: ${reason}`);
      await pods.untilEvent(name, "Killing: Container app failed liveness probe, will be restarted");
      await pods.until(name, "{.status.containerStatuses[0].restartCount}", "1");
      await pods.until(name, "{.status.containerStatuses[0].ready}", "true");
      expect((await pods.container(name)).lastState.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
    }
  });

  test("take what is not ready out of its service, and put it back", async () => {
    await pods.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "ready" },
      spec: { selector: { app: "ready" }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const readinessProbe = { exec: { command: ["test", "-e", "/ready"] }, periodSeconds: 1, failureThreshold: 1 };
    await pods.run("ready", { containers: [shell("app", STAYS, { readinessProbe })] });
    const ip = (await pods.get("ready")).status.podIP;
    const endpoints = async () => {
      const [subset = {}] = (await cox.get("endpoints", "ready")).subsets ?? [];
      const of = (addresses: { ip: string }[] = []) => addresses.map((address) => address.ip);
      return { ready: of(subset.addresses), notReady: of(subset.notReadyAddresses) };
    };
    await eventually("not ready", async () => expect(await endpoints()).toEqual({ ready: [], notReady: [ip] }));
    expect(await cox.kubectl(["get", "pod", "ready", "--no-headers"])).toMatch(/^ready +0\/1 +Running/);
    await pods.untilEvent("ready", "Unhealthy: Readiness probe failed: ");
    await pods.inside("ready", "touch /ready");
    await eventually("ready", async () => expect(await endpoints()).toEqual({ ready: [ip], notReady: [] }));
    await pods.inside("ready", "rm /ready");
    await eventually("not ready", async () => expect(await endpoints()).toEqual({ ready: [], notReady: [ip] }));
    const { items } = await cox.get("endpointslices", "-l", "kubernetes.io/service-name=ready");
    expect(items[0].endpoints[0].conditions).toEqual({ ready: false, serving: false, terminating: false });
    expect((await pods.container("ready")).restartCount).toBe(0);
  });

  test("wait for the start before they count, and give up on what never starts", async () => {
    const exec = (command: string) => ({ exec: { command: ["/bin/sh", "-c", command] }, periodSeconds: 1 });
    const dead = { ...exec("test -e /started"), failureThreshold: 1 };
    await Promise.all([
      pods.run("starts", {
        containers: [
          shell("app", `sleep 4; touch /started; ${STAYS}`, {
            livenessProbe: dead,
            startupProbe: { ...exec("test -e /started"), failureThreshold: 30 },
          }),
        ],
      }),
      pods.run("never-starts", {
        containers: [shell("app", STAYS, { startupProbe: { ...exec("false"), failureThreshold: 2 } })],
      }),
    ]);
    expect(await pods.container("starts")).toMatchObject({ started: false, ready: false, restartCount: 0 });
    await pods.until("starts", "{.status.containerStatuses[0].started}", "true");
    expect(await pods.container("starts")).toMatchObject({ ready: true, restartCount: 0 });
    await pods.untilEvent("never-starts", "Unhealthy: Startup probe failed: ");
    await pods.untilEvent("never-starts", "Killing: Container app failed startup probe, will be restarted");
    await pods.until("never-starts", "{.status.containerStatuses[0].restartCount}", "1");
  });
});

describe.concurrent("a pod that is deleted", () => {
  test("has its preStop hook, SIGTERM and its grace", async () => {
    const script = `trap 'echo term; sleep 1; echo bye; exit 0' TERM; while :; do sleep 0.1; done`;
    const preStop = { exec: { command: ["/bin/sh", "-c", "echo hook > /proc/1/fd/1; sleep 1"] } };
    await pods.run("graceful", {
      terminationGracePeriodSeconds: 20,
      containers: [shell("app", script, { lifecycle: { preStop } })],
    });
    const log = pods.logs("graceful", "-f");
    const seconds = await pods.delete("graceful");
    expect(await log).toBe("hook\nterm\nbye\n");
    expect(seconds).toBeGreaterThan(1.9);
    expect(seconds).toBeLessThan(10);
    await pods.untilEvent("graceful", "Killing: Stopping container app");
  });

  test("is killed when its grace is over", async () => {
    await pods.run("stubborn", {
      terminationGracePeriodSeconds: 3,
      containers: [shell("app", "trap 'echo no' TERM; while :; do sleep 0.1; done")],
    });
    const log = pods.logs("stubborn", "-f");
    await cox.kubectl(["delete", "pod", "stubborn", "--wait=false"]);
    expect(await pods.column("stubborn")).toBe("Terminating");
    const seconds = await pods.delete("stubborn");
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(9);
    expect(await log).toContain("no\n");
  });

  test("goes at once where that is demanded, and its containers too", async () => {
    await pods.run("forced", {
      terminationGracePeriodSeconds: 60,
      containers: [shell("app", "trap '' TERM; while :; do sleep 0.1; done")],
    });
    const removed = await cox.try("kubectl", ["delete", "pod", "forced", "--grace-period=0", "--force"]);
    expect(removed.stderr).toContain("Warning: Immediate deletion does not wait for confirmation");
    expect((await cox.try("kubectl", ["get", "pod", "forced"])).stderr).toContain('pods "forced" not found');
    await eventually("its container ends", async () => expect(await containersOf(cox.home, "forced")).toEqual([]), 20);
  });

  test("postStart runs beside the start; one that fails ends the container", async () => {
    const hook = (command: string) => ({ lifecycle: { postStart: { exec: { command: ["/bin/sh", "-c", command] } } } });
    await pods.runReady("post-start", { containers: [shell("app", STAYS, hook("echo hooked > /hooked"))] });
    expect(await pods.inside("post-start", "cat /hooked")).toBe("hooked\n");
    await pods.create("post-start-bad", { containers: [shell("app", STAYS, hook("exit 5"))] });
    await pods.untilEvent("post-start-bad", "FailedPostStartHook: PostStartHook failed");
    await pods.untilEvent("post-start-bad", "Killing: FailedPostStartHook");
  });
});
