import type { CallNode, Expression, IdentifierNode, SelectNode } from "./ast.ts";
import { fail, noSuchOverload } from "./cel-error.ts";
import { asStep, Constant, type Frame, type PlanContext, planStep, type Step } from "./plan-step.ts";
import { SELECT_COST } from "./runtime-cost.ts";
import { CelList, CelMap, type CelValue, NONE, Optional, StructValue, textOf, typeNameOf, Uint } from "./values.ts";

const SELECTORS = new Set(["_[_]", "_[?_]", "_?._", "_?_:_"]);

/** A variable, something selected from something, or a choice of such: what upstream counts as one access. */
export const isAttribute = (node: Expression): node is IdentifierNode | SelectNode | CallNode =>
  (node.kind === "identifier" && !node.names) ||
  (node.kind === "select" && !node.names) ||
  (node.kind === "call" && SELECTORS.has(node.function));

/** The access costs one unit, each selection another; a choice nothing of its own. */
export function planAttribute(node: Expression, context: PlanContext): Step {
  const resolve = planResolution(node, context);
  if (isChoice(baseOf(node))) return resolve;
  const isTest = node.kind === "select" && node.test;
  if (isTest) return resolve;
  return (frame) => {
    const value = resolve(frame);
    frame.meter.charge(SELECT_COST);
    return value;
  };
}

const isChoice = (node: Expression): boolean => node.kind === "call" && node.function === "_?_:_";

/** What the selections start from. */
function baseOf(node: Expression): Expression {
  if (node.kind === "select" && !node.names && node.variable === undefined) return baseOf(node.operand);
  if (node.kind === "call" && SELECTORS.has(node.function) && !isChoice(node)) return baseOf(node.arguments[0]!);
  return node;
}

/** The value, without what the access as a whole costs. */
function planResolution(node: Expression, context: PlanContext): Step {
  if (!isAttribute(node)) return asStep(context.plan(node));
  switch (node.kind) {
    case "identifier":
      return planVariable(node.name, context);
    case "select":
      if (node.variable !== undefined) return planVariable(node.variable, context);
      return node.test ? planTest(node, context) : planSelection(node.operand, () => node.field, false, context);
    case "call":
      return node.function === "_?_:_" ? planChoice(node, context) : planIndex(node, context);
  }
}

function planVariable(name: string, context: PlanContext): Step {
  const local = context.locals.findLast((known) => known.name === name);
  if (!local) return (frame) => frame.variable(name);
  const { slot } = local;
  return (frame) => frame.slots[slot]!;
}

function planChoice(node: CallNode, context: PlanContext): Step {
  const [condition, whenTrue, whenFalse] = node.arguments as [Expression, Expression, Expression];
  const decide = planStep(condition, context);
  const [yes, no] = [planResolution(whenTrue, context), planResolution(whenFalse, context)];
  return (frame) => {
    const decision = decide(frame);
    if (typeof decision !== "boolean") return noSuchOverload();
    return decision ? yes(frame) : no(frame);
  };
}

function planIndex(node: CallNode, context: PlanContext): Step {
  const [operand, index] = node.arguments as [Expression, Expression];
  const planned = context.plan(index);
  const optional = node.function !== "_[_]";
  if (planned instanceof Constant) {
    const { value } = planned;
    return planSelection(operand, () => value, optional, context);
  }
  return planSelection(operand, isAttribute(index) ? planResolution(index, context) : planned, optional, context);
}

/** One selection: of an optional, or as an optional, absence is no error. */
function planSelection(
  operand: Expression,
  key: (frame: Frame) => CelValue,
  optional: boolean,
  context: PlanContext,
): Step {
  const base = planResolution(operand, context);
  return (frame) => {
    const from = base(frame);
    const { meter } = frame;
    if (!optional && !(from instanceof Optional)) {
      const index = key(frame);
      const found = lookUp(from, index);
      meter.charge(SELECT_COST);
      if (found !== undefined) return found;
      meter.charge(SELECT_COST);
      return missing(from, index);
    }
    const held = from instanceof Optional ? from.value : from;
    if (held === undefined) return NONE;
    const index = key(frame);
    const found = lookUp(held, index);
    if (found === undefined) return NONE;
    meter.charge(SELECT_COST);
    return new Optional(found);
  };
}

const missing = (from: CelValue, key: CelValue): never =>
  fail(`${from instanceof CelList ? "index out of bounds" : "no such key"}: ${textOf(key)}`);

/** Undefined where there is no such field, key or element. @throws Failure where it cannot be one */
function lookUp(from: CelValue, key: CelValue): CelValue | undefined {
  if (from instanceof CelMap) return from.find(key);
  if (from instanceof CelList) {
    const index = indexOf(key);
    return index >= 0 && index < from.length ? from.at(index) : undefined;
  }
  if (from instanceof StructValue) return typeof key === "string" ? from.fields.get(key) : undefined;
  return undefined;
}

function indexOf(key: CelValue): number {
  if (typeof key === "bigint") return Number(key);
  if (key instanceof Uint) return Number(key.value);
  if (typeof key !== "number") return fail(`unsupported index type '${typeNameOf(key)}' in list`);
  return Number.isInteger(key) ? key : fail(`unsupported index value ${textOf(key)} in list`);
}

/** `has(a.b)` */
function planTest(node: SelectNode, context: PlanContext): Step {
  const base = planResolution(node.operand, context);
  const { field } = node;
  return (frame) => {
    const from = base(frame);
    const held = from instanceof Optional ? from.value : from;
    const found = held !== undefined && lookUp(held, field) !== undefined;
    frame.meter.charge(SELECT_COST);
    return found;
  };
}
