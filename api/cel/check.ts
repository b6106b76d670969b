import { type CallNode, type Expression, type FoldNode, qualifiedName, type StructNode } from "./ast.ts";
import type { Declared } from "./declared.ts";
import type { CelFunction } from "./function.ts";
import type { IssueList } from "./issues.ts";
import * as T from "./types.ts";
import { type CelType, formatType, isDyn, isSameType, listOf, mapOf, optionalOf, unwrapOptional } from "./types.ts";
import { mostGeneral, Unification } from "./unify.ts";

/** What names mean while an expression is checked. */
export interface Scope {
  variable(name: string): CelType | undefined;
  /** The type that a name is: `int`, `net.IP`, `Object.spec`. */
  typeNamed(name: string): CelType | undefined;
  function(name: string): CelFunction | undefined;
  /** Undefined: not a struct with fields. */
  struct(name: string): Declared | undefined;
}

/**
 * Finds the type of every node and the overloads of every call, and writes both into the nodes (cel-go's checker). Issues are reported
 * in its words.
 */
export function check(root: Expression, scope: Scope, issues: IssueList): void {
  new Checker(scope, issues).run(root);
}

const LOGICAL = new Set(["_&&_", "_||_"]);

class Checker {
  readonly #scope: Scope;
  readonly #issues: IssueList;
  readonly #types = new Unification();
  /** Variables of comprehensions, innermost last. */
  readonly #locals: [name: string, type: CelType][] = [];
  readonly #checked: Expression[] = [];

  constructor(scope: Scope, issues: IssueList) {
    this.#scope = scope;
    this.#issues = issues;
  }

  run(root: Expression): void {
    this.#check(root);
    for (const node of this.#checked) node.type = this.#types.substitute(node.type ?? T.ERROR, true);
  }

  #check(node: Expression): CelType {
    // A node that occurs twice (a macro's predicate) is of the same type both times.
    if (node.type) return node.type;
    const type = this.#typeOf(node);
    node.type = type;
    this.#checked.push(node);
    return type;
  }

  #typeOf(node: Expression): CelType {
    switch (node.kind) {
      case "literal":
        return typeOfLiteral(node.value);
      case "identifier":
        return this.#identifier(node);
      case "select":
        return this.#select(node);
      case "call":
        return node.function === "_?._" ? this.#optionalSelect(node) : this.#call(node);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "struct":
        return this.#struct(node);
      case "fold":
        return this.#fold(node);
    }
  }

  #report(at: number, message: string): CelType {
    this.#issues.report(at, message);
    return T.ERROR;
  }

  #undeclared(at: number, name: string): CelType {
    return this.#report(at, `undeclared reference to '${name}' (in container '')`);
  }

  #lookUp(name: string): { type: CelType; names?: CelType } | undefined {
    const local = this.#locals.findLast(([known]) => known === name);
    if (local) return { type: local[1] };
    const bare = name.startsWith(".") ? name.slice(1) : name;
    const variable = this.#scope.variable(bare);
    if (variable) return { type: variable };
    const named = this.#scope.typeNamed(bare);
    return named && { type: T.typeOf(named), names: named };
  }

  #identifier(node: Expression & { kind: "identifier" }): CelType {
    const found = this.#lookUp(node.name);
    if (!found) return this.#undeclared(node.at, node.name);
    if (node.name.startsWith(".")) node.name = node.name.slice(1);
    if (found.names) node.names = found.names;
    return found.type;
  }

  #select(node: Expression & { kind: "select" }): CelType {
    const name = node.test ? undefined : qualifiedName(node);
    const named = name === undefined ? undefined : this.#lookUp(name);
    if (named) {
      if (named.names) node.names = named.names;
      else node.variable = name!;
      return named.type;
    }
    const type = this.#fieldOf(node.at, node.operand, node.field, false);
    return node.test ? T.BOOL : this.#types.substitute(type, false);
  }

  #optionalSelect(node: CallNode): CelType {
    const [operand, field] = node.arguments as [Expression, Expression];
    const name = field.kind === "literal" ? String(field.value) : "";
    field.type = T.STRING;
    node.overloads = ["select_optional_field"];
    return this.#types.substitute(this.#fieldOf(node.at, operand, name, true), false);
  }

  #fieldOf(at: number, operand: Expression, field: string, optional: boolean): CelType {
    const operandType = this.#types.substitute(this.#check(operand), false);
    const unwrapped = unwrapOptional(operandType);
    const target = unwrapped ?? operandType;
    const type = this.#fieldOfType(at, target, field);
    return unwrapped || optional ? optionalOf(type) : type;
  }

  #fieldOfType(at: number, target: CelType, field: string): CelType {
    switch (target.kind) {
      case "map":
        return target.value;
      case "struct": {
        const declared = this.#scope.struct(target.name);
        if (!declared) return this.#report(at, `unexpected failed resolution of '${target.name}'`);
        const found = declared.field?.(field);
        return found?.type ?? this.#report(at, `undefined field '${field}'`);
      }
      case "parameter":
        this.#types.isAssignable(T.DYN, target);
        return T.DYN;
      case "dyn":
      case "error":
        return T.DYN;
      default:
        this.#report(at, `type '${formatType(target)}' does not support field selection`);
        return T.DYN;
    }
  }

  #call(node: CallNode): CelType {
    for (const argument of node.arguments) this.#check(argument);
    if (!node.target) {
      const found = this.#scope.function(node.function.replace(/^\./, ""));
      return found ? this.#resolve(node, found) : this.#undeclared(node.at, node.function);
    }
    const prefix = qualifiedName(node.target);
    const namespaced = prefix === undefined ? undefined : this.#scope.function(`${prefix}.${node.function}`);
    if (namespaced) {
      node.function = namespaced.name;
      node.target = undefined;
      return this.#resolve(node, namespaced);
    }
    this.#check(node.target);
    const found = this.#scope.function(node.function);
    return found ? this.#resolve(node, found) : this.#undeclared(node.at, node.function);
  }

  #resolve(node: CallNode, found: CelFunction): CelType {
    const operands = node.target ? [node.target, ...node.arguments] : node.arguments;
    const types = operands.map((operand) => operand.type!);
    if (LOGICAL.has(found.name)) return this.#resolveLogical(node, found, types);
    const ids: string[] = [];
    let result: CelType | undefined;
    for (const overload of found.overloads) {
      if (overload.member !== (node.target !== undefined)) continue;
      const { parameters, result: overloadResult } = overload.generic ? this.#instantiate(overload) : overload;
      if (!this.#types.areAssignable(types, parameters)) continue;
      ids.push(overload.id);
      const type = this.#types.substitute(overloadResult, false);
      if (!result) result = type;
      else if (!isDyn(result) && !isSameType(type, result)) result = T.DYN;
    }
    node.overloads = ids;
    if (result) return result;
    const shown = types.map((type) => formatType(this.#types.substitute(type, true)));
    const signature = node.target ? `${shown[0]}.(${shown.slice(1).join(", ")})` : `(${shown.join(", ")})`;
    return this.#report(node.at, `found no matching overload for '${found.name}' applied to '${signature}'`);
  }

  #resolveLogical(node: CallNode, found: CelFunction, types: readonly CelType[]): CelType {
    let matches = true;
    for (const [i, type] of types.entries()) {
      if (this.#types.isAssignable(type, T.BOOL)) continue;
      matches = false;
      this.#mismatch(node.arguments[i]!, T.BOOL, type);
    }
    node.overloads = [found.overloads[0]!.id];
    return matches ? T.BOOL : T.ERROR;
  }

  /** An overload with fresh type parameters. */
  #instantiate(overload: { parameters: readonly CelType[]; result: CelType }) {
    const fresh = new Map<string, CelType>();
    const rename = (type: CelType): CelType => {
      switch (type.kind) {
        case "parameter": {
          const known = fresh.get(type.name) ?? this.#types.freshParameter();
          fresh.set(type.name, known);
          return known;
        }
        case "list":
          return listOf(rename(type.element));
        case "map":
          return mapOf(rename(type.key), rename(type.value));
        case "opaque":
          return T.opaqueNamed(type.name, ...type.parameters.map(rename));
        case "type":
          return type.of ? T.typeOf(rename(type.of)) : type;
        default:
          return type;
      }
    };
    return { parameters: overload.parameters.map(rename), result: rename(overload.result) };
  }

  #mismatch(node: Expression, expected: CelType, found: CelType): CelType {
    return this.#report(node.at, `expected type '${formatType(expected)}' but found '${formatType(found)}'`);
  }

  /** The most general of two types of one list or map. That such may not be mixed is checked later, and not within `format`. */
  #join(previous: CelType | undefined, current: CelType): CelType {
    if (!previous) return current;
    return this.#types.isAssignable(previous, current) ? mostGeneral(previous, current) : T.DYN;
  }

  /** What `?value` adds to a list, a map or a struct. */
  #unwrapped(node: Expression, type: CelType): CelType {
    const unwrapped = unwrapOptional(type);
    if (unwrapped) return unwrapped;
    if (!isDyn(type)) this.#mismatch(node, optionalOf(type), type);
    return type;
  }

  #list(node: Expression & { kind: "list" }): CelType {
    let joined: CelType | undefined;
    for (const [i, element] of node.elements.entries()) {
      const type = this.#check(element);
      joined = this.#join(joined, node.optional.has(i) ? this.#unwrapped(element, type) : type);
    }
    return this.#bounded(node, listOf(joined ?? this.#types.freshParameter()));
  }

  #map(node: Expression & { kind: "map" }): CelType {
    let [keys, values]: (CelType | undefined)[] = [];
    for (const entry of node.entries) {
      keys = this.#join(keys, this.#check(entry.key));
      const type = this.#check(entry.value);
      values = this.#join(values, entry.optional ? this.#unwrapped(entry.value, type) : type);
    }
    const unknown = () => this.#types.freshParameter();
    return this.#bounded(node, mapOf(keys ?? unknown(), values ?? unknown()));
  }

  #bounded(node: Expression, type: CelType): CelType {
    const size = T.typeSize(this.#types.substitute(type, false));
    return size <= T.TYPE_SIZE_MAX ? type : this.#report(node.at, "type of expression is too large");
  }

  #struct(node: StructNode): CelType {
    const name = node.name.replace(/^\./, "");
    const named = this.#lookUp(name);
    const type = named?.names;
    if (!named) this.#undeclared(node.at, node.name);
    else if (!type) this.#report(node.at, `'${formatType(named.type)}' is not a type`);
    else if (type.kind !== "struct") this.#report(node.at, `'${formatType(type)}' is not a message type`);
    if (type?.kind !== "struct") return T.ERROR;
    const fields = this.#scope.struct(name);
    for (const field of node.fields) {
      const given = this.#check(field.value);
      const declared = fields?.field?.(field.name)?.type ?? this.#report(field.at, `undefined field '${field.name}'`);
      const value = field.optional ? this.#unwrapped(field.value, given) : given;
      if (this.#types.isAssignable(declared, value)) continue;
      this.#report(
        field.at,
        `expected type of field '${field.name}' is '${formatType(declared)}' but provided type is '${formatType(value)}'`,
      );
    }
    return type;
  }

  #fold(node: FoldNode): CelType {
    const range = this.#types.substitute(this.#check(node.range), false);
    const initial = this.#check(node.initial);
    const [variable, secondVariable] = this.#iterated(node, range);
    const outer = this.#locals.length;
    this.#locals.push([node.accumulator, initial]);
    this.#locals.push([node.variable, variable]);
    if (node.secondVariable !== undefined) this.#locals.push([node.secondVariable, secondVariable]);
    this.#assert(node.condition, T.BOOL);
    this.#assert(node.step, initial);
    this.#locals.length = outer + 1;
    const result = this.#check(node.result);
    this.#locals.length = outer;
    return this.#types.substitute(result, false);
  }

  #assert(node: Expression, expected: CelType): void {
    const type = this.#check(node);
    if (!this.#types.isAssignable(expected, type)) this.#mismatch(node, expected, type);
  }

  /** The types of a comprehension's variables. */
  #iterated(node: FoldNode, range: CelType): [CelType, CelType] {
    const two = node.secondVariable !== undefined;
    switch (range.kind) {
      case "list":
        return two ? [T.INT, range.element] : [range.element, T.DYN];
      case "map":
        return [range.key, range.value];
      case "dyn":
      case "error":
      case "parameter":
        this.#types.isAssignable(T.DYN, range);
        return [T.DYN, T.DYN];
      default:
        this.#report(
          node.range.at,
          `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [T.ERROR, T.ERROR];
    }
  }
}

function typeOfLiteral(value: unknown): CelType {
  switch (typeof value) {
    case "boolean":
      return T.BOOL;
    case "bigint":
      return T.INT;
    case "number":
      return T.DOUBLE;
    case "string":
      return T.STRING;
  }
  return value === null ? T.NULL : value instanceof Uint8Array ? T.BYTES : T.UINT;
}
