import type { Bytes } from "./bytes.ts";

/** As Go names them; the numbers are RFC 8446's. */
const ALERT_NAMES: Readonly<Record<number, string>> = {
  10: "unexpected message",
  20: "bad record MAC",
  40: "handshake failure",
  42: "bad certificate",
  45: "expired certificate",
  48: "unknown certificate authority",
  49: "access denied",
  50: "error decoding message",
  51: "error decrypting message",
  70: "protocol version not supported",
  71: "insufficient security level",
  80: "internal error",
  109: "missing extension",
  112: "unrecognized name",
  116: "certificate required",
  120: "no application protocol",
};

/** What a received alert says, in the words of Go's crypto/tls. */
export const alertError = ([, code = 0]: Bytes): Error =>
  new Error(`remote error: tls: ${ALERT_NAMES[code] ?? `alert(${code})`}`);
