import type { ParamRef, PolicyBindingObject } from "../admission/policies.ts";
import { checkSubdomain, complain } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import { pathSegmentComplaints } from "../names.ts";
import { validateLabelSelector } from "../selector.ts";
import { checkMutable } from "./admission-policies.ts";
import { setMatchResourcesDefaults, validateMatchResources } from "./admission-rules.ts";

const ACTIONS = ["Audit", "Deny", "Warn"];
const NOT_FOUND_ACTIONS = ["Deny", "Allow"];

export function setBindingDefaults({ spec }: PolicyBindingObject): void {
  setMatchResourcesDefaults(spec?.matchResources);
}

/** kubernetes pkg/apis/admissionregistration/validation validateValidatingAdmissionPolicyBindingSpec. */
export function validateValidatingBinding({ spec = {} }: PolicyBindingObject): FieldError[] {
  const errors: FieldError[] = [];
  validatePolicyName(spec.policyName, errors);
  if (spec.paramRef) validateParamRef(spec.paramRef, SPEC.child("paramRef"), errors);
  // Upstream spells the path so.
  if (spec.matchResources) validateMatchResources(spec.matchResources, SPEC.child("matchResouces"), errors);
  validateActions(spec.validationActions ?? [], SPEC.child("validationActions"), errors);
  return errors;
}

/** kubernetes pkg/apis/admissionregistration/validation validateMutatingAdmissionPolicyBindingSpec. */
export function validateMutatingBinding({ spec = {} }: PolicyBindingObject): FieldError[] {
  const errors: FieldError[] = [];
  validatePolicyName(spec.policyName, errors);
  if (spec.paramRef) validateParamRef(spec.paramRef, SPEC.child("paramRef"), errors);
  if (spec.matchResources) {
    validateMatchResources(spec.matchResources, SPEC.child("matchResources"), errors);
    checkMutable(spec.matchResources, SPEC.child("matchResources"), errors);
  }
  return errors;
}

function validatePolicyName(name: string | undefined, errors: FieldError[]): void {
  const at = SPEC.child("policyName");
  if (name) checkSubdomain(name, at, errors);
  else errors.push(fieldRequired(at));
}

function validateParamRef(ref: ParamRef, path: FieldPath, errors: FieldError[]): void {
  const { name = "", selector, parameterNotFoundAction: action } = ref;
  const exclusive = "name and selector are mutually exclusive";
  if (name !== "") complain(pathSegmentComplaints(name), name, path.child("name"), errors);
  if (name !== "" && selector) errors.push(fieldForbidden(path.child("name"), exclusive));
  if (selector) validateLabelSelector(selector, path.child("selector"), errors);
  if (name !== "" && selector) errors.push(fieldForbidden(path.child("selector"), exclusive));
  if (name === "" && !selector) errors.push(fieldRequired(path, "one of name or selector must be specified"));
  const actionAt = path.child("parameterNotFoundAction");
  if (!action) errors.push(fieldRequired(actionAt));
  else if (!NOT_FOUND_ACTIONS.includes(action)) errors.push(fieldNotSupported(actionAt, action, NOT_FOUND_ACTIONS));
}

function validateActions(actions: readonly string[], path: FieldPath, errors: FieldError[]): void {
  actions.forEach((action, i) => {
    if (!ACTIONS.includes(action)) errors.push(fieldNotSupported(path.index(i), action, ACTIONS));
    if (actions.indexOf(action) < i) errors.push(fieldDuplicate(path.index(i), action));
  });
  if (actions.includes("Deny") && actions.includes("Warn")) {
    const why =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    errors.push(fieldInvalid(path, actions, why));
  }
  if (actions.length === 0) errors.push(fieldRequired(path, "at least one validation action is required"));
}
