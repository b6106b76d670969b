export interface ReadAheadOptions<R> {
  /** Readings under way or not taken yet, at most. */
  width: number;
  /** While what waits to be taken is larger than this, nothing more is begun. */
  sizeMax: number;
  sizeOf(result: R): number;
  /** Something was read that nobody takes any more. */
  drop?(result: R): void;
}

/** Reads items in their order, some of them before they are asked for. */
export async function* readAhead<T, R>(
  items: readonly T[],
  read: (item: T) => Promise<R>,
  { width, sizeMax, sizeOf, drop = () => undefined }: ReadAheadOptions<R>,
): AsyncGenerator<R, void> {
  const begun: Promise<R>[] = [];
  let next = 0;
  let size = 0;
  const begin = (): void => {
    while (next < items.length && begun.length < width && (size < sizeMax || begun.length === 0)) {
      const reading = read(items[next++]!).then((result) => {
        size += sizeOf(result);
        return result;
      });
      // A failure is told when its turn comes.
      reading.catch(() => undefined);
      begun.push(reading);
    }
  };
  try {
    for (begin(); begun.length > 0; begin()) {
      const result = await begun.shift()!;
      size -= sizeOf(result);
      yield result;
    }
  } finally {
    for (const reading of begun) void reading.then(drop, () => undefined);
  }
}
