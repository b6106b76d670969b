import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cox, eventually, freePort } from "../support/cox.ts";
import { makeBusyboxImage } from "../support/images.ts";
import { loadShellImage, Pods, STAYS, shell } from "../support/pods.ts";
import { guard, type Registry, startRegistry } from "../support/registry.ts";

// Pods and their machine: images, users and rights, cgroups, network and names, what the node says of itself.

const USER = "puller";
const PASSWORD = "pull-me";

let cox: Cox;
let pods: Pods;
let open: Registry;
let closed: Awaited<ReturnType<typeof guard>>;

beforeAll(async () => {
  [cox, open] = await Promise.all([Cox.up(), startRegistry()]);
  closed = await guard(open, { name: USER, password: PASSWORD });
  pods = new Pods(cox);
  await loadShellImage(cox);
});

afterAll(async () => {
  // The registry ends also where the cluster does not.
  await closed?.close();
  await open?.close();
  await cox?.destroy();
});

/** What a file of the container's cgroup says, in whichever version: `v1` below /sys/fs/cgroup, or `v2`. */
const cgroup = (v1: string, v2: string) => `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`;

describe.concurrent("images", () => {
  test("are pulled from a registry, and told of in kubelet's words", async () => {
    const image = await open.push(await makeBusyboxImage("tools/pulled:v1", [{ path: "pulled", content: "yes" }], {}));
    await pods.run("pulls", { containers: [{ ...shell("app", STAYS), image }] });
    expect(await pods.inside("pulls", "cat /pulled")).toBe("yes");
    await pods.untilEvent("pulls", `Pulling: Pulling image "${image}"`);
    const pulled = await pods.untilEvent("pulls", /^Pulled: /);
    expect(pulled.slice(0, `Pulled: Successfully pulled image "${image}"`.length)).toBe(
      `Pulled: Successfully pulled image "${image}"`,
    );
    expect(pulled).toMatch(/ in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes\.$/);
    expect(await pods.container("pulls")).toMatchObject({
      image,
      imageID: expect.stringMatching(/^127\.0\.0\.1:\d+\/tools\/pulled@sha256:[0-9a-f]{64}$/),
    });
    await pods.run("pulls-not", { containers: [{ ...shell("app", STAYS), image }] });
    await pods.untilEvent(
      "pulls-not",
      `Pulled: Container image "${image}" already present on machine and can be accessed by the pod`,
    );
  });

  test("of a closed registry need a pull secret", async () => {
    await open.push(await makeBusyboxImage("secret:v1", [], {}));
    const image = `${closed.address}/secret:v1`;
    await pods.create("denied", { containers: [{ ...shell("app", STAYS), image }] });
    await pods.untilEvent(
      "denied",
      /^Failed: Failed to pull image ".*secret:v1": .*(401|authorization failed|no basic auth)/,
    );
    await pods.untilEvent("denied", "Failed: Error: ErrImagePull");
    await cox.kubectl([
      "create",
      "secret",
      "docker-registry",
      "pull",
      `--docker-server=${closed.address}`,
      `--docker-username=${USER}`,
      `--docker-password=${PASSWORD}`,
    ]);
    await pods.run("allowed", {
      imagePullSecrets: [{ name: "pull" }],
      containers: [{ ...shell("app", STAYS), image }],
    });
    for (const text of await pods.events("denied")) expect(text).not.toContain(PASSWORD);
  });

  test("that are absent, misnamed or unreachable keep the pod waiting", async () => {
    const one = (image: string, imagePullPolicy: string) => ({ containers: [{ name: "app", image, imagePullPolicy }] });
    const unreachable = `127.0.0.1:${await freePort()}/nobody:v1`;
    await Promise.all([
      pods.create("absent", one("absent:v1", "Never")),
      pods.create("misnamed", one("Caps:v1", "IfNotPresent")),
      pods.create("unreachable", one(unreachable, "IfNotPresent")),
    ]);
    expect(await pods.untilWaiting("absent", "ErrImageNeverPull")).toEqual({
      reason: "ErrImageNeverPull",
      message: 'Container image "absent:v1" is not present with pull policy of Never',
    });
    await pods.untilEvent(
      "absent",
      'ErrImageNeverPull: Container image "absent:v1" is not present with pull policy of Never',
    );
    await pods.untilEvent("absent", "Failed: Error: ErrImageNeverPull");
    expect((await pods.untilWaiting("misnamed", "InvalidImageName")).message).toBe(
      'Failed to apply default image tag "Caps:v1": couldn\'t parse image name "Caps:v1": invalid reference format: repository name (library/Caps) must be lowercase',
    );
    await pods.untilEvent("misnamed", "Failed: Error: InvalidImageName");
    expect((await pods.untilWaiting("unreachable", "ImagePullBackOff")).message).toMatch(
      /^Back-off pulling image ".*nobody:v1": ErrImagePull: .*connection refused/,
    );
    await pods.untilEvent("unreachable", `BackOff: Back-off pulling image "${unreachable}"`);
    await pods.untilEvent("unreachable", "Failed: Error: ImagePullBackOff");
  });
});

describe.concurrent("what a container may", () => {
  test("run as another user, without rights, on a read-only file system", async () => {
    const securityContext = {
      runAsUser: 1000,
      runAsGroup: 3000,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    };
    await pods.run("confined", {
      securityContext: { fsGroup: 2000, supplementalGroups: [4000] },
      volumes: [{ name: "own", emptyDir: {} }],
      containers: [
        shell("app", STAYS, { securityContext, volumeMounts: [{ name: "own", mountPath: "/own" }] }),
        shell("free", STAYS, { securityContext: { capabilities: { add: ["NET_ADMIN"] } } }),
      ],
    });
    const inside = (script: string) => pods.inside("confined", script, "app");
    expect(await inside("id -u; id -g; id -G")).toBe("1000\n3000\n3000 2000 4000\n");
    expect(await inside("touch /x 2>&1; touch /own/x && stat -c '%u %g' /own/x")).toBe(
      "touch: /x: Read-only file system\n1000 2000\n",
    );
    expect(await inside("grep CapEff /proc/1/status; grep NoNewPrivs /proc/1/status")).toBe(
      "CapEff:\t0000000000000000\nNoNewPrivs:\t1\n",
    );
    const rights = await pods.inside(
      "confined",
      "id -u; grep CapEff /proc/1/status; ip addr add 10.9.9.9/32 dev lo && echo made",
      "free",
    );
    expect(rights).toMatch(/^0\nCapEff:\t[0-9a-f]+\nmade\n$/);
  });

  test("not run as root where that is forbidden", async () => {
    await pods.create("no-root", { securityContext: { runAsNonRoot: true }, containers: [shell("app", STAYS)] });
    expect((await pods.untilWaiting("no-root", "CreateContainerConfigError")).message).toMatch(
      /^container has runAsNonRoot and image will run as root \(pod: "no-root_default\([-0-9a-f]+\)", container: app\)$/,
    );
  });

  test("use cpu and memory up to its limits", async () => {
    await pods.run("limited", {
      containers: [
        shell("app", STAYS, {
          resources: { requests: { cpu: "100m", memory: "16Mi" }, limits: { cpu: "250m", memory: "32Mi" } },
        }),
        shell("other", STAYS, { resources: { requests: { cpu: "50m" } } }),
      ],
    });
    const read = (v1: string, v2: string) => pods.inside("limited", cgroup(v1, v2), "app");
    expect(await read("memory/memory.limit_in_bytes", "memory.max")).toBe(`${32 * 2 ** 20}\n`);
    expect(await read("cpu/cpu.cfs_quota_us", "cpu.max")).toMatch(/^25000( 100000)?\n$/);
    expect(await read("cpu/cpu.shares", "cpu.weight")).toMatch(/^(102|4)\n$/);
    expect((await pods.get("limited")).status.qosClass).toBe("Burstable");
    expect(Number(await pods.inside("limited", "cat /proc/1/oom_score_adj", "app"))).toBeGreaterThan(900);
  });
});

describe.concurrent("the network", () => {
  test("has the cluster's names, and aliases", async () => {
    await pods.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "named" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const web = `mkdir /www; hostname > /www/index.html; httpd -p 8080 -h /www; ${STAYS}`;
    await pods.runReady("web", { containers: [shell("app", web)] });
    await pods.run("asks", {
      hostAliases: [{ ip: "10.1.2.3", hostnames: ["one.example", "two.example"] }],
      dnsConfig: { options: [{ name: "timeout", value: "2" }], searches: ["example.com"] },
      containers: [shell("app", STAYS)],
    });
    const inside = (script: string) => pods.inside("asks", script);
    const { clusterIP } = (await cox.get("service", "named")).spec;
    const resolv = await inside("cat /etc/resolv.conf");
    expect(resolv).toContain("nameserver 10.96.0.10\n");
    expect(resolv).toMatch(/^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local .*example\.com$/m);
    expect(resolv).toMatch(/^options ndots:5 timeout:2$/m);
    expect(await inside("cat /etc/hosts")).toContain(
      "# Entries added by HostAliases.\n10.1.2.3\tone.example\ttwo.example\n",
    );
    const full = "named.default.svc.cluster.local";
    await eventually("the name", async () => expect(await inside(`nslookup -type=a ${full}`)).toContain(clusterIP));
    for (const name of ["named", "named.default", "named.default.svc", full])
      expect(await eventually("the page", () => inside(`wget -qO- http://${name}/`))).toBe("web\n");
    expect(
      (await cox.try("kubectl", ["exec", "asks", "--", "nslookup", "nobody.default.svc.cluster.local"])).stdout,
    ).toContain("NXDOMAIN");
    expect(await inside("nslookup kubernetes.default.svc.cluster.local")).toContain("10.96.0.1");
  });

  test("of the node is there for pods that ask for it, as is a port of it", async () => {
    const [onNode, mapped] = [await freePort(), await freePort()];
    const web = (port: number) => `mkdir -p /www; hostname > /www/index.html; httpd -p ${port} -h /www; ${STAYS}`;
    await Promise.all([
      pods.runReady("on-node", { hostNetwork: true, containers: [shell("app", web(onNode))] }),
      pods.runReady("mapped", {
        containers: [shell("app", web(8080), { ports: [{ containerPort: 8080, hostPort: mapped }] })],
      }),
    ]);
    const { status, spec } = await pods.get("on-node");
    expect(status.podIP).toBe(status.hostIP);
    const page = (host: string, port: number) => async () =>
      (await fetch(`http://${host}:${port}/`, { signal: AbortSignal.timeout(3000) })).text();
    expect(await eventually("hostNetwork", page("127.0.0.1", onNode))).toBe(`${spec.nodeName}\n`);
    expect(await eventually("hostPort", page(status.hostIP, mapped))).toBe("mapped\n");
    expect(await eventually("hostPort on loopback", page("127.0.0.1", mapped))).toBe("mapped\n");
    await pods.create("conflicts", {
      containers: [shell("app", STAYS, { ports: [{ containerPort: 8080, hostPort: mapped }] })],
    });
    await pods.untilEvent(
      "conflicts",
      /^FailedScheduling: 0\/1 nodes are available: 1 node\(s\) didn't have free ports for the requested pod ports\./,
    );
  });
});

describe.concurrent("the node", () => {
  test("tells what it is and has", async () => {
    const { items } = await cox.get("nodes");
    const [{ metadata, status }] = items;
    expect(metadata.labels).toMatchObject({ "kubernetes.io/os": "linux", "kubernetes.io/hostname": metadata.name });
    for (const resource of ["cpu", "memory", "ephemeral-storage", "pods"]) {
      expect(status.capacity).toHaveProperty([resource]);
      expect(status.allocatable).toHaveProperty([resource]);
    }
    expect(Number.parseInt(status.allocatable.memory, 10)).toBeLessThan(Number.parseInt(status.capacity.memory, 10));
    const conditions = Object.fromEntries(status.conditions.map((one: any) => [one.type, [one.status, one.reason]]));
    expect(conditions).toEqual({
      MemoryPressure: ["False", "KubeletHasSufficientMemory"],
      DiskPressure: ["False", "KubeletHasNoDiskPressure"],
      PIDPressure: ["False", "KubeletHasSufficientPID"],
      Ready: ["True", "KubeletReady"],
    });
    expect(status.addresses.map(({ type }: any) => type)).toEqual(["InternalIP", "Hostname"]);
    expect(status.nodeInfo).toMatchObject({
      operatingSystem: "linux",
      containerRuntimeVersion: expect.stringMatching(/^containerd:\/\/\d+\.\d+/),
      kubeletVersion: expect.stringMatching(/^v1\.36/),
      kernelVersion: expect.stringMatching(/^\d+\.\d+/),
      osImage: expect.stringMatching(/\S/),
      bootID: expect.stringMatching(/\S/),
      machineID: expect.stringMatching(/\S/),
    });
    await eventually("the image is listed", async () => {
      const [node] = (await cox.get("nodes")).items;
      expect(JSON.stringify(node.status.images)).toContain("docker.io/library/shell:v1");
    });
  });

  test("is described with what its pods take", async () => {
    await pods.run("takes", {
      containers: [
        shell("app", STAYS, {
          resources: { requests: { cpu: "150m", memory: "10Mi" }, limits: { cpu: "300m", memory: "20Mi" } },
        }),
      ],
    });
    const described = await cox.kubectl(["describe", "node"]);
    expect(described).toMatch(/default +takes +150m \(\d+%\) +300m \(\d+%\) +10Mi \(\d+%\) +20Mi \(\d+%\)/);
    expect(described).toMatch(/Allocated resources:\n[\s\S]*cpu +\d+m \(\d+%\) +\d+m \(\d+%\)/);
    expect(described).toMatch(/PodCIDR: +10\.244\.0\.0\/24/);
    expect(described).toMatch(/Ready +True .*KubeletReady +kubelet is posting ready status/);
    for (const reason of ["Starting", "NodeHasSufficientMemory", "NodeReady"])
      expect(described).toMatch(new RegExp(`Normal +${reason} `));
    expect(described).toMatch(/Node (\S+) status is now: NodeReady/);
  });
});
