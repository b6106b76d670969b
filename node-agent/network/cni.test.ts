import { describe, expect, test } from "vitest";
import { bridgeName, cniConfig } from "./cni.ts";

describe("a node's bridge", () => {
  test("is named for the node where the name fits an interface", () => {
    expect(bridgeName("node-1")).toBe("cox-node-1");
    expect(bridgeName("a2345678901")).toHaveLength(15);
  });

  test.each(["a23456789012", "node.example.com", "ip-10-0-0-1.eu-west-1.compute.internal"])(
    "of %s has a name that fits, and is no other node's",
    (name) => {
      expect(bridgeName(name)).toMatch(/^cox-[0-9a-f]{11}$/);
      expect(bridgeName(name)).not.toBe(bridgeName(`${name}0`));
    },
  );
});

describe("the CNI configuration", () => {
  const facts = { bridge: "cox-n1", podCidrs: ["10.244.1.0/24"], mtu: 1450, dataDir: "/state/cni", hasPortmap: true };

  test("gives out the node's addresses on its bridge, and leaves masquerading to the rules", () => {
    const [bridge] = JSON.parse(cniConfig(facts)).plugins;
    expect(bridge).toMatchObject({ type: "bridge", bridge: "cox-n1", mtu: 1450, ipMasq: false, hairpinMode: true });
    expect(bridge.ipam.ranges).toEqual([[{ subnet: "10.244.1.0/24" }]]);
  });

  test("serves host ports where the plugin is there", () => {
    const types = (hasPortmap: boolean) =>
      JSON.parse(cniConfig({ ...facts, hasPortmap })).plugins.map(({ type }: { type: string }) => type);
    expect(types(true)).toEqual(["bridge", "portmap"]);
    expect(types(false)).toEqual(["bridge"]);
  });
});
