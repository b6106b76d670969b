import { type FileHandle, open, stat } from "node:fs/promises";
import { type LogFilter, logFormatter } from "./cri-log.ts";

const CHUNK_BYTES = 64 * 1024;
/** Longer lines cannot come from containerd (max_container_log_line_size is 16 KiB). */
const LINE_BYTES_MAX = 1 << 20;
const NEWLINE = 0x0a;
/** How often a followed file is looked at. */
const FOLLOW_MILLISECONDS = 100;

export interface ReadLogOptions extends LogFilter {
  tailLines?: number;
  follow: boolean;
  /** True once the container writes no more. */
  ended(): boolean;
  signal: AbortSignal;
}

/** The text of a CRI log file, in pieces; with `follow`, until the container has ended. */
export async function* readLog(file: string, options: ReadLogOptions): AsyncGenerator<Buffer> {
  const { tailLines, follow, ended, signal } = options;
  const formatter = logFormatter(options);
  let handle = await open(file, "r");
  try {
    let at = tailLines === undefined ? 0 : await tailOffset(handle, tailLines);
    let rest: Buffer = Buffer.alloc(0);
    const buffer = Buffer.alloc(CHUNK_BYTES);
    while (!signal.aborted && !formatter.done) {
      // Asked before reading: what is written before the end is read after it.
      const last = !follow || ended();
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, at);
      at += bytesRead;
      if (bytesRead === 0) {
        const newer = await reopened(handle, file);
        if (newer) {
          await handle.close();
          handle = newer;
          at = 0;
          continue;
        }
        if (last) return;
        await new Promise((resolve) => setTimeout(resolve, FOLLOW_MILLISECONDS));
        continue;
      }
      const { lines, remainder } = splitLines(Buffer.concat([rest, buffer.subarray(0, bytesRead)]));
      rest = remainder.length > LINE_BYTES_MAX ? Buffer.alloc(0) : remainder;
      const texts: Buffer[] = [];
      for (const line of lines) {
        const text = formatter.take(line);
        if (!text) break;
        texts.push(text);
      }
      const text = Buffer.concat(texts);
      if (text.length > 0) yield text;
    }
  } finally {
    await handle.close();
  }
}

/** The file at the path, where that is another one by now: the log was rotated. */
async function reopened(handle: FileHandle, file: string): Promise<FileHandle | undefined> {
  const [mine, current] = await Promise.all([handle.stat(), stat(file).catch(() => undefined)]);
  return current === undefined || current.ino === mine.ino ? undefined : await open(file, "r");
}

function splitLines(bytes: Buffer): { lines: Buffer[]; remainder: Buffer } {
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return { lines, remainder: Buffer.from(bytes.subarray(from)) };
}

/** Where the last `lines` lines of the file begin. */
async function tailOffset(handle: FileHandle, lines: number): Promise<number> {
  const { size } = await handle.stat();
  if (lines === 0) return size;
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let found = 0;
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - CHUNK_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, end - from, from);
    for (let index = bytesRead - 1; index >= 0; index--) {
      // The file's own last newline ends its last line.
      if (buffer[index] !== NEWLINE || from + index === size - 1) continue;
      if (++found === lines) return from + index + 1;
    }
    end = from;
  }
  return 0;
}
