import type { CallNode, Expression, FoldNode } from "./ast.ts";
import type { Declared } from "./declared.ts";
import {
  type Call,
  type CallEstimate,
  elementTypeOf,
  estimateCall,
  matchingCost,
  type Operand,
  sizeOf,
} from "./estimate-calls.ts";
import { exactly, NOTHING, plus, type Range, times, timesFactor, UNBOUNDED, UNKNOWN, union } from "./estimate-range.ts";
import { ACCUMULATOR } from "./macros.ts";
import { LIST_COST, MAP_COST, SELECT_COST, STRUCT_COST, TRAVERSAL } from "./runtime-cost.ts";
import { type CelType, unwrapOptional } from "./types.ts";
import { textLength } from "./values.ts";

/** In cost units; `max` is UNBOUNDED (2^64) where nothing bounds it. */
export type CostEstimate = Range;

/** What a checked expression will cost at least and at most (cel-go's checker/cost.go), as the schemas of its variables bound their sizes. */
export const estimateCost = (root: Expression, variables: Readonly<Record<string, Declared>>): CostEstimate =>
  new Estimator(variables).cost(root);

/** Of the keys or indices of a container, and of its values. */
interface EntrySizes {
  readonly container: "list" | "map";
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly name: string;
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entries: EntrySizes | undefined;
}

type Path = readonly string[];
const NO_PATH: Path = [];

class Estimator {
  readonly #variables: Readonly<Record<string, Declared>>;
  readonly #locals: Local[] = [];
  readonly #paths = new Map<Expression, Path>();
  readonly #sizes = new Map<Expression, Range>();
  readonly #entries = new Map<Expression, EntrySizes>();

  constructor(variables: Readonly<Record<string, Declared>>) {
    this.#variables = variables;
  }

  cost(node: Expression): Range {
    switch (node.kind) {
      case "literal":
        return NOTHING;
      case "identifier":
        return this.#access(node, node.name);
      case "select":
        return this.#select(node);
      case "call":
        return this.#call(node);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "struct":
        return plus(exactly(STRUCT_COST), ...node.fields.map((field) => this.cost(field.value)));
      case "fold":
        return node.form === "bind" ? this.#bind(node) : this.#fold(node);
    }
  }

  #access(node: Expression, name: string): Range {
    this.#paths.set(node, this.#local(name)?.path ?? [name]);
    return exactly(SELECT_COST);
  }

  #select(node: Expression & { kind: "select" }): Range {
    if (node.variable !== undefined || node.names) return this.#access(node, node.variable ?? "");
    const operand = this.cost(node.operand);
    if (node.test) return operand;
    this.#paths.set(node, [...this.#pathOf(node.operand), node.field]);
    const { kind } = node.operand.type!;
    return kind === "map" || kind === "struct" ? plus(operand, exactly(SELECT_COST)) : operand;
  }

  #list(node: Expression & { kind: "list" }): Range {
    const costs = node.elements.map((element) => this.cost(element));
    const sizes = node.elements.map((element) => this.#sizeOrUnknown(element));
    this.#entries.set(node, { container: "list", key: exactly(1), value: unionOf(sizes) });
    return plus(exactly(LIST_COST), ...costs);
  }

  #map(node: Expression & { kind: "map" }): Range {
    const costs = node.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)]);
    const keys = node.entries.map(({ key }) => this.#sizeOrUnknown(key));
    const values = node.entries.map(({ value }) => this.#sizeOrUnknown(value));
    this.#entries.set(node, { container: "map", key: unionOf(keys), value: unionOf(values) });
    return plus(exactly(MAP_COST), ...costs);
  }

  #call(node: CallNode): Range {
    if (node.function === "dyn") {
      const operand = node.arguments[0]!;
      const cost = this.cost(operand);
      this.#copySizes(node, operand);
      return plus(exactly(1), cost);
    }
    const costs = node.arguments.map((argument) => this.cost(argument));
    const operands = node.arguments.map((argument) => this.#operand(argument));
    const overloads = node.overloads ?? [];
    if (overloads.length === 0) return NOTHING;
    const targetCost = node.target ? this.cost(node.target) : NOTHING;
    const target = node.target && this.#operand(node.target);
    let [cost, size]: [Range, Range | undefined] = [{ min: UNBOUNDED, max: 0 }, undefined];
    for (const overload of overloads) {
      const call: Call = { overload, target, operands, sizeOfElements: (list) => this.#elementsOf(list) };
      const estimate = this.#callEstimate(node, call, costs);
      cost = union(cost, estimate.cost);
      if (estimate.size) size = size ? union(size, estimate.size) : estimate.size;
      if (overload === "index_list" || overload === "index_map") {
        const container = node.arguments[0]!;
        size = this.#entriesOf(container)?.value;
        this.#paths.set(node, [...this.#pathOf(container), overload === "index_list" ? "@items" : "@values"]);
      }
      size ??= this.#sizeOf(node);
    }
    if (size) this.#sizes.set(node, size);
    return plus(targetCost, cost);
  }

  #callEstimate(node: CallNode, call: Call, costs: readonly Range[]): CallEstimate {
    const known = estimateCall(node.function, call) ?? this.#standardEstimate(node, call);
    if (known) return { ...known, cost: plus(known.cost, ...costs) };
    const [first = NOTHING, second = NOTHING, third = NOTHING] = costs;
    switch (call.overload) {
      // The second operand may not be looked at.
      case "logical_and":
      case "logical_or":
        return { cost: { min: first.min, max: plus(first, second).max } };
      case "conditional": {
        const [, whenTrue, whenFalse] = node.arguments as [Expression, Expression, Expression];
        const entries = unionOfEntries(this.#entriesOf(whenTrue), this.#entriesOf(whenFalse));
        if (entries) this.#entries.set(node, entries);
        const size = union(sizeOf(call.operands[1]), sizeOf(call.operands[2]));
        return { cost: plus(first, union(second, third)), size };
      }
      default:
        return { cost: plus(exactly(1), ...costs) };
    }
  }

  /** What cel-go itself says of the standard library. */
  #standardEstimate(node: CallNode, { overload, target, operands }: Call): CallEstimate | undefined {
    const [first, second] = operands;
    switch (overload) {
      case "string_format":
        return { cost: timesFactor(sizeOf(target), TRAVERSAL) };
      case "string_to_bytes": {
        const { min, max } = sizeOf(first);
        return { cost: timesFactor(sizeOf(first), TRAVERSAL), size: { min, max: Math.min(4 * max, UNBOUNDED) } };
      }
      case "bytes_to_string": {
        const { min, max } = sizeOf(first);
        return { cost: timesFactor(sizeOf(first), TRAVERSAL), size: { min: Math.floor(min / 4), max } };
      }
      case "strings_quote": {
        const { min, max } = sizeOf(first);
        return {
          cost: timesFactor(sizeOf(first), TRAVERSAL),
          size: { min: min + 2, max: Math.min(2 * max + 2, UNBOUNDED) },
        };
      }
      case "starts_with_string":
      case "ends_with_string":
        return { cost: timesFactor(sizeOf(first), TRAVERSAL) };
      case "in_list":
        return { cost: sizeOf(second) };
      case "matches_string":
        return { cost: matchingCost(sizeOf(target), sizeOf(first)) };
      case "contains_string":
        return { cost: times(timesFactor(sizeOf(target), TRAVERSAL), timesFactor(sizeOf(first), TRAVERSAL)) };
      case "add_string":
      case "add_bytes":
      case "add_list": {
        const entries = unionOfEntries(this.#entriesOf(node.arguments[0]!), this.#entriesOf(node.arguments[1]!));
        if (entries) this.#entries.set(node, entries);
        const size = plus(sizeOf(first), sizeOf(second));
        return { cost: overload === "add_list" ? exactly(1) : timesFactor(size, TRAVERSAL), size };
      }
    }
    if (!COMPARISONS.test(overload)) return undefined;
    const max = Math.min(sizeOf(first).max, sizeOf(second).max);
    return { cost: timesFactor({ min: max > 0 ? 1 : 0, max }, TRAVERSAL) };
  }

  #fold(node: FoldNode): Range {
    const range = this.cost(node.range);
    const initial = this.cost(node.initial);
    const outer = this.#locals.length;
    this.#pushValue(node.accumulator, node.initial);
    if (node.secondVariable === undefined) this.#pushElement(node.variable, node.range, "element");
    else {
      this.#pushElement(node.variable, node.range, "key");
      this.#pushElement(node.secondVariable, node.range, "value");
    }
    const condition = this.cost(node.condition);
    const step = this.cost(node.step);
    this.#locals.length = outer + 1;
    const result = this.cost(node.result);
    this.#locals.length = outer;
    const count = this.#sizeOrUnknown(node.range);
    if (node.initial.kind === "literal") {
      const size = this.#sizeOf(node.initial);
      if (size) this.#sizes.set(node, size);
    } else if (node.initial.kind === "list" || node.initial.kind === "map") {
      this.#sizes.set(node, count);
      const entries = this.#entriesOf(node.step);
      if (entries) this.#entries.set(node, entries);
    }
    return plus(range, initial, result, times(count, plus(step, condition)));
  }

  #bind(node: FoldNode): Range {
    const before = plus(this.cost(node.range), this.cost(node.initial));
    this.#pushValue(node.accumulator, node.initial);
    const result = this.cost(node.result);
    this.#locals.pop();
    this.#copySizes(node, node.result);
    return plus(before, result);
  }

  #pushValue(name: string, value: Expression): void {
    this.#locals.push({ name, path: this.#pathOf(value), size: this.#sizeOf(value), entries: this.#entriesOf(value) });
  }

  /** A variable of a comprehension: what one variable goes through, or the keys and values that two go through. */
  #pushElement(name: string, range: Expression, what: "element" | "key" | "value"): void {
    const entries = this.#entriesOf(range);
    const path = this.#pathOf(range);
    const isList = (entries?.container ?? range.type!.kind) === "list";
    const isValue = what === "value" || (what === "element" && isList);
    const size = isValue ? entries?.value : entries?.key;
    const isPlacedAsValue = isValue || (what === "key" && hasRoom(path));
    const step = isPlacedAsValue ? (isList ? "@items" : "@values") : isList ? "@indices" : "@keys";
    this.#locals.push({ name, path: [...path, step], size, entries: undefined });
  }

  #local(name: string): Local | undefined {
    return this.#locals.findLast((local) => local.name === name);
  }

  #pathOf(node: Expression): Path {
    const local = node.kind === "identifier" ? this.#local(node.name) : undefined;
    return local?.path ?? this.#paths.get(node) ?? NO_PATH;
  }

  #operand(node: Expression): Operand {
    const path = this.#pathOf(node);
    return {
      node,
      type: node.type!,
      path: path.length === 0 || path[0] === ACCUMULATOR ? undefined : path,
      size: this.#sizeOf(node),
    };
  }

  #elementsOf(list: Operand): { type: CelType; size: Range } | undefined {
    const type = elementTypeOf(list.type);
    if (!type) return undefined;
    return { type, size: (list.path && this.#declaredSize([...list.path, "@items"])) ?? UNKNOWN };
  }

  #sizeOrUnknown(node: Expression): Range {
    return this.#sizeOf(node) ?? UNKNOWN;
  }

  #sizeOf(node: Expression): Range | undefined {
    const known = this.#sizes.get(node) ?? writtenSize(node);
    if (known) return known;
    const declared = this.#declaredSize(this.#pathOf(node));
    if (declared) {
      this.#sizes.set(node, declared);
      return declared;
    }
    if (isScalar(node.type!)) return exactly(1);
    return node.kind === "identifier" ? this.#local(node.name)?.size : undefined;
  }

  #entriesOf(node: Expression): EntrySizes | undefined {
    const known = this.#entries.get(node);
    return known ?? (node.kind === "identifier" ? this.#local(node.name)?.entries : undefined);
  }

  #copySizes(to: Expression, from: Expression): void {
    const [size, entries] = [this.#sizeOf(from), this.#entriesOf(from)];
    if (size) this.#sizes.set(to, size);
    if (entries) this.#entries.set(to, entries);
  }

  /** What the schema says. Upstream looks into that of `self` whatever the path begins with. */
  #declaredSize(path: Path): Range | undefined {
    if (path.length === 0) return undefined;
    let declared: Declared | undefined = Object.hasOwn(this.#variables, path[0]!)
      ? this.#variables[path[0]!]
      : this.#variables["self"];
    for (const name of path.slice(1)) {
      if (name === "@items" || name === "@values") declared = declared?.elements;
      else declared = name === "@keys" ? declared?.keys : declared?.field?.(name);
    }
    return declared?.maxElements === undefined ? undefined : { min: 0, max: declared.maxElements };
  }
}

const COMPARISONS = /^(?:equals|not_equals|(?:less|greater)(?:_equals)?_(?:string|bytes))$/;

/**
 * Whether upstream, which appends to a path twice, writes the value's step over the key's: its slices have as much room as the next
 * power of two. A key is as long as a value then, and the estimates that CRDs are judged by say so.
 */
const hasRoom = ({ length }: Path): boolean => (length & (length - 1)) !== 0;

/** Of none: nothing at all. */
const unionOf = (sizes: readonly Range[]): Range =>
  sizes.length === 0 ? NOTHING : sizes.reduce((a, b) => union(a, b));

const unionOfEntries = (a: EntrySizes | undefined, b: EntrySizes | undefined): EntrySizes | undefined =>
  a && b && { container: a.container, key: union(a.key, b.key), value: union(a.value, b.value) };

/** Of what is written in the expression. */
function writtenSize(node: Expression): Range | undefined {
  switch (node.kind) {
    case "literal":
      if (typeof node.value === "string") return exactly(textLength(node.value));
      return exactly(node.value instanceof Uint8Array ? node.value.length : 1);
    case "list":
      return exactly(node.elements.length);
    case "map":
      return exactly(node.entries.length);
    default:
      return undefined;
  }
}

const SCALARS = new Set<CelType["kind"]>(["bool", "double", "duration", "int", "timestamp", "uint"]);

function isScalar(type: CelType): boolean {
  const held = unwrapOptional(type);
  return held ? isScalar(held) : SCALARS.has(type.kind);
}
