import type { CelType } from "./types.ts";
import type { Uint } from "./values.ts";

export type Literal = null | boolean | bigint | number | string | Uint | Uint8Array;

/** What every node has. The checker writes what it found out into the node itself: a node is checked once, by one environment. */
interface Node {
  /** Where it is in the source, in UTF-16 units; -1: nowhere. */
  readonly at: number;
  /** Set by the checker. */
  type?: CelType;
}

interface LiteralNode extends Node {
  readonly kind: "literal";
  readonly value: Literal;
}

export interface IdentifierNode extends Node {
  readonly kind: "identifier";
  /** With its leading dot, if there is one. */
  name: string;
  /** Set by the checker: the value of an identifier that names a type. */
  names?: CelType;
}

export interface SelectNode extends Node {
  readonly kind: "select";
  readonly operand: Expression;
  readonly field: string;
  /** `has(operand.field)` */
  readonly test: boolean;
  /** Set by the checker where the whole is the qualified name of a type: `google.protobuf.Timestamp`. */
  names?: CelType;
  /** Set by the checker where the whole is the name of a variable: `authorizer.requestResource`. */
  variable?: string;
}

export interface CallNode extends Node {
  readonly kind: "call";
  function: string;
  /** Removed by the checker where it is part of the function's name: `sets.contains`. */
  target: Expression | undefined;
  readonly arguments: readonly Expression[];
  /** Set by the checker: the ids of the overloads that fit. */
  overloads?: readonly string[];
}

export interface ListNode extends Node {
  readonly kind: "list";
  readonly elements: readonly Expression[];
  /** Which elements are `?element`; empty for none. */
  readonly optional: ReadonlySet<number>;
}

export interface MapEntry {
  readonly at: number;
  readonly key: Expression;
  readonly value: Expression;
  readonly optional: boolean;
}

export interface MapNode extends Node {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
}

export interface StructField {
  readonly at: number;
  readonly name: string;
  readonly value: Expression;
  readonly optional: boolean;
}

export interface StructNode extends Node {
  readonly kind: "struct";
  readonly name: string;
  readonly fields: readonly StructField[];
}

/** How a macro folds: what the planner looks at, where the checker and the cost estimate look at the general form. */
export type FoldForm = "all" | "exists" | "existsOne" | "list" | "map" | "mapEntries" | "bind";

/** A comprehension: what the macros become. */
export interface FoldNode extends Node {
  readonly kind: "fold";
  readonly range: Expression;
  readonly variable: string;
  /** Of the two-variable macros: the value, where `variable` is the index or key. */
  readonly secondVariable: string | undefined;
  readonly accumulator: string;
  readonly initial: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result: Expression;
  readonly form: FoldForm;
  /** Which elements count, of the forms that can leave out some. */
  readonly filter: Expression | undefined;
  /** The predicate, or what an element becomes. */
  readonly body: Expression;
}

export type Expression =
  | LiteralNode
  | IdentifierNode
  | SelectNode
  | CallNode
  | ListNode
  | MapNode
  | StructNode
  | FoldNode;

/** `a.b.c` as a name, where an expression is one. */
export function qualifiedName(node: Expression): string | undefined {
  if (node.kind === "identifier") return node.name;
  if (node.kind !== "select" || node.test) return undefined;
  const prefix = qualifiedName(node.operand);
  return prefix === undefined ? undefined : `${prefix}.${node.field}`;
}

/** The nodes right below a node. */
export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case "literal":
    case "identifier":
      return [];
    case "select":
      return [node.operand];
    case "call":
      return node.target ? [node.target, ...node.arguments] : node.arguments;
    case "list":
      return node.elements;
    case "map":
      return node.entries.flatMap((entry) => [entry.key, entry.value]);
    case "struct":
      return node.fields.map((field) => field.value);
    case "fold":
      return [node.range, node.initial, node.condition, node.step, node.result];
  }
}
