import type { ILifecycleHandler } from "kubernetes-models/v1/LifecycleHandler";
import { httpTarget, type ProbeTarget, probeHttp } from "./probes/probe.ts";

/** A postStart hook has no time-out of its own; this keeps a hanging one from holding its place for ever. */
const HOOK_SECONDS_MAX = 600;

/** Runs a lifecycle hook; what went wrong, or undefined. May reject where the runtime does. */
export async function runHook(
  hook: ILifecycleHandler,
  target: ProbeTarget,
  timeoutSeconds = HOOK_SECONDS_MAX,
): Promise<string | undefined> {
  if (hook.exec) {
    const command = [...(hook.exec.command ?? [])];
    const { exitCode } = await target.runtime.execSync(target.containerId, command, timeoutSeconds);
    return exitCode === 0 ? undefined : `command '${command.join(" ")}' exited with ${exitCode}`;
  }
  if (hook.httpGet) {
    const { url, headers } = httpTarget(hook.httpGet, target);
    const { outcome, output } = await probeHttp(url, headers, timeoutSeconds);
    return outcome === "success" ? undefined : output;
  }
  if (hook.sleep)
    await new Promise((resolve) => setTimeout(resolve, Math.min(hook.sleep!.seconds, timeoutSeconds) * 1000));
  return undefined;
}
