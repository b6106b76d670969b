import { expect, test } from "vitest";
import { homeAt, nodeHome } from "../home.ts";
import { containerdConfig, plainHttpRegistry } from "./containerd-config.ts";

const node = nodeHome(homeAt("/srv/cox"), "vm");

test("everything of a node's containerd lies below the node's folder", () => {
  const text = containerdConfig(node, { snapshotter: "overlayfs", mayLowerOomScore: true, appArmor: true });
  for (const setting of ["root", "state", "address", "conf_dir", "config_path"]) {
    expect(text).toMatch(new RegExp(`^ *${setting} = "/srv/cox/nodes/vm/`, "m"));
  }
});

test("what this machine does not allow is switched off", () => {
  const text = containerdConfig(node, { snapshotter: "native", mayLowerOomScore: false, appArmor: false });
  expect(text).toContain('snapshotter = "native"');
  expect(text).toContain("restrict_oom_score_adj = true");
  expect(text).toContain("disable_apparmor = true");
});

test("a plain HTTP registry may be reached at another address than its images name", () => {
  expect(plainHttpRegistry("127.0.0.1:5000", "172.31.200.1:5000")).toContain('[host."http://172.31.200.1:5000"]');
});
