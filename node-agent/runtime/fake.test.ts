import { expect, test } from "vitest";
import { runtimeContract } from "../../test/support/runtime-contract.ts";
import { fakeRuntime } from "./fake.ts";
import type { ContainerConfig, ExecResult } from "./runtime.ts";

const bytes = (text: string) => Buffer.from(text);

/** The few commands of the contract. */
function program({ command }: ContainerConfig) {
  const exec = (words: string[], stdin: Uint8Array): ExecResult => {
    const text = words.join(" ");
    if (text === "cat") return { exitCode: 0, stdout: stdin, stderr: bytes("") };
    if (text.endsWith("exit 7")) return { exitCode: 7, stdout: bytes(""), stderr: bytes("") };
    return { exitCode: 0, stdout: bytes("hello\n"), stderr: bytes("") };
  };
  return command.at(-1) === "exit 3" ? { exitAfterMilliseconds: 0, exitCode: 3, exec } : { exec };
}

runtimeContract(async () => ({
  runtime: fakeRuntime({ program, images: ["shell:1"], registry: [] }),
  image: "shell:1",
  missingImage: "nowhere/none:1",
  logDirectory: "/nowhere",
}));

test("an operation that is told to fail says why", async () => {
  const runtime = fakeRuntime({
    fail: (operation, what) => (operation === "pullImage" ? `no ${what} today` : undefined),
  });
  await expect(runtime.pullImage("a:1", undefined, {} as never)).rejects.toThrow("no a:1 today");
});
