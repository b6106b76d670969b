/** Why an evaluation has no value. */
export class CelError extends Error {
  /**
   * "evaluation": the expression's own error, `message` is upstream's (`no such key: x`).
   * "cost": one evaluation exceeded what one may cost. "budget": the budget that is shared is used up.
   */
  readonly kind: "evaluation" | "cost" | "budget";

  constructor(kind: CelError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** An error as a value of the language: `||` and `&&` may absorb it. Thrown within an evaluation alone; without a stack, which would cost more than the evaluation. */
export class Failure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Ends an evaluation; nothing absorbs it. */
export class Exhausted {
  readonly kind: "cost" | "budget";

  constructor(kind: Exhausted["kind"]) {
    this.kind = kind;
  }
}

export function fail(message: string): never {
  throw new Failure(message);
}

export const noSuchOverload = (): never => fail("no such overload");
