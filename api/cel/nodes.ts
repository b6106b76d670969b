import { childrenOf, type Expression, type FoldNode } from "./ast.ts";
import type { IssueList } from "./issues.ts";
import { ACCUMULATOR, type NodeMaker } from "./macros.ts";

/** How deep operators, selections and calls may nest; cel-go's own limit. */
const CHAIN_MAX = 250;
/** How deep all nodes may nest: the checker and the evaluation recurse. */
const DEPTH_MAX = 600;
/** Macros copy their arguments: nested ones grow exponentially. */
const NODES_MAX = 200_000;

/** Nothing more can be made of the source. The issue is reported. */
export class Abandoned {}

interface Depth {
  readonly chain: number;
  readonly all: number;
}

/** Operators that cel-go counts; the others are flat, or balanced. */
const COUNTED_OPERATORS = new Set([
  "_?_:_",
  "_[_]",
  "_[?_]",
  ..."_<_ _<=_ _>=_ _>_ _==_ _!=_ @in _+_ _-_ _*_ _/_ _%_".split(" "),
]);

/** Makes nodes, as many and as deep as there may be. */
export class Nodes {
  readonly #issues: IssueList;
  #count = 0;
  readonly #depths = new Map<Expression, Depth>();

  constructor(issues: IssueList) {
    this.#issues = issues;
  }

  #abandon(message: string): never {
    this.#issues.report(-1, message);
    throw new Abandoned();
  }

  node<Kind extends Expression>(node: Kind): Kind {
    if (++this.#count > NODES_MAX) this.#abandon("expression is too large");
    let [chain, all] = [0, 0];
    for (const child of childrenOf(node)) {
      const depth = this.#depths.get(child);
      chain = Math.max(chain, depth?.chain ?? 0);
      all = Math.max(all, depth?.all ?? 0);
    }
    const counted =
      node.kind === "select" || (node.kind === "call" && (node.target || COUNTED_OPERATORS.has(node.function)));
    const depth = { chain: chain + (counted ? 1 : 0), all: all + 1 };
    if (depth.chain > CHAIN_MAX || depth.all > DEPTH_MAX) this.#abandon("max recursion depth exceeded");
    this.#depths.set(node, depth);
    return node;
  }

  call(at: number, name: string, ...operands: Expression[]): Expression {
    return this.node({ kind: "call", at, function: name, target: undefined, arguments: operands });
  }

  maker(at: number): NodeMaker {
    const make: NodeMaker = {
      literal: (value) => this.node({ kind: "literal", at, value }),
      identifier: (name) => this.node({ kind: "identifier", at, name }),
      list: (...elements) => this.node({ kind: "list", at, elements, optional: new Set() }),
      emptyMap: () => this.node({ kind: "map", at, entries: [] }),
      call: (name, ...operands) => this.call(at, name, ...operands),
      memberCall: (name, target, ...operands) =>
        this.node({ kind: "call", at, function: name, target, arguments: operands }),
      presence: (operand, field) => this.node({ kind: "select", at, operand, field, test: true }),
      fold: (parts) =>
        this.node<FoldNode>({
          kind: "fold",
          at,
          accumulator: ACCUMULATOR,
          secondVariable: undefined,
          filter: undefined,
          ...parts,
        }),
      copy: (node) => this.#copy(node),
    };
    return make;
  }

  #copy(node: Expression): Expression {
    const copy = (inner: Expression) => this.#copy(inner);
    switch (node.kind) {
      case "literal":
      case "identifier":
        return this.node({ ...node });
      case "select":
        return this.node({ ...node, operand: copy(node.operand) });
      case "call":
        return this.node({ ...node, target: node.target && copy(node.target), arguments: node.arguments.map(copy) });
      case "list":
        return this.node({ ...node, elements: node.elements.map(copy) });
      case "map":
        return this.node({
          ...node,
          entries: node.entries.map((entry) => ({ ...entry, key: copy(entry.key), value: copy(entry.value) })),
        });
      case "struct":
        return this.node({ ...node, fields: node.fields.map((field) => ({ ...field, value: copy(field.value) })) });
      case "fold":
        return this.#copyFold(node);
    }
  }

  /** What a fold is made of occurs in its general form as well as in its parts: it must stay the same nodes. */
  #copyFold(node: FoldNode): Expression {
    const copies = new Map<Expression, Expression>();
    const once = (inner: Expression): Expression => {
      const known = copies.get(inner) ?? this.#copy(inner);
      copies.set(inner, known);
      return known;
    };
    const [body, filter] = [once(node.body), node.filter && once(node.filter)];
    const replaced = (inner: Expression): Expression => {
      if (inner === node.body) return body;
      if (inner === node.filter) return filter!;
      if (inner.kind !== "call" && inner.kind !== "list") return once(inner);
      if (inner.kind === "list") return this.node({ ...inner, elements: inner.elements.map(replaced) });
      return this.node({ ...inner, arguments: inner.arguments.map(replaced) });
    };
    const { range, initial, condition, step, result } = node;
    return this.node<FoldNode>({
      ...node,
      range: once(range),
      initial: once(initial),
      condition: once(condition),
      step: replaced(step),
      result: node.form === "bind" ? body : once(result),
      body,
      filter,
    });
  }
}
