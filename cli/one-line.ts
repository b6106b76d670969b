/** Line ends, and whatever else a terminal would obey: C0 and C1 controls, and those that turn the direction of text. */
const OBEYED = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;

/** A text that somebody else chose, safe to be printed within a line. */
export const oneLine = (text: string): string => text.replace(OBEYED, " ").trim();
