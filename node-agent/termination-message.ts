import { ANNOTATION, LABEL } from "./pod-config.ts";
import type { ContainerStatus } from "./runtime/runtime.ts";
import { readLog } from "./streams/read-log.ts";
import type { PodVolumes } from "./volumes/pod-volumes.ts";

// As much as kubelet takes of a log in place of a message.
const LOG_LINES_MAX = 80;
const LOG_BYTES_MAX = 2048;

/** A container's last words: what it wrote to its terminationMessagePath or, where its policy wants that, its log's end. */
export async function terminationMessage(
  volumes: PodVolumes,
  container: ContainerStatus,
  uid: string,
): Promise<string> {
  const { labels, annotations, attempt, exitCode, logPath } = container;
  const written = await volumes.terminationMessage(uid, labels[LABEL.containerName] ?? container.name, attempt);
  const policy = annotations[ANNOTATION.terminationMessagePolicy];
  if (written !== "" || policy !== "FallbackToLogsOnError" || exitCode === 0 || !logPath) return written;
  return logEnd(logPath);
}

async function logEnd(file: string): Promise<string> {
  let end: Buffer = Buffer.alloc(0);
  const { signal } = new AbortController();
  const options = { tailLines: LOG_LINES_MAX, follow: false, timestamps: false, ended: () => true, signal };
  try {
    for await (const piece of readLog(file, options)) end = Buffer.concat([end, piece]).subarray(-LOG_BYTES_MAX);
  } catch (error) {
    return `Error reading termination message from logs: ${(error as Error).message}`;
  }
  return end.toString();
}
