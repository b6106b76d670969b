import type { Expression } from "./ast.ts";
import type { CelFunction } from "./function.ts";
import type { Meter } from "./meter.ts";
import type { CelValue } from "./values.ts";

/** What one evaluation works on. */
export interface Frame {
  readonly meter: Meter;
  /** A variable of the environment. @throws Failure */
  variable(name: string): CelValue;
  /** Variables of comprehensions, each in a place of its own. */
  readonly slots: CelValue[];
}

/** @throws Failure for an error of the language, Exhausted for too much of anything. */
export type Step = (frame: Frame) => CelValue;

/** What the planner knows while it walks. */
export interface PlanContext {
  function(name: string): CelFunction | undefined;
  /** The places of the variables of the comprehensions around, innermost last. */
  readonly locals: { readonly name: string; readonly slot: number }[];
  slots: number;
  plan(node: Expression): Planned;
}

/** A value that is known before any evaluation; it costs nothing. */
export class Constant {
  readonly value: CelValue;

  constructor(value: CelValue) {
    this.value = value;
  }
}

export type Planned = Step | Constant;

export const asStep = (planned: Planned): Step => {
  if (!(planned instanceof Constant)) return planned;
  const { value } = planned;
  return () => value;
};

export const planStep = (node: Expression, context: PlanContext): Step => asStep(context.plan(node));
