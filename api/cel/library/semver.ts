import { Failure, fail } from "../cel-error.ts";
import { type CelFunction, celFunction, member, plain } from "../function.ts";
import { BOOL, type CelType, INT, SEMVER, STRING } from "../types.ts";
import { type CelValue, Instance } from "../values.ts";

type Three = readonly [major: bigint, minor: bigint, patch: bigint];

/** kubernetes.Semver: a version of semver.org 2.0.0. */
class SemverValue extends Instance {
  readonly type = SEMVER;
  readonly numbers: Three;
  readonly prerelease: readonly string[];

  constructor(numbers: Three, prerelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  /** What was built of it does not count. */
  equals(other: CelValue): boolean {
    return other instanceof SemverValue && compareVersions(this, other) === 0n;
  }
}

const sign = (difference: bigint): bigint => (difference < 0n ? -1n : difference > 0n ? 1n : 0n);
const DIGITS = /^\d+$/;

function compareVersions(a: SemverValue, b: SemverValue): bigint {
  for (const [i, number] of a.numbers.entries()) {
    const difference = sign(number - b.numbers[i]!);
    if (difference !== 0n) return difference;
  }
  const [left, right] = [a.prerelease, b.prerelease];
  if (left.length === 0 || right.length === 0) return sign(BigInt(right.length - left.length));
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = comparePrerelease(left[i]!, right[i]!);
    if (difference !== 0n) return difference;
  }
  return sign(BigInt(left.length - right.length));
}

function comparePrerelease(a: string, b: string): bigint {
  if (a === b) return 0n;
  const [aNumeric, bNumeric] = [DIGITS.test(a), DIGITS.test(b)];
  if (aNumeric && bNumeric) return sign(BigInt(a) - BigInt(b));
  if (aNumeric !== bNumeric) return aNumeric ? -1n : 1n;
  return a < b ? -1n : 1n;
}

const LENGTH_MAX = 1024;

/** In the words of github.com/blang/semver. @throws Failure */
function parse(text: string): SemverValue {
  if (text === "") fail("Version string empty");
  if (text.length > LENGTH_MAX) fail("Version string too long");
  const [major = "", minor, ...others] = text.split(".");
  if (minor === undefined || others.length === 0) return fail("No Major.Minor.Patch elements found");
  const rest = others.join(".");
  const plus = rest.indexOf("+");
  const build = plus < 0 ? [] : rest.slice(plus + 1).split(".");
  const unbuilt = plus < 0 ? rest : rest.slice(0, plus);
  const dash = unbuilt.indexOf("-");
  const prerelease = dash < 0 ? [] : unbuilt.slice(dash + 1).split(".");
  const patch = dash < 0 ? unbuilt : unbuilt.slice(0, dash);
  const numbers: Three = [number("Major", major), number("Minor", minor), number("Patch", patch)];
  for (const part of prerelease) checkPrerelease(part);
  for (const part of build) {
    if (part === "") fail("Build meta data is empty");
    if (!/^[0-9A-Za-z-]+$/.test(part)) fail(`Invalid character(s) found in build meta data ${JSON.stringify(part)}`);
  }
  return new SemverValue(
    numbers,
    prerelease.map((part) => (DIGITS.test(part) ? String(BigInt(part)) : part)),
  );
}

function number(name: string, text: string): bigint {
  if (text === "") fail('strconv.ParseUint: parsing "": invalid syntax');
  if (!DIGITS.test(text)) {
    fail(`Invalid character(s) found in ${name.toLowerCase()} number ${JSON.stringify(text)}`);
  }
  if (text.length > 1 && text.startsWith("0")) {
    fail(`${name} number must not contain leading zeroes ${JSON.stringify(text)}`);
  }
  const value = BigInt(text);
  return BigInt.asUintN(64, value) === value
    ? value
    : fail(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
}

function checkPrerelease(part: string): void {
  if (part === "") fail("Prerelease is empty");
  if (DIGITS.test(part) && part.length > 1 && part.startsWith("0")) {
    fail(`Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(part)}`);
  }
  if (!/^[0-9A-Za-z-]+$/.test(part)) fail(`Invalid character(s) found in prerelease ${JSON.stringify(part)}`);
}

/** `v1` → 1.0.0, `01.2` → 1.2.0. */
function parseNormalized(text: string): SemverValue {
  const bare = text.replace(/^v/, "");
  const [major = "", minor, ...others] = bare.split(".");
  const given = [major, minor, others.length > 0 ? others.join(".") : undefined].filter((part) => part !== undefined);
  const parts = given.map((part) => {
    const trimmed = part.length > 1 ? part.replace(/^0+/, "") : part;
    return part.length > 1 && !/^\d/.test(trimmed) ? `0${trimmed}` : trimmed;
  });
  if (parts.length < 3 && /[+-]/.test(parts.at(-1)!)) {
    fail("short version cannot contain PreRelease/Build meta data");
  }
  while (parts.length < 3) parts.push("0");
  return parse(parts.join("."));
}

const semverOf = ([text, normalize]: readonly CelValue[]): SemverValue =>
  normalize === true ? parseNormalized(text as string) : parse(text as string);

function isSemver(args: readonly CelValue[]): boolean {
  try {
    semverOf(args);
    return true;
  } catch (thrown) {
    if (thrown instanceof Failure) return false;
    throw thrown;
  }
}

const comparison = (name: string, id: string, result: CelType, call: (order: bigint) => CelValue): CelFunction =>
  celFunction(name, [
    member(id, [SEMVER, SEMVER], result, ([a, b]) => call(compareVersions(a as SemverValue, b as SemverValue))),
  ]);

const part = (name: string, index: 0 | 1 | 2): CelFunction =>
  celFunction(name, [
    member(`semver_${name}`, [SEMVER], INT, ([version]) => BigInt.asIntN(64, (version as SemverValue).numbers[index])),
  ]);

/** Kubernetes' functions of versions (version 1). */
export const SEMVER_LIBRARY: readonly CelFunction[] = [
  celFunction("semver", [
    plain("string_to_semver", [STRING], SEMVER, semverOf),
    plain("string_bool_to_semver", [STRING, BOOL], SEMVER, semverOf),
  ]),
  celFunction("isSemver", [
    plain("is_semver_string", [STRING], BOOL, isSemver),
    plain("is_semver_string_bool", [STRING, BOOL], BOOL, isSemver),
  ]),
  comparison("isGreaterThan", "semver_is_greater_than", BOOL, (order) => order === 1n),
  comparison("isLessThan", "semver_is_less_than", BOOL, (order) => order === -1n),
  comparison("compareTo", "semver_compare_to", INT, (order) => order),
  part("major", 0),
  part("minor", 1),
  part("patch", 2),
];
