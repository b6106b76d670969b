import { describe, expect, test } from "vitest";
import { ProgressLine, runPlainly } from "./progress.ts";

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

describe("a line of progress", () => {
  const show = (isTTY: boolean, times: number[]) => {
    const written: string[] = [];
    let time = 0;
    const output = { isTTY, columns: 12, write: (text: string) => written.push(text) > 0 };
    const line = new ProgressLine(output as unknown as NodeJS.WriteStream, () => time);
    for (time of times) line.show(() => `${time} ms of work`);
    line.end();
    return written;
  };

  test("changes in place on a terminal, is cut to its width, and goes in the end", () => {
    expect(show(true, [50, 100, 150, 5000])).toEqual(["\r\u001b[K100 ms of w", "\r\u001b[K5000 ms of ", "\r\u001b[K"]);
  });

  test("is a line now and then elsewhere, and none of what is soon done", () => {
    expect(show(false, [50, 100, 1999])).toEqual([]);
    expect(show(false, [50, 2000, 3999, 4000])).toEqual(["2000 ms of work\n", "4000 ms of work\n"]);
  });
});
