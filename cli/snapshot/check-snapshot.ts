import { createHash } from "node:crypto";
import { LineSplitter, type Sha256, type SnapshotHeader, SnapshotVerifier } from "../../api/snapshot-format.ts";

/** What a whole, undamaged snapshot holds. */
export interface SnapshotSummary {
  cluster: string;
  revision: number;
  /** RFC 3339. */
  time: string;
  homes: number;
  objects: number;
  /** Objects by resource (`pods`, `deployments.apps`). */
  resources: Map<string, number>;
  /** Of the lines. */
  bytes: number;
}

/** How far a snapshot has passed; `ofHomes`: 0 while that is not known. */
export interface SnapshotSeen {
  homes: number;
  ofHomes: number;
  objects: number;
  bytes: number;
}

/** Checks a snapshot while its bytes pass, and counts what is in it. */
export class SnapshotCheck {
  readonly #onProgress: (seen: SnapshotSeen) => void;
  readonly #splitter = new LineSplitter();
  readonly #verifier = new SnapshotVerifier(sha256);
  readonly #resources = new Map<string, number>();
  #homes = 0;
  #objects = 0;
  #bytes = 0;

  /** @param onProgress told with every piece */
  constructor(onProgress: (seen: SnapshotSeen) => void) {
    this.#onProgress = onProgress;
  }

  /** For a pipeline: lets bytes pass until something is wrong with them. What has passed is good only once all has. @throws SnapshotError */
  async *pass(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      await this.#take(chunk);
      this.#onProgress(this.seen);
      yield chunk;
    }
    this.#verifier.finish(this.#splitter.unfinished);
  }

  /** Of a snapshot that has passed. */
  get summary(): SnapshotSummary {
    const { cluster, revision, time } = this.#verifier.header as SnapshotHeader;
    const { homes, objects, bytes } = this.seen;
    return { cluster, revision, time, homes, objects, resources: this.#resources, bytes };
  }

  get seen(): SnapshotSeen {
    const ofHomes = this.#verifier.header?.homes.length ?? 0;
    return { homes: this.#homes, ofHomes, objects: this.#objects, bytes: this.#bytes };
  }

  async #take(chunk: Uint8Array): Promise<void> {
    this.#bytes += chunk.length;
    for (const bytes of this.#splitter.push(chunk)) {
      // What has nothing to wait for is not waited for: nearly all lines are objects'.
      const line = this.#verifier.object(bytes) ?? (await this.#verifier.line(bytes));
      if (line.type === "homeEnd") this.#homes++;
      if (line.type !== "object") continue;
      this.#objects++;
      this.#resources.set(line.resource, (this.#resources.get(line.resource) ?? 0) + 1);
    }
  }
}

function sha256(): Sha256 {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}
