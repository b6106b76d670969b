import { expect, test } from "vitest";
import { describeFieldError, type FieldError } from "./field-error.ts";
import { FieldPath } from "./field-path.ts";
import { checkCidr, checkIp, checkNonSpecialIp, contains, parseCidr, parseIp } from "./ip.ts";

const complaints = (
  check: (value: string, path: FieldPath, errors: FieldError[]) => unknown,
  value: string,
): string[] => {
  const errors: FieldError[] = [];
  check(value, FieldPath.of("ip"), errors);
  return errors.map(describeFieldError);
};

test("addresses of both families are read", () => {
  expect(parseIp("10.0.0.1")).toMatchObject({ family: "IPv4", canonical: "10.0.0.1" });
  expect(parseIp("2001:DB8:0:0::1")).toMatchObject({ family: "IPv6", canonical: "2001:db8::1" });
});

test.each([
  ["10.0.0", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"],
  ["0x0a.0.0.1", "must be a valid IP address"],
  ["300.0.0.1", "must be a valid IP address"],
  ["fe80::1%eth0", "must be a valid IP address"],
  ["010.0.0.1", "must not have leading 0s"],
  ["::ffff:10.0.0.1", "must not be an IPv4-mapped IPv6 address"],
  ["2001:DB8::1", 'must be in canonical form ("2001:db8::1")'],
])("%s is refused: %s", (value, message) => {
  expect(complaints(checkIp, value)[0]).toContain(message);
});

test("networks have no bits beyond their prefix", () => {
  expect(complaints(checkCidr, "10.0.0.0/24")).toEqual([]);
  expect(complaints(checkCidr, "10.0.0.1/24")[0]).toContain("must not have bits set beyond the prefix length");
  expect(complaints(checkCidr, "10.0.0.0/33")[0]).toContain("must be a valid CIDR value");
  expect(complaints(checkCidr, "10.0.0.0")[0]).toContain("must be a valid CIDR value");
});

test("an address lies in a network, or does not", () => {
  const network = parseCidr("10.96.0.0/12")!;
  expect(contains(network, parseIp("10.111.255.255")!)).toBe(true);
  expect(contains(network, parseIp("10.112.0.0")!)).toBe(false);
  expect(contains(network, parseIp("::1")!)).toBe(false);
});

test.each([
  ["0.0.0.0", "may not be unspecified (0.0.0.0)"],
  ["127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  ["169.254.1.1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  ["224.0.0.1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
])("%s is nobody's endpoint: %s", (value, message) => {
  expect(complaints(checkNonSpecialIp, value)[0]).toContain(message);
});
