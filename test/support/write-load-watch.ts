import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../../bench/support/load.ts";
import { openWatch, type Watch } from "../../bench/support/watch.ts";
import { keyOf, type RecordedChange } from "./recorded-history.ts";
import { changeOf, configMapsOf, isOfLoad } from "./write-load.ts";

const RECONNECT_MILLISECONDS = 20;
/** Of a server that answers: a watch that cannot be resumed after so many tries never will be. */
const REFUSALS_MAX = 50;
/** What is there already is told in less. */
const READ_MILLISECONDS_MAX = 30_000;

/** A watcher of the load's objects that goes on from what it was told last whenever its connection is lost. */
export class ResumingWatch {
  readonly namespace: string | undefined;
  /** It knew all up to here when it began. */
  readonly from: number;
  readonly changes: RecordedChange[] = [];
  readonly complaints: string[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #bookmarks: boolean;
  #position: number;
  #watch: Watch | undefined;
  #isStopped = false;

  constructor(server: Server, from: number, options: { namespace?: string; bookmarks?: boolean } = {}) {
    this.#server = server;
    this.namespace = options.namespace;
    this.#bookmarks = options.bookmarks ?? false;
    this.from = from;
    this.#position = from;
    void this.#run();
  }

  /** All up to here has been told, as the server says. */
  get position(): number {
    return this.#position;
  }

  /** Ends the connection, as a client that is restarted does. */
  disconnect(): void {
    this.#watch?.close();
  }

  stop(): void {
    this.#isStopped = true;
    this.disconnect();
  }

  async #run(): Promise<void> {
    for (let refusals = 0; !this.#isStopped; ) {
      try {
        const path = `${configMapsOf(this.namespace)}?watch=1&resourceVersion=${this.#position}`;
        this.#watch = await openWatch(
          this.#server,
          this.#bookmarks ? `${path}&allowWatchBookmarks=true` : path,
          (event) => this.#hear(event),
        );
        refusals = 0;
        this.connections++;
        if (this.#isStopped) this.disconnect();
        await this.#watch.ended;
      } catch (error) {
        // Nobody listens while the control plane is down; a refusal counts.
        const { message } = error as Error;
        if (message.startsWith("watch") && ++refusals === REFUSALS_MAX) return this.#complain(message);
      }
      await sleep(RECONNECT_MILLISECONDS);
    }
  }

  #hear(event: { type: string; object: any }): void {
    if (this.#isStopped) return;
    if (event.type === "ERROR") {
      this.#complain(JSON.stringify(event.object));
      this.stop();
      return;
    }
    const revision = Number(event.object.metadata.resourceVersion);
    if (event.type !== "BOOKMARK") {
      if (revision <= this.#position) this.#complain(`${event.type} at ${revision} after ${this.#position}`);
      const change = changeOf(event);
      if (isOfLoad(keyOf(change))) this.changes.push(change);
    } else if (revision < this.#position) this.#complain(`a bookmark at ${revision} after ${this.#position}`);
    this.#position = revision;
  }

  #complain(what: string): void {
    this.complaints.push(`watch of ${this.namespace ?? "all namespaces"}: ${what}`);
  }
}

/** The changes of the load's objects after one revision, up to another that is a change's. */
export async function readChanges(
  server: Server,
  namespace: string,
  after: number,
  upTo: number,
): Promise<RecordedChange[]> {
  const changes: RecordedChange[] = [];
  const path = `${configMapsOf(namespace)}?watch=1&resourceVersion=${after}`;
  let late: NodeJS.Timeout | undefined;
  const last = await new Promise<any>((resolve, reject) => {
    late = setTimeout(
      () => reject(new Error(`watch of ${namespace} after ${after}: never came to ${upTo}`)),
      READ_MILLISECONDS_MAX,
    );
    const opened = openWatch(server, path, (event) => {
      if (event.type !== "ERROR") {
        const change = changeOf(event);
        if (change.revision <= upTo && isOfLoad(keyOf(change))) changes.push(change);
        if (change.revision < upTo) return;
      }
      resolve(event);
      void opened.then((watch) => watch.close());
    });
    opened.then(({ ended }) => ended.then(() => resolve(undefined)), reject);
  }).finally(() => clearTimeout(late));
  if (!last || last.type === "ERROR")
    throw new Error(`watch of ${namespace} after ${after} ended before ${upTo}: ${JSON.stringify(last?.object)}`);
  return changes;
}
