const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};

/** The text between the quotes of a string literal, and whether it is raw. */
function content(literal: string): { text: string; raw: boolean } {
  const raw = literal[0] === "r" || literal[0] === "R";
  const quoted = raw ? literal.slice(1) : literal;
  const quotes = quoted.startsWith('"""') || quoted.startsWith("'''") ? 3 : 1;
  return { text: quoted.slice(quotes, -quotes).replace(/\r\n?/g, "\n"), raw };
}

const ESCAPE = /\\(?:([xX])([0-9a-fA-F]{2})|[uU]([0-9a-fA-F]{8}|[0-9a-fA-F]{4})|([0-3][0-7][0-7])|(.))/gs;

/** The value of a string literal as it is written. @throws Error with upstream's sentence. */
export function unquoteString(literal: string): string {
  const { text, raw } = content(literal);
  if (raw || !text.includes("\\")) return text;
  return text.replace(ESCAPE, (_, _x, hex?: string, unicode?: string, octal?: string, simple?: string) => {
    if (simple !== undefined) return simple in SIMPLE ? String.fromCharCode(SIMPLE[simple]!) : simple;
    const code = octal === undefined ? Number.parseInt(hex ?? unicode!, 16) : Number.parseInt(octal, 8);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new Error("invalid unicode code point");
    return String.fromCodePoint(code);
  });
}

/** The value of a bytes literal as it is written, `b` included. @throws Error with upstream's sentence. */
export function unquoteBytes(literal: string): Uint8Array {
  const { text, raw } = content(literal.slice(1));
  const encoder = new TextEncoder();
  if (raw || !text.includes("\\")) return encoder.encode(text);
  const parts: Uint8Array[] = [];
  let copied = 0;
  for (const match of text.matchAll(ESCAPE)) {
    parts.push(encoder.encode(text.slice(copied, match.index)));
    copied = match.index + match[0].length;
    const [, , hex, unicode, octal, simple = ""] = match;
    if (unicode !== undefined) throw new Error("unable to unescape string");
    const byte =
      hex !== undefined ? Number.parseInt(hex, 16) : octal !== undefined ? Number.parseInt(octal, 8) : undefined;
    parts.push(Uint8Array.of(byte ?? SIMPLE[simple] ?? simple.charCodeAt(0)));
  }
  parts.push(encoder.encode(text.slice(copied)));
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}
