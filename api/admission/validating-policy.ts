import { areLonger } from "../byte-length.ts";
import { RUNTIME_COST_BUDGET } from "../cel/cel.ts";
import { CostBudget } from "../cel/meter.ts";
import { type CelValue, typeNameOf } from "../cel/values.ts";
import { compiledValidatingPolicy } from "./compiled-policy.ts";
import { type Activation, evaluate, OutOfBudget, withVariables } from "./evaluation.ts";
import { matchConditions } from "./match-conditions.ts";
import type { ValidatingPolicyObject, Validation } from "./policies.ts";

/** One validation that the request does not pass. */
interface Denial {
  /** Index in spec.validations. */
  readonly index: number;
  readonly message: string;
  /** A metav1.StatusReason; empty: the usual. */
  readonly reason: string;
}

export interface PolicyVerdict {
  readonly denials: readonly Denial[];
  /** For the audit log, by the annotation's key. */
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Annotations that could not be had, where that refuses the request whatever the binding's actions are. */
  readonly annotationErrors: readonly string[];
}

const ADMITTED: PolicyVerdict = { denials: [], annotations: [], annotationErrors: [] };
const MESSAGE_BYTES_MAX = 5 * 1024;

/** What a ValidatingAdmissionPolicy says of a request, under one binding and one parameter (policy/validating/validator.go). */
export function validateByPolicy(policy: ValidatingPolicyObject, activation: Activation): PolicyVerdict {
  const { failurePolicy } = policy.spec;
  const { variables, conditions, validations, messages, annotations } = compiledValidatingPolicy(policy);
  const failure = (message: string): PolicyVerdict =>
    failurePolicy === "Ignore" ? ADMITTED : { ...ADMITTED, denials: [{ index: 0, message, reason: "" }] };
  const matched = matchConditions(conditions, failurePolicy, activation, variables);
  if (matched.error !== undefined) return failure(matched.error);
  if (!matched.matches) return ADMITTED;

  const budget = new CostBudget(RUNTIME_COST_BUDGET);
  const whole = withVariables(activation, variables, budget);
  const specs = policy.spec.validations ?? [];
  const denials: Denial[] = [];
  try {
    const results = validations.map((compiled, i) => evaluate(specs[i]!.expression ?? "", compiled, whole, budget));
    results.forEach(({ value, error }, index) => {
      if (error !== undefined) {
        if (failurePolicy !== "Ignore") denials.push({ index, message: error, reason: "" });
      } else if (value !== true) {
        const own = messageOf(messages[index], specs[index]!, whole, budget);
        if (own.error === undefined)
          denials.push({ index, message: own.message, reason: specs[index]!.reason ?? "Invalid" });
        else if (failurePolicy !== "Ignore") denials.push({ index, message: own.error, reason: "" });
      }
    });
  } catch (error) {
    if (error instanceof OutOfBudget) return failure(error.message);
    throw error;
  }
  return { denials, ...annotate(policy, annotations, activation, variables) };
}

type Message = { readonly message: string; readonly error?: undefined } | { readonly error: string };

/** The validation's own words, else the expression itself. */
function messageOf(
  compiled: ReturnType<typeof compiledValidatingPolicy>["messages"][number],
  { expression = "", message = "", messageExpression = "" }: Validation,
  activation: Activation,
  budget: CostBudget,
): Message {
  const fixed = message.trim() || `failed expression: ${expression.trim()}`;
  if (!compiled) return { message: fixed };
  try {
    const { value } = evaluate(messageExpression, compiled, activation, budget);
    const made = typeof value === "string" ? value.trim() : "";
    const isFit = made !== "" && !areLonger([made], MESSAGE_BYTES_MAX) && !made.includes("\n");
    return { message: isFit ? made : fixed };
  } catch (error) {
    if (error instanceof OutOfBudget) return { error: `failed messageExpression: ${error.message}` };
    throw error;
  }
}

function annotate(
  { spec: { auditAnnotations = [], failurePolicy } }: ValidatingPolicyObject,
  compiled: ReturnType<typeof compiledValidatingPolicy>["annotations"],
  activation: Activation,
  variables: Parameters<typeof withVariables>[1],
): Pick<PolicyVerdict, "annotations" | "annotationErrors"> {
  const annotations: { key: string; value: string }[] = [];
  const annotationErrors: string[] = [];
  if (compiled.length === 0) return { annotations, annotationErrors };
  const budget = new CostBudget(RUNTIME_COST_BUDGET);
  const whole = withVariables(activation, variables, budget);
  try {
    compiled.forEach((each, i) => {
      const { key = "", valueExpression = "" } = auditAnnotations[i]!;
      const { value, error } = evaluate(valueExpression, each, whole, budget);
      const text = error ?? wrongType(value!, valueExpression);
      if (text !== undefined) {
        if (error === undefined || failurePolicy !== "Ignore") annotationErrors.push(text);
      } else if (typeof value === "string" && value.trim() !== "") annotations.push({ key, value: value.trim() });
    });
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    if (failurePolicy !== "Ignore") annotationErrors.push(error.message);
  }
  return { annotations, annotationErrors };
}

function wrongType(value: CelValue, expression: string): string | undefined {
  if (typeof value === "string" || value === null) return undefined;
  return `valueExpression '${expression}' resulted in unsupported return type: ${typeNameOf(value)}. Return type must be either string or null.`;
}
