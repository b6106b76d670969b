import { Exhausted } from "./cel-error.ts";

/**
 * Cost units that several programs share: the rules of one object, the match conditions of one webhook. An evaluation takes what it
 * cost; the one for which nothing is left ends with a CelError of kind "budget".
 */
export class CostBudget {
  #remaining: number;

  constructor(costUnits: number) {
    this.#remaining = costUnits;
  }

  /** In cost units; negative once it is exceeded. */
  get remaining(): number {
    return this.#remaining;
  }

  spend(costUnits: number): void {
    this.#remaining -= costUnits;
  }
}

/**
 * Elementary steps of one evaluation (an element compared, a character copied). Cost units are upstream's tables, some of which say
 * nothing of the real work: `[a, a]` nested a hundred times costs a thousand units, and comparing it takes 2^100 steps.
 */
const STEPS_MAX = 5_000_000;
/** The longest list or map that an expression may make. */
const ELEMENTS_MAX = 1 << 20;
/** The longest string that an expression may make, in UTF-16 units: more than three times the largest request. */
const LENGTH_MAX = 10 * 1024 * 1024;

/** Counts what one evaluation costs. */
export class Meter {
  cost = 0;
  readonly #limit: number;
  readonly #kind: "cost" | "budget";
  #steps = 0;

  /** The limit is in cost units, and `kind` what to say when it is exceeded. */
  constructor(limit: number, kind: "cost" | "budget") {
    this.#limit = limit;
    this.#kind = kind;
  }

  charge(costUnits: number): void {
    this.cost += costUnits;
    if (this.cost > this.#limit) throw new Exhausted(this.#kind);
  }

  /** Counts elementary steps. */
  work(steps: number): void {
    this.#steps += steps;
    if (this.#steps > STEPS_MAX) throw new Exhausted("cost");
  }

  /** Refuses a list or map that would be too long before it is made. */
  room(elements: number): void {
    if (elements > ELEMENTS_MAX) throw new Exhausted("cost");
  }

  /** Refuses a string that would be too long before it is made. */
  roomForText(length: number): void {
    if (length > LENGTH_MAX) throw new Exhausted("cost");
  }
}
