/** One line of a CRI log: `2026-01-02T03:04:05.678901234Z stdout F text`, `P` for a part of a longer line. */
export interface LogEntry {
  time: string;
  stream: "stdout" | "stderr";
  partial: boolean;
  /** Without the line's end. */
  text: Buffer;
}

const SPACE = 0x20;

/** Undefined where the line is not in the format (a torn write). */
export function parseLogLine(line: Buffer): LogEntry | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = line.toString("latin1", first + 1, second);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  // Tags are separated by colons; the first says whether the line is whole.
  const partial = line.toString("latin1", second + 1, third).split(":")[0] === "P";
  return { time: line.toString("latin1", 0, first), stream, partial, text: line.subarray(third + 1) };
}

export interface LogFilter {
  timestamps: boolean;
  /** Milliseconds since 1970. */
  since?: number;
  limitBytes?: number;
}

const TIME = /^([^.]*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;
const FRACTION_DIGITS = 9;

/** With all nine digits, as kubelet prints times: containerd leaves out zeros at the end. */
function fixedTime(time: string): string {
  const [, seconds, fraction = "", zone] = TIME.exec(time) ?? [];
  return seconds === undefined ? time : `${seconds}.${fraction.padEnd(FRACTION_DIGITS, "0")}${zone}`;
}

/** Turns lines of the file into what `kubectl logs` prints. `undefined` from `take`: the byte limit is reached. */
export function logFormatter({ timestamps, since, limitBytes }: LogFilter) {
  let left = limitBytes ?? Number.POSITIVE_INFINITY;
  let begins = true;
  return {
    take(line: Buffer): Buffer | undefined {
      if (left <= 0) return undefined;
      const entry = parseLogLine(line);
      if (!entry || (since !== undefined && Date.parse(entry.time) < since)) return Buffer.alloc(0);
      const parts: Uint8Array[] =
        timestamps && begins ? [Buffer.from(`${fixedTime(entry.time)} `), entry.text] : [entry.text];
      if (!entry.partial) parts.push(Buffer.from("\n"));
      begins = !entry.partial;
      const text = Buffer.concat(parts);
      const taken = text.subarray(0, Math.min(text.length, left));
      left -= taken.length;
      return taken;
    },
    get done(): boolean {
      return left <= 0;
    },
  };
}
