import type { SnapshotSeen } from "./check-snapshot.ts";

const UNITS = ["bytes", "KB", "MB", "GB", "TB"];
const STEP = 1000;

/** A size in the largest unit that leaves a digit before the point: `512 bytes`, `3.4 MB`. */
export function printSize(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= STEP && unit < UNITS.length - 1) [size, unit] = [size / STEP, unit + 1];
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit]}`;
}

/** `1 home`, `1,200 objects`. */
const printCount = (count: number, what: string): string =>
  `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

/** `saving: 3 of 12 homes, 1,200 objects, 3.4 MB`. */
export function describeProgress(doing: string, { homes, ofHomes, objects, bytes }: SnapshotSeen): string {
  const done = `${homes.toLocaleString("en")} of ${printCount(ofHomes, "home")}`;
  return `${doing}: ${done}, ${printCount(objects, "object")}, ${printSize(bytes)}`;
}

/** What a snapshot, or what was made of one, holds: `revision 123, 2 homes, 37 objects`. */
export const describeContents = (contents: {
  revision: number;
  time?: string;
  homes: number;
  objects: number;
}): string =>
  [
    `revision ${contents.revision}${contents.time === undefined ? "" : ` of ${contents.time}`}`,
    printCount(contents.homes, "home"),
    printCount(contents.objects, "object"),
  ].join(", ");
