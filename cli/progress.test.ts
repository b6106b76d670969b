import { expect, test } from "vitest";
import { runPlainly } from "./progress.ts";

test("steps are told as plain lines, with what they report and what came of them", async () => {
  const lines: string[] = [];
  await runPlainly(
    [
      {
        title: "Fetch",
        run: async (report) => {
          report("half of it");
          return "2 files";
        },
      },
      { title: "Store", run: async () => undefined },
    ],
    (line) => lines.push(line),
  );
  expect(lines).toEqual(["Fetch …", "  half of it", "done: Fetch (2 files)", "Store …", "done: Store"]);
});

test("after a step that fails nothing else is begun", async () => {
  const begun: string[] = [];
  const step = (title: string, fails: boolean) => ({
    title,
    run: async () => {
      begun.push(title);
      if (fails) throw new Error("no");
      return undefined;
    },
  });
  await expect(runPlainly([step("a", false), step("b", true), step("c", false)], () => {})).rejects.toThrow("no");
  expect(begun).toEqual(["a", "b"]);
});
