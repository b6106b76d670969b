import ipaddr from "ipaddr.js";

const LOCAL_NAME = /^(?:.*\.)?localhost\.?$/i;

/**
 * Whether a host is plainly on this machine, or in a network that the internet does not reach (RFC 6890): an address in any spelling
 * that resolvers take (`0x7f.1`), or `localhost`. What other names stand for, the platform looks at when it connects.
 */
export function isPrivateHost(hostname: string): boolean {
  if (LOCAL_NAME.test(hostname)) return true;
  return ipaddr.isValid(hostname) && ipaddr.process(hostname).range() !== "unicast";
}
