import { expect, test } from "vitest";
import { describeContents, describeProgress, printSize } from "./describe-snapshot.ts";

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1000, "1.0 KB"],
  [99_949, "99.9 KB"],
  [345_600, "346 KB"],
  [1_234_567, "1.2 MB"],
  [5e15, "5000 TB"],
])("%d bytes are %s", (bytes, text) => {
  expect(printSize(bytes)).toBe(text);
});

test("what is done and what is there is told in words", () => {
  expect(describeProgress("saving", { homes: 3, ofHomes: 1200, objects: 1, bytes: 3_400_000 })).toBe(
    "saving: 3 of 1,200 homes, 1 object, 3.4 MB",
  );
  expect(describeContents({ revision: 7, homes: 1, objects: 2 })).toBe("revision 7, 1 home, 2 objects");
  expect(describeContents({ revision: 7, time: "2026-01-31T12:00:00.000Z", homes: 2, objects: 0 })).toBe(
    "revision 7 of 2026-01-31T12:00:00.000Z, 2 homes, 0 objects",
  );
});
