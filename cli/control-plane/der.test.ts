import { describe, expect, test } from "vitest";
import * as der from "./der.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("DER", () => {
  test("an integer gets a leading zero where its first bit would make it negative, and loses those it needs not", () => {
    expect(hex(der.integer(Uint8Array.of(0x80)))).toBe("02020080");
    expect(hex(der.integer(Uint8Array.of(0, 0, 0x7f)))).toBe("02017f");
    expect(hex(der.integer(Uint8Array.of(0)))).toBe("020100");
  });

  test("lengths from 128 on take further bytes", () => {
    expect(hex(der.octetString(new Uint8Array(127))).slice(0, 4)).toBe("047f");
    expect(hex(der.octetString(new Uint8Array(128))).slice(0, 6)).toBe("048180");
    expect(hex(der.octetString(new Uint8Array(300))).slice(0, 8)).toBe("0482012c");
    expect(() => der.octetString(new Uint8Array(65_536))).toThrow(RangeError);
  });

  test("an object identifier is written in groups of seven bits", () => {
    expect(hex(der.objectIdentifier("1.2.840.10045.4.3.2"))).toBe("06082a8648ce3d040302");
  });

  test("a time has two digits of the year until 2049, four after", () => {
    expect(Buffer.from(der.time(new Date("2026-11-22T12:00:01.5Z"))).toString("latin1")).toBe("\x17\x0d261122120001Z");
    expect(Buffer.from(der.time(new Date("2050-01-01T00:00:00Z"))).toString("latin1")).toBe("\x18\x0f20500101000000Z");
  });
});
