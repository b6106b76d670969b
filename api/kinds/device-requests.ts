import { areLonger } from "../byte-length.ts";
import {
  checkLabelName,
  checkQualifiedName,
  checkRequired,
  checkSubdomain,
  checkSupported,
  complain,
} from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired, fieldTooLong } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import { isObject } from "../json-value.ts";
import { labelValueComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { checkDriverName } from "../pod-template/volume-sources.ts";
import { checkFullyQualifiedName, checkList, checkSet, sameText } from "./device-names.ts";
import { type DeviceSelector, validateSelector } from "./device-selector.ts";

/** What ResourceClaims and the templates of them have in common (pkg/apis/resource/validation/validation.go). */
interface DeviceRequest {
  name?: string;
  deviceClassName?: string;
  selectors?: DeviceSelector[];
  allocationMode?: string;
  count?: number;
  tolerations?: Toleration[];
}

interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
}

interface Request {
  name?: string;
  exactly?: DeviceRequest;
  firstAvailable?: DeviceRequest[];
}

interface Constraint {
  requests?: string[];
  matchAttribute?: string;
  distinctAttribute?: string;
}

export interface Configuration {
  requests?: string[];
  opaque?: { driver?: string; parameters?: unknown };
}

export interface ClaimDevices {
  devices?: { requests?: Request[]; constraints?: Constraint[]; config?: Configuration[] };
}

export interface ResourceClaimTemplateObject extends KubeObject {
  spec: { spec?: ClaimDevices; metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> } };
}

export const REQUESTS_MAX = 32;
const CONSTRAINTS_MAX = 32;
export const CONFIGURATIONS_MAX = 32;
export const SELECTORS_MAX = 32;
const ALTERNATIVES_MAX = 8;
const TOLERATIONS_MAX = 16;
export const PARAMETERS_BYTES_MAX = 10 * 1024;
export const DEVICE_TAINT_EFFECTS = ["NoExecute", "NoSchedule", "None"];

/** pkg/apis/resource/v1/defaults.go: one device, unless something else is said. */
export function setClaimDefaults(spec: ClaimDevices | undefined): void {
  for (const { exactly, firstAvailable } of spec?.devices?.requests ?? []) {
    for (const request of [...(exactly ? [exactly] : []), ...(firstAvailable ?? [])]) {
      request.allocationMode ||= "ExactCount";
      if (request.allocationMode === "ExactCount") request.count ||= 1;
      for (const toleration of request.tolerations ?? []) toleration.operator ||= "Equal";
    }
  }
}

/** What is asked for is asked for. */
export function unchangedSpec(next: KubeObject, previous: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  validateImmutable(next["spec"], previous["spec"], SPEC, errors);
  return errors;
}

/** `path`: of the claim's spec. */
export function validateClaim({ devices }: ClaimDevices, path: FieldPath, errors: FieldError[]): void {
  const at = path.child("devices");
  const names = requestNames(devices?.requests);
  const keyOf = ({ name = "" }: Request): string => name;
  checkSet(devices?.requests, { max: REQUESTS_MAX, keyOf }, at.child("requests"), validateRequest, errors);
  checkList(
    devices?.constraints,
    CONSTRAINTS_MAX,
    at.child("constraints"),
    (constraint, path) => validateConstraint(constraint, names, path, errors),
    errors,
  );
  checkList(
    devices?.config,
    CONFIGURATIONS_MAX,
    at.child("config"),
    (config, path) => {
      checkRequestReferences(config.requests, names, path.child("requests"), errors);
      validateConfiguration(config, path, errors);
    },
    errors,
  );
}

/** Requests as others refer to them: `request`, `request/alternative`. */
export function requestNames(requests: readonly Request[] | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name = "", firstAvailable } of requests ?? []) {
    names.add(name);
    for (const alternative of firstAvailable ?? []) names.add(`${name}/${alternative.name ?? ""}`);
  }
  return names;
}

function validateRequest(request: Request, path: FieldPath, errors: FieldError[]): void {
  const { name = "", exactly, firstAvailable = [] } = request;
  checkLabelName(name, path.child("name"), errors);
  const needsOne = "exactly one of `exactly` or `firstAvailable` is required";
  if (exactly && firstAvailable.length > 0) {
    errors.push(fieldInvalid(path, null, `${needsOne}, but multiple fields are set`));
  } else if (exactly) {
    validateDevice(exactly, path.child("exactly"), errors);
  } else if (firstAvailable.length > 0) {
    const keyOf = ({ name = "" }: DeviceRequest): string => name;
    const check = (alternative: DeviceRequest, at: FieldPath): void => {
      checkLabelName(alternative.name ?? "", at.child("name"), errors);
      validateDevice(alternative, at, errors);
    };
    checkSet(firstAvailable, { max: ALTERNATIVES_MAX, keyOf }, path.child("firstAvailable"), check, errors);
  } else errors.push(fieldRequired(path, needsOne));
}

function validateDevice(request: DeviceRequest, path: FieldPath, errors: FieldError[]): void {
  const { deviceClassName, selectors, allocationMode = "", count = 0, tolerations } = request;
  const classAt = path.child("deviceClassName");
  if (checkRequired(deviceClassName, classAt, errors)) checkSubdomain(deviceClassName!, classAt, errors);
  checkList(selectors, SELECTORS_MAX, path.child("selectors"), validateSelector, errors);
  const countAt = path.child("count");
  if (allocationMode === "All") {
    if (count !== 0) errors.push(fieldInvalid(countAt, count, "must not be specified when allocationMode is 'All'"));
  } else if (allocationMode === "ExactCount") {
    if (count <= 0) errors.push(fieldInvalid(countAt, count, "must be greater than zero"));
  } else errors.push(fieldNotSupported(path.child("allocationMode"), allocationMode, ["All", "ExactCount"]));
  checkList(tolerations, TOLERATIONS_MAX, path.child("tolerations"), validateToleration, errors);
}

function validateToleration(toleration: Toleration, path: FieldPath, errors: FieldError[]): void {
  const { key, operator = "", value = "", effect } = toleration;
  if (key) checkQualifiedName(key, path.child("key"), errors);
  if (operator === "Exists") {
    if (value) errors.push(fieldInvalid(path.child("value"), value, "must be empty for operator `Exists`"));
  } else if (operator === "Equal") complain(labelValueComplaints(value), value, path.child("value"), errors);
  else if (checkRequired(operator, path.child("operator"), errors)) {
    checkSupported(operator, ["Equal", "Exists"], path.child("operator"), errors);
  }
  if (effect) checkSupported(effect, DEVICE_TAINT_EFFECTS, path.child("effect"), errors);
}

function validateConstraint(
  { requests, matchAttribute, distinctAttribute }: Constraint,
  names: ReadonlySet<string>,
  path: FieldPath,
  errors: FieldError[],
): void {
  checkRequestReferences(requests, names, path.child("requests"), errors);
  if (typeof matchAttribute === "string") {
    checkFullyQualifiedName(matchAttribute, path.child("matchAttribute"), errors);
  } else if (typeof distinctAttribute === "string") {
    checkFullyQualifiedName(distinctAttribute, path.child("distinctAttribute"), errors);
  } else {
    const why = `exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set`;
    errors.push(fieldRequired(path, why));
  }
}

export function checkRequestReferences(
  references: readonly string[] | undefined,
  names: ReadonlySet<string>,
  path: FieldPath,
  errors: FieldError[],
): void {
  const check = (name: string, at: FieldPath): void => checkRequestReference(name, names, at, errors);
  checkSet(references, { max: REQUESTS_MAX, keyOf: sameText }, path, check, errors);
}

export function checkRequestReference(
  name: string,
  names: ReadonlySet<string>,
  path: FieldPath,
  errors: FieldError[],
): void {
  const parts = name.split("/");
  if (parts.length <= 2) for (const part of parts) checkLabelName(part, path, errors);
  if (parts.length <= 2 && names.has(name)) return;
  const why = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  errors.push(fieldInvalid(path, name, why));
}

/** What a driver is told of a device, in its own words. */
export function validateConfiguration({ opaque }: Configuration, path: FieldPath, errors: FieldError[]): void {
  const at = path.child("opaque");
  if (!opaque) {
    errors.push(fieldRequired(at));
    return;
  }
  checkDriverName(opaque.driver, at.child("driver"), errors);
  checkRawObject(opaque.parameters, PARAMETERS_BYTES_MAX, at.child("parameters"), errors);
}

/** A JSON object of somebody else's shape. */
export function checkRawObject(value: unknown, bytesMax: number, path: FieldPath, errors: FieldError[]): void {
  if (value === undefined || value === null) errors.push(fieldRequired(path));
  else if (areLonger([JSON.stringify(value)], bytesMax)) errors.push(fieldTooLong(path, bytesMax));
  else if (!isObject(value)) errors.push(fieldInvalid(path, "<value omitted>", "must be a valid JSON object"));
}
