import { describe, expect, test } from "vitest";
import {
  configKeyComplaints,
  dns1035LabelComplaints,
  dnsLabelComplaints,
  dnsSubdomainComplaints,
  domainPathComplaints,
  envNameComplaints,
  generatedName,
  labelValueComplaints,
  pathSegmentComplaints,
  portNameComplaints,
  qualifiedNameComplaints,
} from "./names.ts";

const LONG = "a".repeat(64);

describe("names", () => {
  test.each([
    ["dns label", dnsLabelComplaints, ["a", "0", "a-b", "a".repeat(63)]],
    ["subdomain", dnsSubdomainComplaints, ["a", "a.b.c", "0-1.x", "a".repeat(253)]],
    ["1035 label", dns1035LabelComplaints, ["a", "a-1"]],
    ["qualified name", qualifiedNameComplaints, ["a", "example.com/a_B.c", "a".repeat(63), "0"]],
    ["label value", labelValueComplaints, ["", "a", "A_b.c-d"]],
    ["config key", configKeyComplaints, ["a", ".a", "..".replace("..", "a..b"), "_-."]],
    ["environment variable", envNameComplaints, ["A", "1a", "a b", "a.b-c"]],
    ["port name", portNameComplaints, ["http", "a", "8080-a"]],
    ["path segment", pathSegmentComplaints, ["system:node", "a b", "..."]],
    ["domain path", domainPathComplaints, ["example.com/a/b"]],
  ] as const)("a good %s is not complained of", (_, complaintsOf, values) => {
    for (const value of values) expect(complaintsOf(value), value).toEqual([]);
  });

  test("a bad subdomain is refused in upstream's words", () => {
    expect(dnsSubdomainComplaints("Bad_Name")).toEqual([
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
        "with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ]);
    expect(dnsSubdomainComplaints("a".repeat(254))).toEqual(["must be no more than 253 characters"]);
  });

  test("a label with dots is told so, and not the pattern", () => {
    expect(dnsLabelComplaints("a.b")).toEqual(["must not contain dots"]);
    expect(dnsLabelComplaints("-a")[0]).toContain("(e.g. 'my-name',  or '123-abc', regex used");
    expect(dnsLabelComplaints(LONG)).toEqual(["must be no more than 63 characters"]);
  });

  test.each([
    ["/a", "prefix part must be non-empty"],
    ["A/a", "prefix part a lowercase RFC 1123 subdomain"],
    ["a/", "name part must be non-empty"],
    ["a/b/c", "a valid label key must consist of"],
    [LONG, "name part must be no more than 63 bytes"],
    [`${"a".repeat(254)}/b`, "prefix part must be no more than 253 bytes"],
    ["-a", "name part must consist of alphanumeric characters"],
  ])("the qualified name %s is refused: %s", (value, complaint) => {
    expect(qualifiedNameComplaints(value)[0]).toContain(complaint);
  });

  test("a name far too long is refused without being matched", () => {
    const started = qualifiedNameComplaints("a".repeat(1_000_000));
    expect(started.length).toBe(2);
  });

  test.each([
    ["..", "must not be '..'"],
    [".", "must not be '.'"],
    ["..a", "must not start with '..'"],
    ["a/b", "a valid config key must consist of"],
    ["", "a valid config key must consist of"],
  ])("the config key %j is refused: %s", (value, complaint) => {
    expect(configKeyComplaints(value)[0]).toContain(complaint);
  });

  test.each([
    ["a=b", "a valid environment variable name must consist only of printable ASCII characters other than '='"],
    ["é", "a valid environment variable name must consist only of printable ASCII characters other than '='"],
    ["", "environment variable name must be non-empty"],
  ])("the variable %j is refused", (value, complaint) => {
    expect(envNameComplaints(value)).toEqual([complaint]);
  });

  test("a port's name has at least one letter, at most 15 characters and no stray hyphens", () => {
    expect(portNameComplaints("1234")).toEqual(["must contain at least one letter (a-z)"]);
    expect(portNameComplaints("a".repeat(16))).toEqual(["must be no more than 15 characters"]);
    expect(portNameComplaints("a--b-")).toEqual([
      "must not contain consecutive hyphens",
      "must not begin or end with a hyphen",
    ]);
  });

  test("path segments refuse what a URL path cannot hold", () => {
    expect(pathSegmentComplaints("a/b%")).toEqual(["may not contain '/'", "may not contain '%'"]);
    expect(pathSegmentComplaints("..")).toEqual(["may not be '..'"]);
  });

  test("a generated name is cut so that its suffix fits into 63 characters", () => {
    expect(generatedName("web-", "x7k2p")).toBe("web-x7k2p");
    expect(generatedName(LONG, "x7k2p")).toBe(`${"a".repeat(58)}x7k2p`);
  });
});
