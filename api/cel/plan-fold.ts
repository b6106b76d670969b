import type { FoldNode } from "./ast.ts";
import { Failure, fail, noSuchOverload } from "./cel-error.ts";
import { insertEntry } from "./library/lists.ts";
import { asStep, Constant, type Frame, type PlanContext, planStep, type Step } from "./plan-step.ts";
import { LIST_COST, SELECT_COST } from "./runtime-cost.ts";
import { CelList, CelMap, type CelValue, ListValue, MapValue, typeNameOf } from "./values.ts";

/** In cost units: what the general form of each macro evaluates around its body. Each look at the accumulator is one, each call is one. */
const ACCUMULATOR = SELECT_COST;
const CALL = 1;
const ALL_CONDITION = ACCUMULATOR + CALL;
const EXISTS_CONDITION = ACCUMULATOR + 2 * CALL;

/** Runs the body for each element, and tells what became of it. */
interface Loop {
  /** Stops where `visit` answers false. */
  each(frame: Frame, visit: () => boolean): void;
  /** The place of its (first) variable. */
  readonly slot: number;
  readonly body: Step;
  /** A list of a constant is a constant, and costs nothing. */
  readonly bodyIsConstant: boolean;
  readonly filter: Step | undefined;
}

/** A comprehension as the loop that its macro means. */
export function planFold(node: FoldNode, context: PlanContext): Step {
  if (node.form === "bind") return planBind(node, context);
  const loop = planLoop(node, context);
  switch (node.form) {
    case "all":
      return planQuantifier(loop, false, ALL_CONDITION);
    case "exists":
      return planQuantifier(loop, true, EXISTS_CONDITION);
    case "existsOne":
      return planExistsOne(loop);
    case "list":
      return planCollection(loop);
    default:
      return planMapCollection(loop, node.form === "map");
  }
}

/** The place of a variable: all that is planned within `work` sees it. */
function withLocals<T>(context: PlanContext, names: readonly string[], work: (slots: readonly number[]) => T): T {
  const outer = context.locals.length;
  const slots = names.map((name) => {
    const slot = context.slots++;
    context.locals.push({ name, slot });
    return slot;
  });
  const result = work(slots);
  context.locals.length = outer;
  return result;
}

function planLoop(node: FoldNode, context: PlanContext): Loop {
  const range = planStep(node.range, context);
  const { variable, secondVariable, filter } = node;
  const names = secondVariable === undefined ? [variable] : [variable, secondVariable];
  return withLocals(context, names, ([first, second]) => {
    const body = context.plan(node.body);
    return {
      each: (frame, visit) => iterate(frame, range(frame), [first!, second], visit),
      slot: first!,
      body: asStep(body),
      bodyIsConstant: body instanceof Constant,
      filter: filter && planStep(filter, context),
    };
  });
}

function iterate(
  frame: Frame,
  range: CelValue,
  [first, second]: readonly [number, number?],
  visit: () => boolean,
): void {
  const { slots } = frame;
  if (range instanceof CelList) {
    for (let i = 0; i < range.length; i++) {
      frame.meter.work(1);
      const element = range.at(i);
      slots[first] = second === undefined ? element : BigInt(i);
      if (second !== undefined) slots[second] = element;
      if (!visit()) return;
    }
  } else if (range instanceof CelMap) {
    for (const key of range.keys()) {
      frame.meter.work(1);
      slots[first] = key;
      if (second !== undefined) slots[second] = range.find(key)!;
      if (!visit()) return;
    }
  } else fail(`got '${goTypeOf(range)}', expected iterable type`);
}

/** Upstream prints Go's name of the type here. */
function goTypeOf(value: CelValue): string {
  const name = typeNameOf(value).replace("google.protobuf.", "");
  return `types.${name[0]!.toUpperCase()}${name.slice(1)}`;
}

/** `all` (decided by a false) and `exists` (decided by a true): an error counts only if nothing decides. */
function planQuantifier({ each, body }: Loop, decisive: boolean, conditionCost: number): Step {
  return (frame) => {
    let decided = false;
    let failure: Failure | undefined;
    each(frame, () => {
      frame.meter.charge(conditionCost);
      if (decided) return false;
      frame.meter.charge(ACCUMULATOR);
      try {
        const value = body(frame);
        if (value === decisive) decided = true;
        else if (typeof value !== "boolean") failure ??= new Failure("no such overload");
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        failure ??= thrown;
      }
      return true;
    });
    frame.meter.charge(ACCUMULATOR);
    if (decided) return decisive;
    if (failure) throw failure;
    return !decisive;
  };
}

function isTrue(value: CelValue): boolean {
  return typeof value === "boolean" ? value : noSuchOverload();
}

function planExistsOne({ each, body }: Loop): Step {
  return (frame) => {
    let count = 0;
    each(frame, () => {
      if (isTrue(body(frame))) {
        count++;
        frame.meter.charge(ACCUMULATOR + CALL);
      }
      return true;
    });
    frame.meter.charge(ACCUMULATOR + CALL);
    return count === 1;
  };
}

/** Whether an element counts. */
const isTaken = (filter: Step | undefined, frame: Frame): boolean => !filter || isTrue(filter(frame));

function planCollection({ each, body, bodyIsConstant, filter }: Loop): Step {
  const listCost = bodyIsConstant ? 0 : LIST_COST;
  return (frame) => {
    const { meter } = frame;
    const values: CelValue[] = [];
    each(frame, () => {
      if (isTaken(filter, frame)) {
        values.push(body(frame));
        meter.room(values.length);
        meter.charge(ACCUMULATOR + listCost + CALL);
      }
      return true;
    });
    meter.charge(ACCUMULATOR);
    return new ListValue(values);
  };
}

function planMapCollection({ each, body, filter, slot }: Loop, keyed: boolean): Step {
  return (frame) => {
    const { meter } = frame;
    const map = new MapValue();
    each(frame, () => {
      if (!isTaken(filter, frame)) return true;
      const value = body(frame);
      meter.charge(ACCUMULATOR + CALL + (keyed ? SELECT_COST : 0));
      if (keyed) insertEntry(map, frame.slots[slot]!, value, meter);
      else for (const [key, element] of entriesOf(value)) insertEntry(map, key, element, meter);
      return true;
    });
    meter.charge(ACCUMULATOR);
    return map;
  };
}

const entriesOf = (value: CelValue): Iterable<[CelValue, CelValue]> =>
  value instanceof CelMap ? value.entries() : noSuchOverload();

function planBind(node: FoldNode, context: PlanContext): Step {
  const initial = asStep(context.plan(node.initial));
  return withLocals(context, [node.accumulator], ([slot]) => {
    const body = planStep(node.body, context);
    return (frame) => {
      frame.slots[slot!] = initial(frame);
      return body(frame);
    };
  });
}
