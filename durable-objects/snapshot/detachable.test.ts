import { expect, test } from "vitest";
import { TestPlatform } from "../../test/support/home.ts";
import { detachable } from "./detachable.ts";

test("a platform does what it did, until it is taken away", () => {
  const given = new TestPlatform();
  const { platform, detach } = detachable(given);
  platform.database.transaction(() => platform.database.exec("CREATE TABLE things (id INTEGER)"));
  platform.setAlarm(5);
  expect([platform.now(), given.alarmAt]).toEqual([given.time, 5]);

  detach();
  expect(() => platform.database.exec("INSERT INTO things VALUES (1)")).toThrow("has been replaced");
  expect(() => platform.database.transaction(() => undefined)).toThrow("has been replaced");
  platform.setAlarm(1);
  expect(given.alarmAt).toBe(5);
  expect([...given.database.exec("SELECT * FROM things")]).toEqual([]);
});
