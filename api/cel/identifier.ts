/** Words of the CEL grammar; a property of such a name is `__namespace__` in an expression. */
const RESERVED = new Set(
  (
    "true false null in as break const continue else for function if import let loop package namespace return " +
    "var void while"
  ).split(" "),
);

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ESCAPABLE = /^[A-Za-z_./-][A-Za-z0-9_./-]*$/;
const SPECIAL = /__|[./-]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};
const ESCAPED = /__([^_]+)__/g;
const UNESCAPES = new Map(Object.entries(ESCAPES).map(([character, escaped]) => [escaped, character]));

/** The name of a property in CEL (k8s.io/apiserver/pkg/cel Escape), or nothing where the property cannot be named. */
export function escapeIdentifier(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (PLAIN.test(name) && !name.includes("__")) return name;
  return ESCAPABLE.test(name) ? name.replace(SPECIAL, (found) => ESCAPES[found]!) : undefined;
}

/** The property that an escaped name means, or nothing where it is not one. */
export function unescapeIdentifier(name: string): string | undefined {
  if (!name.includes("__")) return name;
  let valid = true;
  const unescaped = name.replace(ESCAPED, (found, word: string) => {
    const character = UNESCAPES.get(found);
    if (character !== undefined) return character;
    if (!RESERVED.has(word) || found.length !== name.length) valid = false;
    return word;
  });
  return valid ? unescaped : undefined;
}

/** Identifiers that expressions cannot use as variables or functions. */
export const isReservedWord = (name: string): boolean => RESERVED.has(name);
