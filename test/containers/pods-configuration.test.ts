import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cox, eventually } from "../support/cox.ts";
import { configMap, loadShellImage, Pods, STAYS, secret, shell } from "../support/pods.ts";

// What containers of a pod find: each other, environment, files, network, limits. Real kubectl, real containers.

let cox: Cox;
let pods: Pods;
let onHost: string;

beforeAll(async () => {
  cox = await Cox.up();
  pods = new Pods(cox);
  onHost = await mkdtemp(join(tmpdir(), "coxswain-host-path-"));
  await loadShellImage(cox);
  await pods.apply(
    configMap("settings", { color: "blue", "size.txt": "large\n" }),
    secret("keys", { password: "s3cret", "token.txt": "t0ken\n" }),
    { apiVersion: "v1", kind: "Service", metadata: { name: "cache-one" }, spec: { ports: [{ port: 6379 }] } },
  );
});

afterAll(async () => {
  await cox?.destroy();
  if (onHost) await rm(onHost, { recursive: true, force: true });
});

describe.concurrent("containers of one pod", () => {
  test("share volumes, the network and the host name; init containers have run before, in order", async () => {
    const volumeMounts = [
      { name: "disk", mountPath: "/disk" },
      { name: "memory", mountPath: "/memory" },
    ];
    const say = (text: string) => `echo ${text} >> /disk/order; sleep 0.3`;
    await pods.runReady("shared", {
      volumes: [
        { name: "disk", emptyDir: {} },
        { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "2Mi" } },
      ],
      initContainers: [
        shell("first", say("first"), { volumeMounts }),
        shell("sidecar", `${say("sidecar")}; ${STAYS}`, {
          volumeMounts,
          restartPolicy: "Always",
          startupProbe: { exec: { command: ["grep", "sidecar", "/disk/order"] }, periodSeconds: 1 },
        }),
        shell("second", say("second"), { volumeMounts }),
      ],
      containers: [
        shell("writer", `echo shared > /memory/file; httpd -p 8080 -h /memory; ${STAYS}`, { volumeMounts }),
        shell("reader", STAYS, { volumeMounts }),
      ],
    });
    expect(await cox.kubectl(["get", "pod", "shared", "--no-headers"])).toMatch(/^shared +3\/3 +Running +0 /);
    const inReader = (script: string) => pods.inside("shared", script, "reader");
    expect(await inReader("cat /disk/order")).toBe("first\nsidecar\nsecond\n");
    expect(await inReader("cat /memory/file; wget -qO- http://127.0.0.1:8080/file; hostname")).toBe(
      "shared\nshared\nshared\n",
    );
    expect(await inReader("grep -c 'tmpfs /memory .*size=2048k' /proc/mounts")).toBe("1\n");
    const { status } = await pods.get("shared");
    expect(
      status.initContainerStatuses.map(({ state, ready, started }: any) => [Object.keys(state)[0], ready, started]),
    ).toEqual([
      ["terminated", true, false],
      ["running", true, true],
      ["terminated", true, false],
    ]);
    expect(status.initContainerStatuses[0].state.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
  });

  test("wait for init containers; one that fails for good fails the pod", async () => {
    await pods.create("init-never", {
      restartPolicy: "Never",
      initContainers: [shell("breaks", "sleep 1; exit 4"), shell("next", "true")],
      containers: [shell("app", STAYS)],
    });
    await pods.until("init-never", "{.status.phase}", "Failed");
    expect(await pods.column("init-never")).toBe("Init:Error");
    const { status } = await pods.get("init-never");
    expect(status.initContainerStatuses[0].state.terminated).toMatchObject({ exitCode: 4, reason: "Error" });
    expect(status.initContainerStatuses[1].state.waiting.reason).toBe("PodInitializing");
    expect(status.containerStatuses[0].state.waiting.reason).toBe("PodInitializing");
    expect(status.conditions).toContainEqual(
      expect.objectContaining({
        type: "Initialized",
        status: "False",
        reason: "ContainersNotInitialized",
        message: "containers with incomplete status: [breaks next]",
      }),
    );
  });

  test("wait for an init container that is tried again and again", async () => {
    const volumeMounts = [{ name: "disk", mountPath: "/disk" }];
    await pods.create("init-again", {
      volumes: [{ name: "disk", emptyDir: {} }],
      initContainers: [
        shell("breaks", "echo x >> /disk/tries; test $(wc -l < /disk/tries) -gt 2", { volumeMounts }),
        shell("next", "sleep 1"),
      ],
      containers: [shell("app", STAYS)],
    });
    await eventually("Init:CrashLoopBackOff", async () =>
      expect(await pods.column("init-again")).toBe("Init:CrashLoopBackOff"),
    );
    await eventually("Init:1/2", async () => expect(await pods.column("init-again")).toBe("Init:1/2"));
    await pods.until("init-again", "{.status.phase}", "Running");
    expect(await pods.container("init-again", "breaks")).toMatchObject({ restartCount: 2, ready: true });
  });
});

describe.concurrent("the environment", () => {
  test("comes from literals, ConfigMaps, Secrets, fields, resources and services", async () => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    const amount = (name: string, resource: string, divisor?: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource, ...(divisor && { divisor }) } },
    });
    await pods.run(
      "environment",
      {
        containers: [
          shell("app", STAYS, {
            resources: { requests: { cpu: "100m", memory: "16Mi" }, limits: { cpu: "250m", memory: "32Mi" } },
            args: ["$(GREETING)", "$$(GREETING)", "$(UNKNOWN)"],
            envFrom: [
              { configMapRef: { name: "settings" }, prefix: "SETTING_" },
              { secretRef: { name: "keys" } },
              { configMapRef: { name: "absent", optional: true } },
            ],
            env: [
              { name: "GREETING", value: "ahoy" },
              {
                name: "EXPANDED",
                value: "$(GREETING) $(SETTING_color) $(CACHE_ONE_SERVICE_PORT) $(NOT_KNOWN) $$(GREETING)",
              },
              { name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } },
              { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "keys", key: "password" } } },
              { name: "ABSENT", valueFrom: { secretKeyRef: { name: "keys", key: "absent", optional: true } } },
              field("NAME", "metadata.name"),
              field("NAMESPACE", "metadata.namespace"),
              field("UID", "metadata.uid"),
              field("LABEL", "metadata.labels['app']"),
              field("NOTE", "metadata.annotations['note']"),
              field("NODE", "spec.nodeName"),
              field("ACCOUNT", "spec.serviceAccountName"),
              field("POD_IP", "status.podIP"),
              field("HOST_IP", "status.hostIP"),
              amount("CPU_LIMIT", "limits.cpu", "1m"),
              amount("CPUS", "limits.cpu"),
              amount("MEMORY_REQUEST", "requests.memory", "1Mi"),
            ],
          }),
        ],
      },
      { annotations: { note: "well noted" } },
    );
    const { metadata, spec, status } = await pods.get("environment");
    const printed = (await pods.inside("environment", "tr '\\0\\n' '\\n ' < /proc/1/environ")).split("\n");
    const found = Object.fromEntries(printed.map((line) => line.split(/=(.*)/s)));
    const service = (await cox.get("service", "cache-one")).spec.clusterIP;
    expect(found).toMatchObject({
      SETTING_color: "blue",
      "SETTING_size.txt": "large ",
      password: "s3cret",
      GREETING: "ahoy",
      EXPANDED: "ahoy blue 6379 $(NOT_KNOWN) $(GREETING)",
      COLOR: "blue",
      PASSWORD: "s3cret",
      NAME: "environment",
      NAMESPACE: "default",
      UID: metadata.uid,
      LABEL: "environment",
      NOTE: "well noted",
      NODE: spec.nodeName,
      ACCOUNT: "default",
      POD_IP: status.podIP,
      HOST_IP: status.hostIP,
      CPU_LIMIT: "250",
      CPUS: "1",
      MEMORY_REQUEST: "16",
      HOSTNAME: "environment",
      CACHE_ONE_SERVICE_HOST: service,
      CACHE_ONE_SERVICE_PORT: "6379",
      CACHE_ONE_PORT: `tcp://${service}:6379`,
      CACHE_ONE_PORT_6379_TCP_ADDR: service,
      KUBERNETES_SERVICE_PORT_HTTPS: "443",
    });
    expect(found).not.toHaveProperty("ABSENT");
    expect(await pods.inside("environment", "tr '\\0' '|' < /proc/1/cmdline")).toContain(
      "|ahoy|$(GREETING)|$(UNKNOWN)|",
    );
  });

  test("waits for a ConfigMap that is missing", async () => {
    const valueFrom = { configMapKeyRef: { name: "late", key: "color" } };
    await pods.create("env-late", { containers: [shell("app", STAYS, { env: [{ name: "COLOR", valueFrom }] })] });
    expect(await pods.untilWaiting("env-late", "CreateContainerConfigError")).toEqual({
      reason: "CreateContainerConfigError",
      message: 'configmap "late" not found',
    });
    expect(await pods.column("env-late")).toBe("CreateContainerConfigError");
    await pods.untilEvent("env-late", 'Failed: Error: configmap "late" not found');
    await pods.apply(configMap("late", { colour: "red" }));
    await pods.until(
      "env-late",
      "{.status.containerStatuses[0].state.waiting.message}",
      "couldn't find key color in ConfigMap default/late",
    );
    await pods.apply(configMap("late", { color: "red" }));
    await pods.until("env-late", "{.status.phase}", "Running");
    expect(await pods.inside("env-late", "echo $COLOR")).toBe("red\n");
  });
});

describe.concurrent("volumes", () => {
  test("hold ConfigMaps, Secrets, fields and folders of the node", async () => {
    await writeFile(join(onHost, "there"), "on the node\n");
    const mount = (name: string, more: object = {}) => ({ name, mountPath: `/${name}`, ...more });
    await pods.run("volumes", {
      volumes: [
        { name: "settings", configMap: { name: "settings" } },
        { name: "keys", secret: { secretName: "keys", defaultMode: 0o400 } },
        {
          name: "items",
          secret: { secretName: "keys", items: [{ key: "token.txt", path: "deep/token", mode: 0o440 }] },
        },
        { name: "optional", configMap: { name: "absent", optional: true } },
        {
          name: "projected",
          projected: {
            sources: [
              { configMap: { name: "settings", items: [{ key: "color", path: "color" }] } },
              { secret: { name: "keys" } },
              { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
            ],
          },
        },
        {
          name: "fields",
          downwardAPI: {
            items: [
              { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
              { path: "cpu", resourceFieldRef: { containerName: "app", resource: "limits.cpu", divisor: "1m" } },
            ],
          },
        },
        { name: "host", hostPath: { path: onHost, type: "Directory" } },
        { name: "made", hostPath: { path: join(onHost, "made"), type: "DirectoryOrCreate" } },
        { name: "scratch", emptyDir: {} },
      ],
      containers: [
        shell("app", STAYS, {
          resources: { limits: { cpu: "200m" } },
          env: [{ name: "WHO", value: "me" }],
          volumeMounts: [
            ...["settings", "keys", "items", "optional", "projected", "fields", "made"].map((name) => mount(name)),
            mount("host", { readOnly: true }),
            mount("settings", { mountPath: "/etc/one.txt", subPath: "size.txt" }),
            mount("scratch", { subPathExpr: "of/$(WHO)" }),
            mount("scratch", { mountPath: "/whole" }),
          ],
        }),
      ],
    });
    const inside = (script: string) => pods.inside("volumes", script);
    expect(await inside("cat /settings/color /settings/size.txt /etc/one.txt")).toBe("bluelarge\nlarge\n");
    expect(await inside("stat -Lc '%a %n' /keys/password /items/deep/token /settings/color; ls /items")).toBe(
      "400 /keys/password\n440 /items/deep/token\n644 /settings/color\ndeep\n",
    );
    expect(await inside("ls /optional; ls /projected; cat /projected/color /projected/name")).toBe(
      "color\nname\npassword\ntoken.txt\nbluevolumes",
    );
    expect(await inside("cat /fields/labels; echo; cat /fields/cpu")).toBe('app="volumes"\n200');
    expect(await inside("cat /host/there; touch /host/x 2>&1; echo made > /made/file")).toBe(
      "on the node\ntouch: /host/x: Read-only file system\n",
    );
    expect(await readFile(join(onHost, "made", "file"), "utf8")).toBe("made\n");
    expect(await inside("echo mine > /scratch/file; cat /whole/of/me/file")).toBe("mine\n");
    expect(await inside("grep -c 'tmpfs /keys ' /proc/mounts; touch /settings/x 2>/dev/null || echo readonly")).toBe(
      "1\nreadonly\n",
    );
  });

  test("follow their ConfigMap", async () => {
    await pods.apply(configMap("moves", { text: "before" }));
    const volumeMounts = [{ name: "moves", mountPath: "/moves" }];
    await pods.run("follower", {
      volumes: [{ name: "moves", configMap: { name: "moves" } }],
      containers: [shell("app", STAYS, { volumeMounts })],
    });
    expect(await pods.inside("follower", "cat /moves/text")).toBe("before");
    await pods.apply(configMap("moves", { text: "after", more: "new" }));
    await eventually(
      "the file changes",
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        expect(await pods.inside("follower", "cat /moves/text /moves/more")).toBe("afternew");
      },
      120,
    );
  });

  test("wait for a Secret that is missing", async () => {
    const volumeMounts = [{ name: "late", mountPath: "/late" }];
    await pods.create("mount-late", {
      volumes: [{ name: "late", secret: { secretName: "late-keys" } }],
      containers: [shell("app", STAYS, { volumeMounts })],
    });
    await pods.untilEvent(
      "mount-late",
      'FailedMount: MountVolume.SetUp failed for volume "late" : secret "late-keys" not found',
    );
    expect(await pods.column("mount-late")).toBe("ContainerCreating");
    await pods.apply(secret("late-keys", { password: "better" }));
    await pods.until("mount-late", "{.status.phase}", "Running");
    expect(await pods.inside("mount-late", "cat /late/password")).toBe("better");
  });
});
