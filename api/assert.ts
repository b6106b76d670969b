/** A bug, not an answer: rendered as a 500 in one place, never swallowed. */
export class AssertionError extends Error {
  constructor(why: string) {
    super(why);
    this.name = "AssertionError";
  }
}

/** Holds what the programmer knows to be true. Never used on what a client sends. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new AssertionError(why);
}
