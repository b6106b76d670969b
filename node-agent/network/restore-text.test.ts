import { describe, expect, test } from "vitest";
import { JUMPS, type RuleSet } from "./iptables-rules.ts";
import {
  differs,
  HOST_PORT_CHAIN,
  hasHostPorts,
  parseSave,
  restoreAll,
  restoreChanges,
  restoreNothing,
} from "./restore-text.ts";

const set = (nat: Record<string, string[]>, filter: Record<string, string[]> = {}): RuleSet => ({
  nat: new Map(Object.entries(nat)),
  filter: new Map(Object.entries(filter)),
});

const allJumps = (table: "nat" | "filter") =>
  JUMPS.filter((jump) => jump.table === table).map((jump) => `-A ${jump.from} ${jump.rule} -j ${jump.to}`);

const save = (chains: string[], rules: string[]) =>
  parseSave(
    [`*nat`, ":PREROUTING ACCEPT [0:0]", ...chains.map((name) => `:${name} - [0:0]`), ...rules, "COMMIT", ""].join(
      "\n",
    ),
  );

describe("what iptables-save says", () => {
  test("is read as far as it is ours: chains with their number of rules, and what leads there", () => {
    const saved = save(
      ["DOCKER", "KUBE-SERVICES", "KUBE-SVC-AAAAAAAAAAAAAAAA"],
      [
        "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
        '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
        "-A KUBE-SERVICES -d 10.96.0.5/32 -j KUBE-SVC-AAAAAAAAAAAAAAAA",
        "-A DOCKER -i docker0 -j RETURN",
      ],
    );
    expect(saved.chains).toEqual(
      new Map([
        ["KUBE-SERVICES", 1],
        ["KUBE-SVC-AAAAAAAAAAAAAAAA", 0],
      ]),
    );
    expect(saved.jumps).toEqual(['PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES']);
  });

  test("tells whether a pod has a host port, once those chains are asked for", () => {
    const text = "*nat\n:CNI-HOSTPORT-DNAT - [0:0]\n";
    const empty = { chains: new Map(), jumps: [] };
    expect(hasHostPorts({ nat: parseSave(text, HOST_PORT_CHAIN), filter: empty })).toBe(false);
    expect(hasHostPorts({ nat: parseSave(`${text}:CNI-DN-0a1b - [0:0]\n`, HOST_PORT_CHAIN), filter: empty })).toBe(
      true,
    );
    expect(parseSave(text).chains.size).toBe(0);
  });
});

describe("the text for iptables-restore", () => {
  test("names changed chains alone, and takes those away that are no more", () => {
    const applied = set({ "KUBE-SERVICES": ["a", "b"], "KUBE-SVC-A": ["x"], "KUBE-MARK-MASQ": ["m"] });
    const next = set({ "KUBE-SERVICES": ["b"], "KUBE-MARK-MASQ": ["m"] });
    expect(restoreChanges(applied, next)).toBe(
      "*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-A - [0:0]\n-A KUBE-SERVICES b\n-X KUBE-SVC-A\nCOMMIT\n",
    );
  });

  test("is not there where nothing has changed", () => {
    const rules = () => set({ "KUBE-SERVICES": ["a"] }, { "KUBE-FORWARD": [] });
    expect(restoreChanges(rules(), rules())).toBeUndefined();
  });

  test("tells a chain that is new and empty from one that was there", () => {
    expect(restoreChanges(set({}), set({ "KUBE-NODEPORTS": [] }))).toBe("*nat\n:KUBE-NODEPORTS - [0:0]\nCOMMIT\n");
  });

  test("changes the filter table first, so that what loses its endpoints is refused at once", () => {
    const text = restoreChanges(set({ "KUBE-SVC-A": ["x"] }), set({}, { "KUBE-SERVICES": ["r"] }))!;
    expect(text.indexOf("*filter")).toBeLessThan(text.indexOf("*nat"));
  });

  test("from an unknown state writes all, removes stale chains of ours, and puts the missing jumps first in order", () => {
    const saved = { nat: save(["KUBE-SVC-STALE"], []), filter: save([], allJumps("filter")) };
    const text = restoreAll(saved, set({ "KUBE-SERVICES": ["a"] }, { "KUBE-FORWARD": ["f"] }));
    expect(text).toContain("*filter\n:KUBE-FORWARD - [0:0]\n-A KUBE-FORWARD f\nCOMMIT\n");
    expect(text).toContain(":KUBE-SVC-STALE - [0:0]\n-A KUBE-SERVICES a\n-I ");
    const inserted = [...text.matchAll(/-I POSTROUTING .* -j (\S+)/g)].map((match) => match[1]);
    expect(inserted).toEqual(["COX-EGRESS", "KUBE-POSTROUTING"]);
    expect(text).toMatch(/-X KUBE-SVC-STALE\nCOMMIT\n$/);
  });

  test("for nothing takes away what leads to our chains before the chains, and nobody else's", () => {
    const nat = save(
      ["KUBE-SERVICES", "DOCKER"],
      [
        "-A PREROUTING -j DOCKER",
        '-A PREROUTING -m comment --comment "x" -j KUBE-SERVICES',
        "-A KUBE-SERVICES -j RETURN",
      ],
    );
    expect(restoreNothing({ nat, filter: save([], []) })).toBe(
      '*nat\n:KUBE-SERVICES - [0:0]\n-D PREROUTING -m comment --comment "x" -j KUBE-SERVICES\n-X KUBE-SERVICES\nCOMMIT\n',
    );
    expect(restoreNothing({ nat: save(["DOCKER"], []), filter: save([], []) })).toBeUndefined();
  });
});

describe("rules that somebody else has changed", () => {
  const rules = set({ "KUBE-SERVICES": ["a"] }, { "KUBE-FORWARD": ["f"] });
  const whole = () => ({
    nat: save(["KUBE-SERVICES"], [...allJumps("nat"), "-A KUBE-SERVICES -j RETURN"]),
    filter: save(["KUBE-FORWARD"], [...allJumps("filter"), "-A KUBE-FORWARD -j RETURN"]),
  });

  test("are found where a rule, a chain or a jump is missing, or a chain too many", () => {
    expect(differs(whole(), rules)).toBe(false);
    expect(differs({ ...whole(), nat: save(["KUBE-SERVICES"], allJumps("nat")) }, rules)).toBe(true);
    expect(differs({ ...whole(), nat: save([], allJumps("nat")) }, rules)).toBe(true);
    expect(differs({ ...whole(), nat: save(["KUBE-SERVICES"], ["-A KUBE-SERVICES -j RETURN"]) }, rules)).toBe(true);
    const more = save(["KUBE-SERVICES", "KUBE-SVC-X"], [...allJumps("nat"), "-A KUBE-SERVICES -j RETURN"]);
    expect(differs({ ...whole(), nat: more }, rules)).toBe(true);
  });
});
