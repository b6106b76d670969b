import { checkQualifiedName } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldInvalid, fieldRequired, fieldTooMany } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { compileExpression } from "./expressions.ts";

const CONDITIONS_MAX = 64;

interface Condition {
  name?: string;
  expression?: string;
}

/** kubernetes pkg/apis/admissionregistration/validation validateMatchConditions. @param hasParams whether expressions may say `params`. */
export function validateMatchConditions(
  conditions: readonly Condition[] | undefined,
  hasParams: boolean,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!conditions) return;
  if (conditions.length > CONDITIONS_MAX) errors.push(fieldTooMany(path, conditions.length, CONDITIONS_MAX));
  const names = new Set<string>();
  // More than the bound is refused already: it is not to cost more.
  conditions.slice(0, CONDITIONS_MAX).forEach(({ name = "", expression = "" }, i) => {
    const at = path.index(i);
    const trimmed = expression.trim();
    if (trimmed === "") errors.push(fieldRequired(at.child("expression")));
    else checkExpression(trimmed, { returns: "bool", hasParams, hasAuthorizer: true }, at.child("expression"), errors);
    if (name === "") errors.push(fieldRequired(at.child("name")));
    else checkQualifiedName(name, at.child("name"), errors);
    if (name !== "" && names.has(name)) errors.push(fieldDuplicate(at.child("name"), name));
    names.add(name);
  });
}

/** An expression that does not compile, or makes something else than it should. @param shown what the error shows. */
export function checkExpression(
  source: string,
  use: Parameters<typeof compileExpression>[1],
  path: FieldPath,
  errors: FieldError[],
  shown = source,
): ReturnType<typeof compileExpression> {
  const compiled = compileExpression(source, use);
  if (compiled.error !== undefined) errors.push(fieldInvalid(path, shown, compiled.error));
  return compiled;
}
