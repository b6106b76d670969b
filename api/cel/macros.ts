import type { Expression, FoldForm, IdentifierNode, ListNode, Literal, MapNode } from "./ast.ts";

/** Makes nodes where the macro's call is. */
export interface NodeMaker {
  literal(value: Literal): Expression;
  identifier(name: string): IdentifierNode;
  list(...elements: Expression[]): ListNode;
  emptyMap(): MapNode;
  call(name: string, ...operands: Expression[]): Expression;
  memberCall(name: string, target: Expression, ...operands: Expression[]): Expression;
  presence(operand: Expression, field: string): Expression;
  fold(parts: FoldParts): Expression;
  /** The same expression once more. */
  copy(node: Expression): Expression;
}

interface FoldParts {
  readonly range: Expression;
  readonly variable: string;
  readonly secondVariable?: string;
  readonly accumulator?: string;
  readonly initial: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result: Expression;
  readonly form: FoldForm;
  readonly filter?: Expression;
  readonly body: Expression;
}

/** What is wrong with a macro's argument. */
export class MacroError {
  readonly at: number;
  readonly message: string;

  constructor(at: number, message: string) {
    this.at = at;
    this.message = message;
  }
}

/** Answers what the call becomes; undefined leaves it a call. */
type Macro = (make: NodeMaker, target: Expression, operands: readonly Expression[]) => Expression | undefined;

/** What no expression can name. */
export const ACCUMULATOR = "@result";
const UNUSED = "#unused";

function nameOf(node: Expression, complaint: string): string {
  if (node.kind !== "identifier") throw new MacroError(node.at, complaint);
  if (node.name === "__result__") {
    throw new MacroError(node.at, "iteration variable overwrites accumulator variable");
  }
  return node.name;
}

interface Variables {
  readonly variable: string;
  readonly secondVariable?: string;
}

function oneVariable(operands: readonly Expression[], complaint = "argument must be a simple name"): Variables {
  return { variable: nameOf(operands[0]!, complaint) };
}

function twoVariables(operands: readonly Expression[]): Variables {
  const variable = nameOf(operands[0]!, "argument must be a simple name");
  const secondVariable = nameOf(operands[1]!, "argument must be a simple name");
  if (variable === secondVariable) throw new MacroError(operands[1]!.at, `duplicate variable name: ${variable}`);
  return { variable, secondVariable };
}

const accumulated = (make: NodeMaker): Expression => make.identifier(ACCUMULATOR);

function all(make: NodeMaker, range: Expression, variables: Variables, body: Expression): Expression {
  return make.fold({
    ...variables,
    range,
    initial: make.literal(true),
    condition: make.call("@not_strictly_false", accumulated(make)),
    step: make.call("_&&_", accumulated(make), body),
    result: accumulated(make),
    form: "all",
    body,
  });
}

function exists(make: NodeMaker, range: Expression, variables: Variables, body: Expression): Expression {
  return make.fold({
    ...variables,
    range,
    initial: make.literal(false),
    condition: make.call("@not_strictly_false", make.call("!_", accumulated(make))),
    step: make.call("_||_", accumulated(make), body),
    result: accumulated(make),
    form: "exists",
    body,
  });
}

function existsOne(make: NodeMaker, range: Expression, variables: Variables, body: Expression): Expression {
  const step = make.call("_+_", accumulated(make), make.literal(1n));
  return make.fold({
    ...variables,
    range,
    initial: make.literal(0n),
    condition: make.literal(true),
    step: make.call("_?_:_", body, step, accumulated(make)),
    result: make.call("_==_", accumulated(make), make.literal(1n)),
    form: "existsOne",
    body,
  });
}

interface Collected {
  readonly form: "list" | "map" | "mapEntries";
  readonly initial: Expression;
  readonly step: Expression;
  readonly body: Expression;
}

function collect(
  make: NodeMaker,
  range: Expression,
  variables: Variables,
  { form, initial, step, body }: Collected,
  filter: Expression | undefined,
): Expression {
  return make.fold({
    ...variables,
    range,
    initial,
    condition: make.literal(true),
    step: filter ? make.call("_?_:_", filter, step, accumulated(make)) : step,
    result: accumulated(make),
    form,
    body,
    ...(filter ? { filter } : {}),
  });
}

const intoList = (make: NodeMaker, body: Expression): Collected => ({
  form: "list",
  initial: make.list(),
  step: make.call("_+_", accumulated(make), make.list(body)),
  body,
});

const map: Macro = (make, target, operands) => {
  const variables = oneVariable(operands, "argument is not an identifier");
  const filter = operands.length === 3 ? operands[1] : undefined;
  return collect(make, target, variables, intoList(make, operands.at(-1)!), filter);
};

const filter: Macro = (make, target, operands) => {
  const variables = oneVariable(operands, "argument is not an identifier");
  return collect(make, target, variables, intoList(make, operands[0]!), operands[1]);
};

const transformList: Macro = (make, target, operands) =>
  collect(make, target, twoVariables(operands), intoList(make, operands.at(-1)!), filterOf(operands));

const transformMap: Macro = (make, target, operands) => {
  const variables = twoVariables(operands);
  const body = operands.at(-1)!;
  const step = make.call("cel.@mapInsert", accumulated(make), make.identifier(variables.variable), body);
  return collect(make, target, variables, { form: "map", initial: make.emptyMap(), step, body }, filterOf(operands));
};

const transformMapEntry: Macro = (make, target, operands) => {
  const body = operands.at(-1)!;
  const step = make.call("cel.@mapInsert", accumulated(make), body);
  const collected = { form: "mapEntries", initial: make.emptyMap(), step, body } as const;
  return collect(make, target, twoVariables(operands), collected, filterOf(operands));
};

const filterOf = (operands: readonly Expression[]): Expression | undefined =>
  operands.length === 4 ? operands[2] : undefined;

/** `variable` stands for the value of `initial` in `body`. */
function bind(make: NodeMaker, variable: string, initial: Expression, body: Expression): Expression {
  return make.fold({
    range: make.list(),
    variable: UNUSED,
    accumulator: variable,
    initial,
    condition: make.literal(false),
    step: make.identifier(variable),
    result: body,
    form: "bind",
    body,
  });
}

const optMap: Macro = (make, target, operands) => {
  const body = bindValue(make, "optMap", target, operands);
  return make.call(
    "_?_:_",
    make.memberCall("hasValue", target),
    make.call("optional.of", body),
    make.call("optional.none"),
  );
};

const optFlatMap: Macro = (make, target, operands) =>
  make.call(
    "_?_:_",
    make.memberCall("hasValue", target),
    bindValue(make, "optFlatMap", target, operands),
    make.call("optional.none"),
  );

function bindValue(make: NodeMaker, macro: string, target: Expression, operands: readonly Expression[]): Expression {
  const variable = nameOf(operands[0]!, `${macro}() variable name must be a simple identifier`);
  return bind(make, variable, make.memberCall("value", make.copy(target)), operands[1]!);
}

const SORTED = "@__sortBy_input__";

const sortBy: Macro = (make, target, operands) => {
  if (target.kind === "literal" || target.kind === "map" || target.kind === "struct") {
    throw new MacroError(
      target.at,
      "sortBy can only be applied to a list, identifier, comprehension, call or select expression",
    );
  }
  const keys = map(make, make.identifier(SORTED), operands)!;
  return bind(make, SORTED, target, make.memberCall("@sortByAssociatedKeys", make.identifier(SORTED), keys));
};

const MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ["all/2", (make, target, operands) => all(make, target, oneVariable(operands), operands[1]!)],
  ["all/3", (make, target, operands) => all(make, target, twoVariables(operands), operands[2]!)],
  ["exists/2", (make, target, operands) => exists(make, target, oneVariable(operands), operands[1]!)],
  ["exists/3", (make, target, operands) => exists(make, target, twoVariables(operands), operands[2]!)],
  ["exists_one/2", (make, target, operands) => existsOne(make, target, oneVariable(operands), operands[1]!)],
  ["existsOne/2", (make, target, operands) => existsOne(make, target, oneVariable(operands), operands[1]!)],
  ["exists_one/3", (make, target, operands) => existsOne(make, target, twoVariables(operands), operands[2]!)],
  ["existsOne/3", (make, target, operands) => existsOne(make, target, twoVariables(operands), operands[2]!)],
  ["map/2", map],
  ["map/3", map],
  ["filter/2", filter],
  ["transformList/3", transformList],
  ["transformList/4", transformList],
  ["transformMap/3", transformMap],
  ["transformMap/4", transformMap],
  ["transformMapEntry/3", transformMapEntry],
  ["transformMapEntry/4", transformMapEntry],
  ["optMap/2", optMap],
  ["optFlatMap/2", optFlatMap],
  ["sortBy/2", sortBy],
]);

/** What `target.name(operands)` becomes where that is a macro. @throws MacroError where its arguments are wrong. */
export const expandMember = (make: NodeMaker, name: string, target: Expression, operands: readonly Expression[]) =>
  MACROS.get(`${name}/${operands.length}`)?.(make, target, operands);

/** What `has(a.b)` becomes. @throws MacroError where the argument is no selection. */
export function expandHas(make: NodeMaker, operand: Expression): Expression {
  if (operand.kind !== "select" || operand.test) throw new MacroError(operand.at, "invalid argument to has() macro");
  return make.presence(operand.operand, operand.field);
}
