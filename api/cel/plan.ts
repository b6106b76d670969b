import type { CallNode, Expression } from "./ast.ts";
import { Failure, fail, noSuchOverload } from "./cel-error.ts";
import type { CelFunction, Overload } from "./function.ts";
import type { Meter } from "./meter.ts";
import { isAttribute, planAttribute } from "./plan-attribute.ts";
import { planFold } from "./plan-fold.ts";
import { asStep, Constant, type Frame, type PlanContext, type Planned, planStep, type Step } from "./plan-step.ts";
import { costOfCalls, LIST_COST, MAP_COST, STRUCT_COST } from "./runtime-cost.ts";
import { type CelType, runtimeName } from "./types.ts";
import { type CelValue, ListValue, MapValue, Optional, StructValue, TypeValue, textOf, typeNameOf } from "./values.ts";

/**
 * Turns a checked expression into closures (cel-go's planner and interpreter with its cost tracker).
 * @throws Failure where a constant cannot be converted
 */
export function planExpression(
  root: Expression,
  functionNamed: PlanContext["function"],
): { readonly step: Step; readonly slots: number } {
  const context: PlanContext = { function: functionNamed, locals: [], slots: 0, plan: (node) => plan(node, context) };
  const step = planStep(root, context);
  return { step, slots: context.slots };
}

function plan(node: Expression, context: PlanContext): Planned {
  switch (node.kind) {
    case "literal":
      return new Constant(node.value);
    case "identifier":
    case "select":
      return node.names ? new Constant(new TypeValue(runtimeName(node.names))) : planAttribute(node, context);
    case "call":
      return isAttribute(node) ? planAttribute(node, context) : planCall(node, context);
    case "list":
      return planList(node, context);
    case "map":
      return planMap(node, context);
    case "struct":
      return planStruct(node, context);
    case "fold":
      return planFold(node, context);
  }
}

const present = (value: CelValue, complaint: (value: CelValue) => string): CelValue | undefined =>
  value instanceof Optional ? value.value : fail(complaint(value));

function planList(node: Expression & { kind: "list" }, context: PlanContext): Planned {
  const planned = node.elements.map((element) => context.plan(element));
  if (node.optional.size === 0 && planned.every((element) => element instanceof Constant)) {
    return new Constant(new ListValue(planned.map(({ value }) => value)));
  }
  const elements = planned.map(asStep);
  const { optional } = node;
  return (frame) => {
    const values: CelValue[] = [];
    for (let i = 0; i < elements.length; i++) {
      const value = elements[i]!(frame);
      if (!optional.has(i)) values.push(value);
      else {
        const held = present(
          value,
          (wrong) => `cannot initialize optional list element from non-optional value ${textOf(wrong)}`,
        );
        if (held !== undefined) values.push(held);
      }
    }
    frame.meter.charge(LIST_COST);
    return new ListValue(values);
  };
}

const notOptional = (key: string) => (value: CelValue) =>
  `cannot initialize optional entry '${key}' from non-optional value ${textOf(value)}`;

function planMap(node: Expression & { kind: "map" }, context: PlanContext): Planned {
  const entries = node.entries.map(({ key, value, optional }) => ({
    key: context.plan(key),
    value: context.plan(value),
    optional,
  }));
  const steps = entries.map(({ key, value, optional }) => ({ key: asStep(key), value: asStep(value), optional }));
  const isConstant = entries.every(
    ({ key, value, optional }) => key instanceof Constant && value instanceof Constant && !optional,
  );
  const make = (frame: Frame | undefined): MapValue => {
    const map = new MapValue();
    for (const { key, value, optional } of steps) {
      const [name, given] = [key(frame!), value(frame!)];
      if (!isKey(name)) fail(`unsupported key type: ${typeNameOf(name)}`);
      const held = optional ? present(given, notOptional(textOf(name))) : given;
      if (held !== undefined) map.set(name, held);
    }
    return map;
  };
  if (isConstant) return new Constant(make(undefined));
  return (frame) => {
    const map = make(frame);
    frame.meter.charge(MAP_COST);
    return map;
  };
}

const isKey = (value: CelValue): boolean => ["string", "int", "uint", "double", "bool"].includes(typeNameOf(value));

function planStruct(node: Expression & { kind: "struct" }, context: PlanContext): Step {
  const name = runtimeName(node.type!);
  const fields = node.fields.map(({ name: field, value, optional }) => ({
    field,
    value: planStep(value, context),
    optional,
  }));
  return (frame) => {
    const values = new Map<string, CelValue>();
    for (const { field, value, optional } of fields) {
      const given = value(frame);
      const held = optional ? present(given, notOptional(field)) : given;
      if (held === undefined) values.delete(field);
      else values.set(field, held);
    }
    frame.meter.charge(STRUCT_COST);
    return new StructValue(name, values);
  };
}

function planCall(node: CallNode, context: PlanContext): Planned {
  switch (node.function) {
    case "_&&_":
      return planLogical(node, context, false);
    case "_||_":
      return planLogical(node, context, true);
    case "or":
    case "orValue":
      return planOptionalOr(node, context);
  }
  const operands = (node.target ? [node.target, ...node.arguments] : node.arguments).map((operand) =>
    context.plan(operand),
  );
  const found = context.function(node.function)!;
  const name = found.name;
  if (CONVERSIONS.has(name) && operands.length === 1 && operands[0] instanceof Constant) {
    return new Constant(convertConstant(found, node, operands[0].value));
  }
  if (name === "@in" && node.overloads?.length === 1 && operands[1] instanceof Constant) {
    const constant = planConstantMembership(operands[0]!, operands[1].value);
    if (constant) return constant;
  }
  return planFunction(found, node, operands.map(asStep));
}

/** What cel-go evaluates beforehand where the argument is constant. */
const CONVERSIONS = new Set("bool bytes double duration dyn int string timestamp type uint".split(" "));

const NO_METER = {
  charge() {},
  work() {},
  room() {},
  roomForText() {},
} as unknown as Meter;

function convertConstant(found: CelFunction, node: CallNode, value: CelValue): CelValue {
  return implementation(found, node)([value], NO_METER);
}

/** `x in ['a', 'b']`: a look-up, which costs nothing. */
function planConstantMembership(element: Planned, list: CelValue): Planned | undefined {
  if (!(list instanceof ListValue)) return undefined;
  if (list.length === 0) return new Constant(false);
  const members = new MapValue();
  for (const value of list.values) {
    if (!isKey(value)) return undefined;
    members.set(value, true);
  }
  const step = asStep(element);
  return (frame) => members.find(step(frame)) !== undefined;
}

function planFunction(found: CelFunction, node: CallNode, operands: readonly Step[]): Step {
  const overload = node.overloads?.length === 1 ? node.overloads[0] : undefined;
  const alwaysKnown = found.name === "_==_" ? "equals" : found.name === "_!=_" ? "not_equals" : undefined;
  const cost = costOfCalls(found.name, overload ?? alwaysKnown);
  const call = implementation(found, node);
  if (operands.length === 2) {
    const [first, second] = operands as [Step, Step];
    return (frame) => {
      const args = [first(frame), second(frame)];
      const result = call(args, frame.meter);
      frame.meter.charge(cost(args, result, frame.meter));
      return result;
    };
  }
  return (frame) => {
    const args = operands.map((operand) => operand(frame));
    const result = call(args, frame.meter);
    frame.meter.charge(cost(args, result, frame.meter));
    return result;
  };
}

type Implementation = (args: readonly CelValue[], meter: Meter) => CelValue;

/** Picks the overload by the values, among those that the checker found to fit. */
function implementation(found: CelFunction, node: CallNode): Implementation {
  if (found.call) return ofOneImplementation(found.name, found.call);
  const ids = new Set(node.overloads);
  const candidates = found.overloads.filter((overload) => ids.has(overload.id));
  return (args, meter) => {
    for (const overload of candidates) if (fits(overload, args)) return overload.call(args, meter);
    return fail(`no such overload: ${found.name}(${args.map(typeNameOf).join(", ")})`);
  };
}

/** The types that have the operation at all, of the functions of one implementation: of others the error names the function. */
const OPERANDS: Readonly<Record<string, ReadonlySet<string>>> = Object.fromEntries(
  Object.entries({
    "_+_": "bytes double int list string uint google.protobuf.Duration google.protobuf.Timestamp",
    "_-_": "double int uint google.protobuf.Duration google.protobuf.Timestamp",
    "_*_": "double int uint",
    "_/_": "double int uint",
    "_%_": "int uint",
    "-_": "bool double int google.protobuf.Duration",
    size: "bytes list map string",
    ...Object.fromEntries(
      ["_<_", "_<=_", "_>_", "_>=_"].map((name) => [
        name,
        "bool bytes double int string uint google.protobuf.Duration google.protobuf.Timestamp",
      ]),
    ),
  }).map(([name, types]) => [name, new Set(types.split(" "))]),
);
/** These answer for functions that they do not have. */
const RECEIVERS = new Set(["string", "google.protobuf.Duration", "google.protobuf.Timestamp"]);

function ofOneImplementation(name: string, call: Implementation): Implementation {
  const operands = Object.hasOwn(OPERANDS, name) ? OPERANDS[name] : undefined;
  if (!operands) return call;
  return (args, meter) => {
    const type = typeNameOf(args[0]!);
    if (operands.has(type) || RECEIVERS.has(type)) return call(args, meter);
    return fail(`no such overload: ${name}`);
  };
}

const fits = ({ parameters }: Overload, args: readonly CelValue[]): boolean =>
  parameters.every((parameter, i) => isOfType(args[i]!, parameter));

function isOfType(value: CelValue, type: CelType): boolean {
  if (type.kind === "dyn" || type.kind === "parameter") return true;
  if (type.kind === "list") return value instanceof Object && "at" in value && firstFits(value, type.element);
  return typeNameOf(value) === runtimeName(type);
}

/** Of a list only the first element is looked at, as upstream. */
function firstFits(value: CelValue, element: CelType): boolean {
  if (typeNameOf(value) !== "list") return false;
  const list = value as ListValue;
  return list.length === 0 || isOfType(list.at(0), element);
}

/** An error of one operand does not count where the other decides. */
function planLogical(node: CallNode, context: PlanContext, decisive: boolean): Step {
  const terms = flattenTerms(node, node.function).map((term) => planStep(term, context));
  return (frame) => {
    let failure: Failure | undefined;
    for (const term of terms) {
      try {
        const value = term(frame);
        if (value === decisive) return decisive;
        if (typeof value !== "boolean") failure ??= new Failure("no such overload");
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        failure ??= thrown;
      }
    }
    if (failure) throw failure;
    return !decisive;
  };
}

/** `a && b && c` is a tree: evaluated from left to right it is a list. */
function flattenTerms(node: Expression, name: string): Expression[] {
  if (node.kind !== "call" || node.function !== name) return [node];
  return node.arguments.flatMap((argument) => flattenTerms(argument, name));
}

function planOptionalOr(node: CallNode, context: PlanContext): Step {
  const [left, right] = [planStep(node.target!, context), planStep(node.arguments[0]!, context)];
  const unwraps = node.function === "orValue";
  return (frame) => {
    const optional = left(frame);
    if (!(optional instanceof Optional)) return noSuchOverload();
    if (optional.value === undefined) return right(frame);
    return unwraps ? optional.value : optional;
  };
}
