import type { Meter } from "./meter.ts";
import { type CelType, parametersOf } from "./types.ts";
import type { CelValue } from "./values.ts";

/** One signature of a function. Ids are cel-go's and Kubernetes'. */
export interface Overload {
  readonly id: string;
  /** Called as `first.name(others)`; `first` is among the parameters. */
  readonly member: boolean;
  readonly parameters: readonly CelType[];
  readonly result: CelType;
  /** Whether there are type parameters in it. */
  readonly generic: boolean;
  /** Arguments are of the parameters' types as far as these are known at run time. @throws Failure */
  readonly call: Call;
}

export type Call = (args: readonly CelValue[], meter: Meter) => CelValue;

export interface CelFunction {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** One implementation for all overloads, which looks at the values itself. */
  readonly call?: Call;
}

const isGeneric = (type: CelType): boolean => type.kind === "parameter" || parametersOf(type).some(isGeneric);

function overload(member: boolean, id: string, parameters: readonly CelType[], result: CelType, call: Call): Overload {
  return { id, member, parameters, result, generic: isGeneric(result) || parameters.some(isGeneric), call };
}

/** A signature of `name(…)`. */
export const plain = (
  id: string,
  parameters: readonly CelType[],
  result: CelType,
  call: Call = unreachable,
): Overload => overload(false, id, parameters, result, call);

/** A signature of `first.name(…)`. */
export const member = (
  id: string,
  parameters: readonly CelType[],
  result: CelType,
  call: Call = unreachable,
): Overload => overload(true, id, parameters, result, call);

const unreachable: Call = () => {
  throw new Error("a function of one implementation was called by overload");
};

export const celFunction = (name: string, overloads: readonly Overload[], call?: Call): CelFunction => ({
  name,
  overloads,
  ...(call ? { call } : {}),
});

/** Functions by name; what several libraries declare of one is put together. */
export function functionTable(functions: Iterable<CelFunction>): ReadonlyMap<string, CelFunction> {
  const table = new Map<string, CelFunction>();
  for (const added of functions) {
    const known = table.get(added.name);
    table.set(added.name, known ? { ...known, overloads: [...known.overloads, ...added.overloads] } : added);
  }
  return table;
}
