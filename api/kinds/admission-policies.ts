import { compileVariables } from "../admission/compiled-policy.ts";
import type { ExpressionUse } from "../admission/expressions.ts";
import type {
  AuditAnnotation,
  MutatingPolicyObject,
  Mutation,
  ParamKind,
  PolicyObject,
  PolicyVariable,
  ValidatingPolicyObject,
  Validation,
} from "../admission/policies.ts";
import { checkExpression, validateMatchConditions } from "../admission/validate-conditions.ts";
import { areLonger } from "../byte-length.ts";
import { checkQualifiedName, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC, STATUS } from "../field-path.ts";
import { dns1035LabelComplaints, dnsSubdomainComplaints } from "../names.ts";
import {
  FAILURE_POLICIES,
  type MatchResources,
  MUTATING_OPERATIONS,
  setMatchResourcesDefaults,
  validateMatchResources,
} from "./admission-rules.ts";
import { validateConditions } from "./conditions.ts";
import { REINVOCATION_POLICIES } from "./webhooks.ts";

const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const PATCH_TYPES = ["ApplyConfiguration", "JSONPatch"];
const AUDIT_ANNOTATIONS_MAX = 20;
/** Less than an annotation may have: expressions mostly make longer texts than they are. */
const VALUE_EXPRESSION_BYTES_MAX = 5 * 1024;

type Use = Omit<ExpressionUse, "returns">;

export function setPolicyDefaults({ spec }: PolicyObject): void {
  if (!spec) return;
  spec.failurePolicy ??= "Fail";
  setMatchResourcesDefaults(spec.matchConstraints);
}

/** kubernetes pkg/apis/admissionregistration/validation validateValidatingAdmissionPolicySpec. */
export function validateValidatingPolicy(policy: ValidatingPolicyObject): FieldError[] {
  const errors: FieldError[] = [];
  const { spec = {} } = policy;
  validateMatching(spec, errors);
  const use = validateVariables(spec, errors);
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = "validations or auditAnnotations must contain at least one item";
    errors.push(fieldRequired(SPEC.child("validations"), why), fieldRequired(SPEC.child("auditAnnotations"), why));
    return errors;
  }
  validations.forEach((validation, i) => {
    validateValidation(validation, use, SPEC.child("validations").index(i), errors);
  });
  validateAuditAnnotations(policy.metadata.name, auditAnnotations, use, SPEC.child("auditAnnotations"), errors);
  return errors;
}

/** kubernetes pkg/apis/admissionregistration/validation validateValidatingAdmissionPolicyStatus. */
export function validateValidatingPolicyStatus({ status = {} }: ValidatingPolicyObject): FieldError[] {
  const errors: FieldError[] = [];
  const warningsAt = STATUS.child("typeChecking").child("expressionWarnings");
  status.typeChecking?.expressionWarnings?.forEach(({ fieldRef = "", warning = "" }, i) => {
    const at = warningsAt.index(i);
    if (warning === "") errors.push(fieldRequired(at.child("warning")));
    if (fieldRef.trim() === "") errors.push(fieldRequired(at.child("fieldRef")));
  });
  validateConditions(status.conditions ?? [], STATUS.child("conditions"), errors);
  return errors;
}

/** kubernetes pkg/apis/admissionregistration/validation validateMutatingAdmissionPolicySpec. */
export function validateMutatingPolicy({ spec = {} }: MutatingPolicyObject): FieldError[] {
  const errors: FieldError[] = [];
  validateMatching(spec, errors, (resources) => checkMutable(resources, SPEC.child("matchConstraints"), errors));
  const use = validateVariables(spec, errors);
  const { mutations = [], reinvocationPolicy = "" } = spec;
  const at = SPEC.child("mutations");
  if (mutations.length === 0) errors.push(fieldRequired(at, "mutations must contain at least one item"));
  mutations.forEach((mutation, i) => {
    validateMutation(mutation, use, at.index(i), errors);
  });
  if (reinvocationPolicy === "") errors.push(fieldRequired(SPEC.child("reinvocationPolicy")));
  else checkSupported(reinvocationPolicy, REINVOCATION_POLICIES, SPEC.child("reinvocationPolicy"), errors);
  return errors;
}

/** Operations that leave something to be changed. */
export function checkMutable({ resourceRules }: MatchResources, path: FieldPath, errors: FieldError[]): void {
  const at = path.child("resourceRules").child("operations");
  for (const { operations = [] } of resourceRules ?? []) {
    for (const operation of operations) checkSupported(operation, MUTATING_OPERATIONS, at, errors);
  }
}

function validateMatching(
  { failurePolicy, paramKind, matchConstraints, matchConditions }: PolicyObject["spec"],
  errors: FieldError[],
  checkMore?: (resources: MatchResources) => void,
): void {
  if (failurePolicy === undefined) errors.push(fieldRequired(SPEC.child("failurePolicy")));
  else checkSupported(failurePolicy, FAILURE_POLICIES, SPEC.child("failurePolicy"), errors);
  if (paramKind) validateParamKind(paramKind, SPEC.child("paramKind"), errors);
  const at = SPEC.child("matchConstraints");
  if (matchConstraints) {
    validateMatchResources(matchConstraints, at, errors);
    if (!matchConstraints.resourceRules?.length) errors.push(fieldRequired(at.child("resourceRules")));
    checkMore?.(matchConstraints);
  } else errors.push(fieldRequired(at));
  validateMatchConditions(matchConditions, paramKind !== undefined, SPEC.child("matchConditions"), errors);
}

function validateParamKind({ apiVersion = "", kind = "" }: ParamKind, path: FieldPath, errors: FieldError[]): void {
  const versionAt = path.child("apiVersion");
  const parts = apiVersion.split("/");
  if (apiVersion === "") errors.push(fieldRequired(versionAt));
  else if (parts.length > 2) {
    errors.push(fieldInvalid(versionAt, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else {
    const version = parts.at(-1) ?? "";
    const group = parts.length === 2 ? parts[0]! : "";
    const ofGroup = group === "" ? [] : dnsSubdomainComplaints(group);
    if (ofGroup.length > 0) errors.push(fieldInvalid(versionAt, group, ofGroup.join(",")));
    if (version === "") errors.push(fieldInvalid(versionAt, apiVersion, "version must be specified"));
    else {
      const complaints = dns1035LabelComplaints(version);
      if (complaints.length > 0) errors.push(fieldInvalid(versionAt, version, complaints.join(",")));
    }
  }
  if (kind === "") {
    errors.push(fieldRequired(path.child("kind")));
    return;
  }
  const complaints = dns1035LabelComplaints(kind.toLowerCase());
  if (complaints.length === 0) return;
  const why = `may have mixed case, but should otherwise match: ${complaints.join(", ")}`;
  errors.push(fieldInvalid(path.child("kind"), kind, why));
}

const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const RESERVED = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** Answers what the other expressions of the policy may name. */
function validateVariables(
  { paramKind, variables = [] }: { paramKind?: ParamKind; variables?: PolicyVariable[] },
  errors: FieldError[],
): Use {
  const plain = { hasParams: paramKind !== undefined, hasAuthorizer: true };
  if (variables.length === 0) return plain;
  const { compiled, types } = compileVariables(variables, plain);
  variables.forEach(({ name = "", expression = "" }, i) => {
    const at = SPEC.child("variables").index(i);
    if (name.trim() === "") errors.push(fieldRequired(at.child("name"), "name is not specified"));
    else if (!IDENTIFIER.test(name) || RESERVED.has(name)) {
      errors.push(fieldInvalid(at.child("name"), name, "must be a valid CEL identifier"));
    }
    const { error } = compiled[i]!.compiled;
    if (expression.trim() === "") errors.push(fieldRequired(at.child("expression"), "expression is not specified"));
    else if (error !== undefined) errors.push(fieldInvalid(at.child("expression"), expression, error));
  });
  return { ...plain, variables: types };
}

const LINE_BREAK = /[\n\r]/;

function validateValidation(validation: Validation, use: Use, path: FieldPath, errors: FieldError[]): void {
  const { expression = "", message = "", messageExpression = "", reason } = validation;
  const expressionAt = path.child("expression");
  if (expression.trim() === "") errors.push(fieldRequired(expressionAt, "expression is not specified"));
  else checkExpression(expression, { ...use, returns: "bool" }, expressionAt, errors);
  const messageExpressionAt = path.child("messageExpression");
  if (messageExpression !== "" && messageExpression.trim() === "") {
    errors.push(fieldInvalid(messageExpressionAt, messageExpression, "must be non-empty if specified"));
  } else if (messageExpression !== "") {
    checkExpression(
      messageExpression,
      { ...use, returns: "string", hasAuthorizer: false },
      messageExpressionAt,
      errors,
    );
  }
  if (message !== "" && message.trim() === "") {
    errors.push(fieldInvalid(path.child("message"), message, "message must be non-empty if specified"));
  } else if (LINE_BREAK.test(message.trim())) {
    errors.push(fieldInvalid(path.child("message"), message, "must not contain line breaks"));
  }
  if (reason !== undefined) checkSupported(reason, REASONS, path.child("reason"), errors);
}

function validateAuditAnnotations(
  policyName: string,
  annotations: readonly AuditAnnotation[],
  use: Use,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (annotations.length > AUDIT_ANNOTATIONS_MAX) {
    errors.push(fieldInvalid(path, annotations, `must not have more than ${AUDIT_ANNOTATIONS_MAX} auditAnnotations`));
  }
  const keys = new Set<string>();
  annotations.slice(0, AUDIT_ANNOTATIONS_MAX).forEach(({ key = "", valueExpression = "" }, i) => {
    const keyAt = path.index(i).child("key");
    const valueAt = path.index(i).child("valueExpression");
    if (policyName) checkQualifiedName(`${policyName}/${key}`, keyAt, errors);
    else errors.push(fieldInvalid(keyAt, key, "requires metadata.name be non-empty"));
    const trimmed = valueExpression.trim();
    if (trimmed === "") errors.push(fieldRequired(valueAt, "valueExpression is not specified"));
    else if (areLonger([trimmed], VALUE_EXPRESSION_BYTES_MAX)) {
      errors.push(fieldRequired(valueAt, `must not exceed ${VALUE_EXPRESSION_BYTES_MAX} bytes in length`));
    } else checkExpression(trimmed, { ...use, returns: "text or nothing" }, valueAt, errors, valueExpression);
    if (keys.has(key)) errors.push(fieldDuplicate(keyAt, key));
    keys.add(key);
  });
}

function validateMutation(mutation: Mutation, use: Use, path: FieldPath, errors: FieldError[]): void {
  const { patchType = "", jsonPatch, applyConfiguration } = mutation;
  const fields = [
    { type: "JSONPatch", field: "jsonPatch", value: jsonPatch, returns: "JSONPatch" },
    { type: "ApplyConfiguration", field: "applyConfiguration", value: applyConfiguration, returns: "Object" },
  ] as const;
  const typeAt = path.child("patchType");
  if (patchType === "") errors.push(fieldRequired(typeAt));
  else if (!PATCH_TYPES.includes(patchType)) errors.push(fieldNotSupported(typeAt, patchType, PATCH_TYPES));
  else {
    for (const { type, field, value, returns } of fields) {
      const at = path.child(field);
      if (type !== patchType) {
        const why = `must not be specified when patchType is ${patchType}`;
        if (value) errors.push(fieldInvalid(at, `{${field}}`, why));
      } else if (!value) errors.push(fieldRequired(at, `must be specified when patchType is ${patchType}`));
      else {
        const trimmed = (value.expression ?? "").trim();
        if (trimmed === "") errors.push(fieldRequired(at.child("expression")));
        else checkExpression(trimmed, { ...use, returns }, at.child("expression"), errors);
      }
    }
  }
}
