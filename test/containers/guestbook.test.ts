import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leftovers } from "../support/containers.ts";
import { Cox, eventually, run } from "../support/cox.ts";

// Bars 1 and 2 of "the spine": a real application, with real kubectl, in real containers.

const EXAMPLE = fileURLToPath(new URL("../../examples/guestbook", import.meta.url));
const TIERS = ["frontend", "backend"];
const SETTLE_SECONDS = 120;

let cox: Cox;
let images: string;
let before: Awaited<ReturnType<typeof leftovers>>;

beforeAll(async () => {
  cox = await Cox.up();
  before = await leftovers(cox.home, TIERS);
  images = await mkdtemp(join(tmpdir(), "coxswain-images-"));
  const built = await run("node", [join(EXAMPLE, "images.ts"), images]);
  expect(built.stderr, built.stderr).not.toContain("Error");
  for (const file of await readdir(images))
    if (file.endsWith(".tar")) await cox.cox(["image", "load", join(images, file)]);
});

afterAll(async () => {
  await cox?.destroy();
  if (images) await rm(images, { recursive: true, force: true });
});

const fetchText = async (url: string): Promise<string> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000), headers: { connection: "close" } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return text;
};

const frontend = async () => (await cox.get("service", "frontend")).spec;

describe("the guestbook", () => {
  test("serves through its ClusterIP and a NodePort", async () => {
    await cox.kubectl(["apply", "-f", join(EXAMPLE)]);
    await cox.kubectl(["rollout", "status", "deployment/backend", `--timeout=${SETTLE_SECONDS}s`]);
    await cox.kubectl(["rollout", "status", "deployment/frontend", `--timeout=${SETTLE_SECONDS}s`]);
    const { clusterIP, ports } = await frontend();
    const byClusterIp = await eventually("ClusterIP", () => fetchText(`http://${clusterIP}:${ports[0].port}/`));
    const byNodePort = await eventually("NodePort", () => fetchText(`http://127.0.0.1:${ports[0].nodePort}/`));
    expect(byClusterIp).toContain("v1");
    expect(byNodePort).toContain("v1");
  });

  test("the tiers reach each other: what is written in the frontend is read from the backend", async () => {
    const { clusterIP, ports } = await frontend();
    const base = `http://${clusterIP}:${ports[0].port}`;
    await fetchText(`${base}/cgi-bin/guestbook?entry=ahoy`);
    expect(await fetchText(`${base}/cgi-bin/guestbook`)).toContain("ahoy");
  });

  test("kubectl get and describe show what kubectl users look for", async () => {
    expect(await cox.kubectl(["get", "pods"])).toMatch(
      /NAME +READY +STATUS +RESTARTS +AGE\n(.+ 1\/1 +Running +0 +\d+s\n)+/,
    );
    expect(await cox.kubectl(["get", "nodes"])).toMatch(/ Ready +.*v1\.36/);
    const described = await cox.kubectl(["describe", "pods", "-l", "app=frontend"]);
    for (const reason of ["Scheduled", "Pulled", "Created", "Started"]) expect(described).toContain(reason);
    expect(await cox.kubectl(["describe", "deployment", "frontend"])).toContain("ScalingReplicaSet");
  });

  test("scales to 5", async () => {
    await cox.kubectl(["scale", "deployment/frontend", "--replicas=5"]);
    await cox.kubectl(["rollout", "status", "deployment/frontend", `--timeout=${SETTLE_SECONDS}s`]);
    expect((await cox.get("deployment", "frontend")).status.readyReplicas).toBe(5);
  });

  test("no request fails while it is updated to a new image and rolled back", async () => {
    const { clusterIP, ports } = await frontend();
    const url = `http://${clusterIP}:${ports[0].port}/`;
    const failures: string[] = [];
    const seen = new Set<string>();
    let requests = 0;
    let running = true;
    const client = async () => {
      while (running) {
        requests++;
        await fetchText(url).then(
          (text) => seen.add(/v\d/.exec(text)?.[0] ?? text),
          (error) => failures.push(String(error?.cause ?? error)),
        );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const clients = Promise.all([client(), client(), client()]);
    try {
      await cox.kubectl(["set", "image", "deployment/frontend", "frontend=guestbook-frontend:v2"]);
      await cox.kubectl(["rollout", "status", "deployment/frontend", `--timeout=${SETTLE_SECONDS}s`]);
      await eventually("only v2 answers", async () => expect(await fetchText(url)).toContain("v2"));
      await cox.kubectl(["rollout", "undo", "deployment/frontend"]);
      await cox.kubectl(["rollout", "status", "deployment/frontend", `--timeout=${SETTLE_SECONDS}s`]);
      await eventually("v1 is back", async () => expect(await fetchText(url)).toContain("v1"));
    } finally {
      running = false;
      await clients;
    }
    expect(failures).toEqual([]);
    expect([...seen].sort()).toEqual(["v1", "v2"]);
    expect(requests).toBeGreaterThan(100);
    expect(await cox.kubectl(["rollout", "history", "deployment/frontend"])).toMatch(/2 .*\n3 /);
  });

  test("logs -f follows, exec -it enters", async () => {
    const follow = cox.try("kubectl", ["logs", "-f", "deployment/frontend", "--tail=1", "--pod-running-timeout=10s"]);
    const pods = (await cox.get("pods", "-l", "app=frontend")).items as {
      metadata: { name: string; deletionTimestamp?: string };
    }[];
    // Those of the rollout before this may still be on their way out.
    const pod = pods.find(({ metadata }) => !metadata.deletionTimestamp);
    const entered = await run(
      "script",
      ["-qec", `kubectl exec -it ${pod!.metadata.name} -- sh -c 'tty; echo entered; exit 3'`, "/dev/null"],
      { ...process.env, KUBECONFIG: join(cox.home, "kubeconfig") },
    );
    expect(entered.stdout).toContain("/dev/pts/");
    expect(entered.stdout).toContain("entered");
    expect(await cox.kubectl(["exec", "-i", pod!.metadata.name, "--", "cat"], "through stdin")).toBe("through stdin");
    expect((await cox.try("kubectl", ["exec", pod!.metadata.name, "--", "sh", "-c", "exit 3"])).code).toBe(3);
    expect(await cox.kubectl(["logs", pod!.metadata.name, "--tail=5"])).not.toBe("");
    await cox.kubectl(["delete", "pod", "-l", "app=frontend", "--wait=false"]);
    expect((await follow).code).toBe(0);
  });

  test("an image that cannot be pulled says so in status and events", async () => {
    await cox.kubectl(["run", "absent", "--image=127.0.0.1:1/absent:v1"]);
    await eventually("ImagePullBackOff", async () => {
      const pod = await cox.get("pod", "absent");
      expect(pod.status.containerStatuses[0].state.waiting.reason).toBe("ImagePullBackOff");
    });
    const described = await cox.kubectl(["describe", "pod", "absent"]);
    expect(described).toContain("ErrImagePull");
    expect(described).toMatch(/Failed to pull image "127\.0\.0\.1:1\/absent:v1".*connection refused/);
    await cox.kubectl(["delete", "pod", "absent"]);
  });

  test("delete -f leaves no container, mount, veth or iptables rule behind", async () => {
    await cox.kubectl(["delete", "-f", join(EXAMPLE)]);
    await eventually("no pods", async () => expect((await cox.get("pods")).items).toEqual([]));
    await eventually("nothing of it is left on the machine", async () =>
      expect(await leftovers(cox.home, TIERS)).toEqual(before),
    );
  });
});
