import type { NodeHome } from "../home.ts";
import { CNI_PLUGINS } from "./packages.ts";
import { PAUSE_IMAGE } from "./pause-image.ts";

/** What a node's containerd has to be told of this machine. */
export interface ContainerdOptions {
  snapshotter: "overlayfs" | "native";
  /** Without CAP_SYS_RESOURCE a container's OOM score cannot be set below our own. */
  mayLowerOomScore: boolean;
  appArmor: boolean;
}

/** A containerd of our own: it shares no folder, socket or plugin state with another one on the machine. */
export function containerdConfig(node: NodeHome, options: ContainerdOptions): string {
  const text = JSON.stringify; // TOML's basic strings have JSON's escapes.
  return `version = 2
root = ${text(node.containerdRoot)}
state = ${text(node.containerdState)}
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs"
]

[grpc]
  address = ${text(node.containerdSocket)}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(PAUSE_IMAGE)}
  restrict_oom_score_adj = ${!options.mayLowerOomScore}
  disable_apparmor = ${!options.appArmor}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = ${text(options.snapshotter)}
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(CNI_PLUGINS)}
    conf_dir = ${text(node.cni)}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${text(node.registries)}
`;
}

/**
 * The hosts.toml of a registry that speaks plain HTTP.
 * @param registry `host:port` as images name it
 * @param reachedAt `host:port` where this node finds it
 */
export function plainHttpRegistry(registry: string, reachedAt: string): string {
  return `server = "http://${registry}"\n\n[host."http://${reachedAt}"]\n  capabilities = ["pull", "resolve"]\n`;
}
