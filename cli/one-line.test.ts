import { expect, test } from "vitest";
import { oneLine } from "./one-line.ts";

test("what others wrote moves neither the cursor nor the line", () => {
  expect(oneLine("a\r\nb\u001b[2Jc\u009b1md\u2028e\u202ef")).toBe("a b [2Jc 1md e f");
  expect(oneLine("  plain: ü → 東 ")).toBe("plain: ü → 東");
});
