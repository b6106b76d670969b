import { describe, expect, test } from "vitest";
import { homeAt } from "../home.ts";
import { agentPlan, simulatedNodeNames } from "./agent.ts";

const home = homeAt("/srv/cox");

describe("a node's agent", () => {
  test("is pointed at its server, its own state and its containerd", () => {
    const { command, args, nodes, runtime } = agentPlan(home, {
      name: "vm",
      server: "https://127.0.0.1:6443",
      containerd: "/run/c.sock",
    });
    expect(command).toBe(process.execPath);
    expect(args.join(" ")).toContain("--server https://127.0.0.1:6443 --node-name vm --state /srv/cox/nodes/vm/agent");
    expect(args.join(" ")).toContain("--containerd /run/c.sock");
    expect([nodes, runtime]).toEqual([["vm"], "containerd"]);
  });

  test("enters the network of its node where that has a namespace", () => {
    const { command, args } = agentPlan(home, {
      name: "vm-2",
      server: "https://172.31.200.1:6443",
      containerd: "/run/c.sock",
      namespace: "cox200-2",
      address: "172.31.200.2",
    });
    expect([command, args[0]]).toEqual(["nsenter", "--net=/run/netns/cox200-2"]);
    expect(args.join(" ")).toContain("--node-ip 172.31.200.2");
  });

  test("without a containerd simulates as many nodes as asked", () => {
    const { args, nodes, runtime } = agentPlan(home, {
      name: "simulated",
      server: "https://127.0.0.1:6443",
      simulated: 3,
    });
    expect(args.join(" ")).toContain("--fake --fake-count 3");
    expect([nodes, runtime]).toEqual([simulatedNodeNames("simulated", 3), "fake"]);
  });
});
