import { spawn } from "node:child_process";
import { constants } from "node:os";

const NOT_FOUND_EXIT_CODE = 127;
const KILL_AFTER_SECONDS = 10;

/**
 * Runs a command in the foreground, its output shown; SIGTERM is passed on to it.
 * @returns its exit code, as a shell would tell it
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; minutesMax: number },
): Promise<number> {
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: "inherit" });
  const pass = () => child.kill("SIGTERM");
  process.on("SIGTERM", pass);
  const late = setTimeout(() => {
    console.error(`${command} ${args.join(" ")} has taken ${options.minutesMax} minutes: stopping it`);
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_SECONDS * 1000).unref();
  }, options.minutesMax * 60_000);
  return new Promise<number>((resolve) => {
    child.once("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(NOT_FOUND_EXIT_CODE);
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  }).finally(() => {
    clearTimeout(late);
    process.off("SIGTERM", pass);
  });
}
