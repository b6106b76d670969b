const encoder = new TextEncoder();

/** Bytes of a text as UTF-8. A text in ASCII, as most are, is not encoded to be measured. */
export const byteLength = (text: string): number => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return encoder.encode(text).length;
  return text.length;
};
