import { type CelType, DYN, isDyn, isSameType, listOf, mapOf, opaqueNamed, parametersOf, typeOf } from "./types.ts";

const isDynOrError = (type: CelType): boolean => type.kind === "dyn" || type.kind === "error";

/** The types that a null can stand for besides its own. */
const isNullable = (type: CelType): boolean =>
  type.kind === "opaque" || type.kind === "struct" || type.kind === "duration" || type.kind === "timestamp";

/** What type parameters were found to stand for, and which types fit which (cel-go's checker/types.go). */
export class Unification {
  readonly #bound = new Map<string, CelType>();
  /** What was bound since, and what it was before: an attempt that fails is undone. */
  #trail: [name: string, before: CelType | undefined][] = [];
  #fresh = 0;

  freshParameter(): CelType {
    return { kind: "parameter", name: `_var${this.#fresh++}` };
  }

  /** Whether values of one can be used as the other. What is learned of type parameters is kept if so. */
  isAssignable(a: CelType, b: CelType): boolean {
    return this.#attempt(() => this.#fits(a, b));
  }

  areAssignable(a: readonly CelType[], b: readonly CelType[]): boolean {
    return this.#attempt(() => this.#fitAll(a, b));
  }

  /** The type with all that is known put in; parameters that nothing is known of become dyn where that is wanted. */
  substitute(type: CelType, unknownToDyn: boolean): CelType {
    if (type.kind === "parameter") {
      const bound = this.#bound.get(type.name);
      if (bound) return this.substitute(bound, unknownToDyn);
      return unknownToDyn ? DYN : type;
    }
    const inner = (parameter: CelType) => this.substitute(parameter, unknownToDyn);
    switch (type.kind) {
      case "list":
        return listOf(inner(type.element));
      case "map":
        return mapOf(inner(type.key), inner(type.value));
      case "opaque":
        return type.parameters.length === 0 ? type : opaqueNamed(type.name, ...type.parameters.map(inner));
      case "type":
        return type.of ? typeOf(inner(type.of)) : type;
      default:
        return type;
    }
  }

  #attempt(work: () => boolean): boolean {
    this.#trail = [];
    if (work()) return true;
    for (const [name, before] of this.#trail.reverse()) {
      if (before) this.#bound.set(name, before);
      else this.#bound.delete(name);
    }
    return false;
  }

  #bind(name: string, type: CelType): void {
    this.#trail.push([name, this.#bound.get(name)]);
    this.#bound.set(name, type);
  }

  #fitAll(a: readonly CelType[], b: readonly CelType[]): boolean {
    return a.length === b.length && a.every((type, i) => this.#fits(type, b[i]!));
  }

  #fits(a: CelType, b: CelType): boolean {
    if (b.kind === "parameter") {
      const wasBound = this.#bound.has(b.name);
      if (this.#standsFor(a, b)) return true;
      if (wasBound) return false;
    }
    if (a.kind === "parameter") return this.#standsFor(b, a);
    if (isDynOrError(a) || isDynOrError(b)) return true;
    if (a.kind === "null" || b.kind === "null") {
      return a.kind === b.kind || isNullable(a.kind === "null" ? b : a);
    }
    if (a.kind !== b.kind) return false;
    switch (a.kind) {
      case "type":
        return true;
      case "struct":
        return a.name === (b as typeof a).name;
      case "opaque":
        return a.name === (b as typeof a).name && this.#fitAll(a.parameters, (b as typeof a).parameters);
      default:
        return this.#fitAll(parametersOf(a), parametersOf(b));
    }
  }

  /** Whether the parameter can stand for the type; binds it, or makes what it stands for more general. */
  #standsFor(type: CelType, parameter: CelType & { kind: "parameter" }): boolean {
    if (isSameType(type, parameter)) return true;
    const bound = this.#bound.get(parameter.name);
    if (bound) {
      if (isSameType(type, bound)) return true;
      if (!this.#fits(type, bound)) return false;
      const general = isEqualOrLessSpecific(type, bound) ? type : bound;
      if (!this.#occursIn(parameter, general)) this.#bind(parameter.name, general);
      return true;
    }
    if (this.#occursIn(parameter, type)) return false;
    this.#bind(parameter.name, type);
    return true;
  }

  #occursIn(parameter: CelType & { kind: "parameter" }, type: CelType): boolean {
    if (type.kind === "parameter") {
      if (type.name === parameter.name) return true;
      const bound = this.#bound.get(type.name);
      return bound !== undefined && this.#occursIn(parameter, bound);
    }
    return parametersOf(type).some((inner) => this.#occursIn(parameter, inner));
  }
}

export const mostGeneral = (a: CelType, b: CelType): CelType => (isEqualOrLessSpecific(a, b) ? a : b);

function isEqualOrLessSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === "parameter") return true;
  if (isDyn(b) || b.kind === "parameter") return false;
  if (a.kind !== b.kind) return false;
  if (a.kind === "type") return true;
  if (a.kind === "list" || a.kind === "map" || a.kind === "opaque") {
    const [left, right] = [parametersOf(a), parametersOf(b)];
    if (a.kind === "opaque" && a.name !== (b as typeof a).name) return false;
    return left.length === right.length && left.every((type, i) => isEqualOrLessSpecific(type, right[i]!));
  }
  return isSameType(a, b);
}
