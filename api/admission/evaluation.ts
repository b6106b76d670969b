import { CelError, Exhausted, Failure } from "../cel/cel-error.ts";
import type { CostBudget } from "../cel/meter.ts";
import type { CelValue } from "../cel/values.ts";
import type { KubeObject } from "../object.ts";
import type { Attributes } from "./attributes.ts";
import type { CompiledExpression } from "./expressions.ts";
import { type ReviewRequest, reviewRequest } from "./review.ts";
import type { Invocation } from "./rule-match.ts";

/** What expressions are told of a request, as plain JSON but for `authorizer`, which is a value of the language. */
export interface Activation {
  readonly object: Readonly<KubeObject> | null;
  readonly oldObject: Readonly<KubeObject> | null;
  readonly request: ReviewRequest;
  readonly namespaceObject: Readonly<KubeObject> | null;
  readonly params?: Readonly<KubeObject> | null;
  readonly authorizer?: unknown;
  readonly "authorizer.requestResource"?: unknown;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** `request` of an activation: what a webhook is told, without the objects, which have names of their own. */
export function requestVariable(attributes: Attributes, invocation: Invocation): ReviewRequest {
  const {
    object: _,
    oldObject: __,
    ...request
  } = reviewRequest(attributes, invocation, {
    object: undefined,
    oldObject: undefined,
  });
  return request;
}

/** `namespaceObject`: of the metadata, what is the user's. */
export function namespaceVariable(namespace: Readonly<KubeObject> | undefined): KubeObject | null {
  if (!namespace) return null;
  const {
    managedFields: _,
    ownerReferences: __,
    selfLink: ___,
    ...metadata
  } = namespace.metadata as unknown as Record<string, unknown>;
  return { ...namespace, metadata } as unknown as KubeObject;
}

/** What has been spent ends everything else that was to share it. */
export class OutOfBudget extends Error {
  constructor() {
    super("validation failed due to running out of cost budget, no further validation rules will be run");
  }
}

export type Evaluated =
  | { readonly value: CelValue; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: string };

/** One expression's value, or upstream's sentence for why it has none. @throws OutOfBudget */
export function evaluate(
  source: string,
  compiled: CompiledExpression,
  activation: Activation,
  budget: CostBudget,
): Evaluated {
  if (compiled.error !== undefined) return { error: `compilation error: ${compiled.error}` };
  try {
    return { value: compiled.program.evaluate(activation as unknown as Readonly<Record<string, unknown>>, budget) };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    if (error.kind === "budget") throw new OutOfBudget();
    return { error: `expression '${source}' resulted in error: ${error.message}` };
  }
}

/** A variable of a policy: compiled once, evaluated where an expression first reads it. */
export interface CompiledVariable {
  readonly name: string;
  readonly compiled: CompiledExpression;
}

/** The activation with `variables`: each is evaluated at most once, and only where it is read; later ones may read earlier ones. */
export function withVariables(
  activation: Activation,
  variables: readonly CompiledVariable[],
  budget: CostBudget,
): Activation {
  if (variables.length === 0) return activation;
  const lazy: Record<string, unknown> = {};
  const whole = { ...activation, variables: lazy };
  for (const { name, compiled } of variables) {
    let known: { value: CelValue } | undefined;
    Object.defineProperty(lazy, name, {
      enumerable: true,
      get() {
        known ??= { value: variableValue(name, compiled, whole, budget) };
        return known.value;
      },
    });
  }
  return whole;
}

function variableValue(
  name: string,
  compiled: CompiledExpression,
  activation: Activation,
  budget: CostBudget,
): CelValue {
  const quoted = JSON.stringify(name);
  if (compiled.error !== undefined) {
    throw new Failure(`composited variable ${quoted} fails to compile: ${compiled.error}`);
  }
  try {
    return compiled.program.evaluate(activation as unknown as Readonly<Record<string, unknown>>, budget);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    if (error.kind === "budget") throw new Exhausted("budget");
    throw new Failure(`composited variable ${quoted} fails to evaluate: ${error.message}`);
  }
}
