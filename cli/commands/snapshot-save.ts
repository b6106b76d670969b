import { resolve } from "node:path";
import { openApi, readAnswer } from "../api-client.ts";
import { clusterClient, reached, refusalOf } from "../cluster-client.ts";
import { Failure } from "../failure.ts";
import { chosenHome } from "../home.ts";
import { interruptible } from "../interrupt.ts";
import { ProgressLine } from "../progress.ts";
import { describeContents, describeProgress, printSize } from "../snapshot/describe-snapshot.ts";
import { refuseExisting, writeSnapshot } from "../snapshot/snapshot-file.ts";
import { chosenTime } from "../time.ts";

/** The cut of a large cluster waits for its busy homes. */
const SILENCE_MILLISECONDS_MAX = 60_000;

export interface SnapshotSaveOptions {
  at?: string;
  cluster?: string;
  force?: boolean;
  state?: string;
}

/** `cox snapshot save`: a whole cluster as it was at one revision, in one file. */
export async function saveSnapshot(file: string, options: SnapshotSaveOptions): Promise<void> {
  const path = resolve(file);
  const at = options.at === undefined ? "" : `?at=${encodeURIComponent(chosenTime(options.at, Date.now()))}`;
  refuseExisting(path, options.force ?? false);
  const client = await clusterClient(chosenHome(options.state, process.env), options.cluster);
  const progress = new ProgressLine(process.stderr, () => performance.now());
  const saved = await interruptible((signal) =>
    reached(
      client,
      save(signal).finally(() => progress.end()),
    ),
  );
  process.stdout.write(
    `saved cluster ${saved.cluster} to ${path}: ${describeContents(saved)}, ${printSize(saved.fileBytes)}\n`,
  );

  async function save(signal: AbortSignal) {
    const timeoutMilliseconds = SILENCE_MILLISECONDS_MAX;
    const incoming = await openApi(client, "GET", `/coxswain/v1/snapshot${at}`, undefined, {
      signal,
      timeoutMilliseconds,
    });
    if (incoming.statusCode !== 200) throw new Failure(refusalOf(await readAnswer(incoming)));
    return await writeSnapshot(path, incoming, (seen) => progress.show(() => describeProgress("saving", seen)), signal);
  }
}
