const encoder = new TextEncoder();

/** A UTF-16 unit is at most so many bytes of UTF-8. */
const BYTES_OF_UNIT_MAX = 3;

/** Whether texts are longer, as UTF-8 and all together, than `bytesMax`. Only what may be is encoded to be measured. */
export function areLonger(texts: readonly string[], bytesMax: number): boolean {
  let units = 0;
  for (const text of texts) units += text.length;
  if (units * BYTES_OF_UNIT_MAX <= bytesMax) return false;
  let bytes = 0;
  for (const text of texts) bytes += encoder.encode(text).length;
  return bytes > bytesMax;
}
