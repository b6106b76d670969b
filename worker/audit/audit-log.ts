/** Where an audit log goes: lines of JSON, several at a time. */
export interface AuditSink {
  /** Rejects where the lines may not have been kept. */
  write(lines: string): Promise<void>;
}

/** Who keeps an isolate alive until a promise has settled: the context of a request. */
export interface Keeper {
  waitUntil(promise: Promise<unknown>): void;
}

/** An event as it will be written; of one that is too large the bodies are left out. */
export interface AuditEvent {
  annotations?: Record<string, string>;
  requestObject?: unknown;
  responseObject?: unknown;
  [field: string]: unknown;
}

export interface AuditLogOptions {
  sink: AuditSink;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** Events gather for so long: requests that come together share a write. */
const GATHER_MILLISECONDS = 100;
/** Of one write. */
const BATCH_CHARS_MAX = 4 << 20;
/** What an isolate holds while its sink is slow; what comes then is dropped, and counted. */
const HELD_CHARS_MAX = 16 << 20;
/** Bodies are left out of a larger event. */
const EVENT_CHARS_MAX = 1 << 20;
/** A write that takes longer has failed. */
const WRITE_MILLISECONDS_MAX = 10_000;
const WRITES_MAX = 3;
const RETRY_MILLISECONDS = 1_000;
/** Whoever was to write may have been lost with its request: after so long another takes over. */
const LOST_MILLISECONDS = 2 * WRITES_MAX * WRITE_MILLISECONDS_MAX;
const DROPPED = "coxswain.dev/dropped-events";
/** As upstream's truncating backend marks an event. */
const TRUNCATED = "audit.k8s.io/truncated";

/**
 * The audit log of an isolate. No request waits for it: events gather in memory, bounded, and are written behind the requests' backs. What had to be
 * dropped is said by the next event that is not.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  #lines: string[] = [];
  #chars = 0;
  #dropped = 0;
  /** When whoever writes began; undefined while nobody does. */
  #writingSince: number | undefined;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  add(event: AuditEvent): void {
    const said = this.#dropped > 0 ? withAnnotation(event, DROPPED, String(this.#dropped)) : event;
    let line = JSON.stringify(said);
    if (line.length > EVENT_CHARS_MAX) {
      const { requestObject: _, responseObject: __, ...rest } = said;
      line = JSON.stringify(withAnnotation(rest, TRUNCATED, "true"));
    }
    if (this.#chars + line.length > HELD_CHARS_MAX) {
      if (this.#dropped++ === 0) console.warn("the audit log's sink is too slow: events are dropped");
      return;
    }
    this.#dropped = 0;
    this.#lines.push(line);
    this.#chars += line.length;
  }

  /** Has what was added written, by this request's context unless another's is at it. */
  flush(keeper: Keeper): void {
    const now = this.#options.now();
    const isWriting = this.#writingSince !== undefined && now - this.#writingSince < LOST_MILLISECONDS;
    if (isWriting || this.#lines.length === 0) return;
    this.#writingSince = now;
    keeper.waitUntil(this.#write(now));
  }

  async #write(since: number): Promise<void> {
    await this.#options.sleep(GATHER_MILLISECONDS);
    // Another may have taken over.
    while (this.#lines.length > 0 && this.#writingSince === since) await this.#writeBatch();
    if (this.#writingSince === since) this.#writingSince = undefined;
  }

  async #writeBatch(): Promise<void> {
    let chars = 0;
    let count = 0;
    for (const line of this.#lines) {
      if (count > 0 && chars + line.length > BATCH_CHARS_MAX) break;
      chars += line.length;
      count++;
    }
    const lines = this.#lines.splice(0, count);
    this.#chars -= chars;
    const text = `${lines.join("\n")}\n`;
    for (let i = 1; ; i++) {
      try {
        await this.#inTime(this.#options.sink.write(text));
        return;
      } catch (error) {
        if (i < WRITES_MAX) {
          await this.#options.sleep(RETRY_MILLISECONDS);
          continue;
        }
        console.warn(`${count} events of the audit log could not be written: ${String(error)}`);
        this.#dropped += count;
        return;
      }
    }
  }

  async #inTime(written: Promise<void>): Promise<void> {
    await Promise.race([
      written,
      this.#options.sleep(WRITE_MILLISECONDS_MAX).then(() => {
        throw new Error("it took too long");
      }),
    ]);
  }
}

const withAnnotation = (event: AuditEvent, key: string, value: string): AuditEvent => ({
  ...event,
  annotations: { ...event.annotations, [key]: value },
});
