import { RE2JS } from "re2js";

/** Longer patterns are not compiled: they are answered as invalid. */
const PATTERN_CHARS_MAX = 64 * 1024;
/**
 * Instructions of all patterns of one schema. Definitions that people use have some hundreds; an instruction is about 50 bytes, and
 * a short pattern can make very many of them (`(a{100}b{100}){10}`).
 */
export const PROGRAM_SIZE_MAX = 100_000;
/** Instructions of the compiled patterns that are kept; beyond that all are forgotten. */
const KEPT_SIZE_MAX = 2 * PROGRAM_SIZE_MAX;

/** A regular expression of Go's (RE2): matching takes time in proportion to the text, whatever the pattern. */
export interface Pattern {
  /** Undefined where it does not compile. */
  readonly regex: RE2JS | undefined;
  /** In instructions. */
  readonly size: number;
  /** Why it does not compile, in the words of Go's regexp package. */
  readonly error: string | undefined;
}

const kept = new Map<string, Pattern>();
let keptSize = 0;

export function compilePattern(source: string): Pattern {
  let pattern = kept.get(source);
  if (!pattern) {
    pattern = compile(source);
    if (keptSize + pattern.size > KEPT_SIZE_MAX) {
      kept.clear();
      keptSize = 0;
    }
    kept.set(source, pattern);
    keptSize += pattern.size;
  }
  return pattern;
}

/** `size` is at least one, so that what is kept is bounded. */
const invalid = (error: string): Pattern => ({ regex: undefined, size: 1, error });

function compile(source: string): Pattern {
  if (source.length > PATTERN_CHARS_MAX) return invalid("error parsing regexp: expression too large");
  try {
    const regex = RE2JS.compile(source);
    return { regex, size: 1 + regex.programSize(), error: undefined };
  } catch (error) {
    return invalid((error as Error).message);
  }
}
