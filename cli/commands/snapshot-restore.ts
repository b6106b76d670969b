import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { SNAPSHOT_MEDIA_TYPE } from "../../api/snapshot-format.ts";
import { type ApiAnswer, openApi, readAnswer } from "../api-client.ts";
import { clusterClient, reached } from "../cluster-client.ts";
import { chosenHome } from "../home.ts";
import { interruptible } from "../interrupt.ts";
import { describeMade, MAKING_MILLISECONDS_MAX } from "../new-cluster.ts";
import { ProgressLine } from "../progress.ts";
import { printSize } from "../snapshot/describe-snapshot.ts";
import { readSnapshot } from "../snapshot/snapshot-file.ts";
import { verifyShowing } from "./snapshot-status.ts";

const BAD_REQUEST = 400;

export interface SnapshotRestoreOptions {
  as?: string;
  state?: string;
}

/** `cox snapshot restore`: a new cluster with all that a snapshot holds. Nothing is sent of a file that is not whole. */
export async function restoreSnapshot(file: string, options: SnapshotRestoreOptions): Promise<void> {
  const path = resolve(file);
  const { bytes, cluster } = await verifyShowing(path);
  const name = options.as ?? cluster;
  const client = await clusterClient(chosenHome(options.state, process.env), name);
  const progress = new ProgressLine(process.stderr, () => performance.now());
  const answer = await interruptible((signal) =>
    reached(
      client,
      restore(signal).finally(() => progress.end()),
    ),
  );
  process.stdout.write(describeMade("restored", name, answer));

  async function restore(signal: AbortSignal): Promise<ApiAnswer> {
    const options = { contentType: SNAPSHOT_MEDIA_TYPE, signal, timeoutMilliseconds: MAKING_MILLISECONDS_MAX };
    const send = async (lines: string | Readable): Promise<ApiAnswer> =>
      await readAnswer(await openApi(client, "POST", "/coxswain/v1/restore", lines, options));
    // A refusal that comes while much is being sent may be lost with the connection: so nothing is sent first. Of a cluster that
    // could be made it is said that this is no snapshot.
    const asked = await send("\n");
    if (asked.code !== BAD_REQUEST) return asked;
    let sent = 0;
    const lines = readSnapshot(path).on("data", (chunk: Buffer) => {
      sent += chunk.length;
      progress.show(() => `restoring: ${printSize(sent)} of ${printSize(bytes)} sent`);
    });
    return await send(lines);
  }
}
