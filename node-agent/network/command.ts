import { execFile } from "node:child_process";

/** Longer than any command here takes that will ever end. */
const COMMAND_SECONDS = 30;
const OUTPUT_BYTES_MAX = 64 << 20;

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program (no shell) to its end and tells how it ended, whatever its code. Code 127: there is no such program. */
export type Run = (program: string, args: readonly string[], input?: string) => Promise<CommandResult>;

export const run: Run = (program, args, input) =>
  new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { timeout: COMMAND_SECONDS * 1000, maxBuffer: OUTPUT_BYTES_MAX, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (!error) return resolve({ code: 0, stdout, stderr });
        const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
        const code = typeof error.code === "number" ? error.code : missing ? 127 : 1;
        resolve({ code, stdout, stderr: stderr || error.message });
      },
    );
    // A program that ends before it has read its input closes the pipe; how it ended says enough.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input ?? "");
  });

/** Runs a program that must succeed: throws an Error of one line with what it complained of. */
export async function runOk(run: Run, program: string, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, input);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${firstLine(stderr) || `exit code ${code}`}`);
  return stdout;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
