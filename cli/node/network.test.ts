import { describe, expect, test } from "vitest";
import { addressOnBridge, freeOctet, inNamespace, namespaceOf } from "./network.ts";

const bridge = { octet: 201 };

describe("the nodes' network", () => {
  test("the first node is the machine itself, each further one has a namespace and an address of its own", () => {
    expect(namespaceOf(bridge, 1)).toBeUndefined();
    expect(namespaceOf(bridge, 2)).toBe("cox201-2");
    expect(addressOnBridge(bridge, 2)).toBe("172.31.201.2");
  });

  test("a command enters the network of a namespace, and nothing else of it", () => {
    expect(inNamespace(undefined, ["ls"])).toEqual(["ls"]);
    expect(inNamespace("cox201-2", ["ls", "-l"])).toEqual(["nsenter", "--net=/run/netns/cox201-2", "--", "ls", "-l"]);
  });

  test("the subnet is the first that overlaps no network of the machine", () => {
    expect(freeOctet(["192.168.0.0/16", "0.0.0.0/0", "fe80::/64", "nonsense"])).toBe(200);
    expect(freeOctet(["172.31.200.0/24", "172.31.201.7/32"])).toBe(202);
  });

  test("there is none where a wider network takes them all", () => {
    expect(freeOctet(["172.16.0.0/12"])).toBeUndefined();
  });
});
