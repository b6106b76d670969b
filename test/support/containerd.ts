import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { criRuntime } from "../../node-agent/runtime/cri.ts";
import type { Runtime } from "../../node-agent/runtime/runtime.ts";
import { eventually } from "./cox.ts";
import { type Image, makeBusyboxImage, ociArchive } from "./images.ts";
import type { NetnsHost } from "./netns.ts";

const execute = promisify(execFile);
const PAUSE_IMAGE = "localhost/pause:test";
const CNI_BIN_DIR = "/usr/lib/cni";

/** A containerd that shares nothing with any other one on this machine. */
export interface TestContainerd {
  socket: string;
  cniConfDir: string;
  /** Where pods' logs go. */
  logs: string;
  runtime: Runtime;
  load(image: Image): Promise<void>;
  /** Removes all sandboxes, stops containerd, and removes its folder; throws where something is left behind. */
  close(): Promise<void>;
}

/** Starts one, in the network namespace of `host` where that is given. */
export async function startContainerd(host?: NetnsHost): Promise<TestContainerd> {
  const folder = await mkdtemp(join(tmpdir(), "coxswain-containerd-"));
  const socket = join(folder, "containerd.sock");
  const cniConfDir = join(folder, "cni");
  await mkdir(cniConfDir);
  await writeFile(join(folder, "config.toml"), configuration(folder, socket, cniConfDir));
  const args = ["--config", join(folder, "config.toml"), "--log-level", "warn"];
  const child = host ? host.spawn("containerd", args) : spawn("containerd", args, { stdio: ["pipe", "pipe", "pipe"] });
  let complaints = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4000);
  });
  child.stdout?.resume();
  const runtime = criRuntime(socket);
  const containerd: TestContainerd = {
    socket,
    cniConfDir,
    logs: join(folder, "logs"),
    runtime,
    async load(image) {
      const archive = join(folder, "image.tar");
      await writeFile(archive, await ociArchive(image));
      await execute("ctr", ["--address", socket, "--namespace", "k8s.io", "images", "import", archive]);
    },
    async close() {
      for (const { id } of await runtime.listSandboxes()) {
        await runtime.stopSandbox(id);
        await runtime.removeSandbox(id);
      }
      runtime.close();
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      const left = await mountsBelow(folder);
      await rm(folder, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`mounts left behind: ${left.join(", ")}`);
    },
  };
  try {
    await eventually(
      "containerd answers",
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${complaints}`);
        await runtime.version();
      },
      30,
    );
    await containerd.load(await makeBusyboxImage(PAUSE_IMAGE, [], { Entrypoint: ["/bin/sleep", "1000000"] }));
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return containerd;
}

/** Mount points below a folder. */
export async function mountsBelow(folder: string): Promise<string[]> {
  const { stdout } = await execute("findmnt", ["--raw", "--noheadings", "--output", "TARGET"]);
  return stdout.split("\n").filter((target) => target.startsWith(`${folder}/`));
}

function configuration(folder: string, socket: string, cniConfDir: string): string {
  return `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper"]

[grpc]
  address = "${socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_BIN_DIR}"
    conf_dir = "${cniConfDir}"
`;
}
