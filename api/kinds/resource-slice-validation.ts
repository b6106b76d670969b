import { sameJson } from "../equality.ts";
import { checkLabelName, checkQualifiedName, checkRequired, complain } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldNotFound,
  fieldRequired,
  fieldTooLong,
} from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import { dnsSubdomainComplaints } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { validateNodeSelector } from "../pod-template/placement.ts";
import { isNativeResource } from "../pod-template/resources.ts";
import { checkDriverName } from "../pod-template/volume-sources.ts";
import { parseQuantity } from "../quantity.ts";
import { type DeviceCapacity, validateCapacity } from "./device-capacity.ts";
import { checkCounters, checkDeviceMap, checkList, checkPoolName, checkSet } from "./device-names.ts";
import { type DeviceTaint, validateDeviceTaint } from "./device-taint.ts";

/** What a driver may say of its devices (pkg/apis/resource/validation/validation.go). */

interface Placement {
  nodeName?: string;
  nodeSelector?: { nodeSelectorTerms?: object[] };
  allNodes?: boolean;
}

interface Attribute {
  bool?: boolean;
  int?: number;
  string?: string;
  version?: string;
}

export interface Device extends Placement {
  name?: string;
  attributes?: Record<string, Attribute>;
  capacity?: Record<string, DeviceCapacity>;
  taints?: DeviceTaint[];
  consumesCounters?: { counterSet?: string; counters?: Record<string, unknown> }[];
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
  allowMultipleAllocations?: boolean;
  nodeAllocatableResourceMappings?: Record<string, { allocationMultiplier?: string; capacityKey?: string }>;
}

export interface ResourceSliceSpec extends Placement {
  driver?: string;
  pool?: { name?: string; generation?: number; resourceSliceCount?: number };
  perDeviceNodeSelection?: boolean;
  devices?: Device[];
  sharedCounters?: { name?: string; counters?: Record<string, unknown> }[];
}

const DEVICES_MAX = 128;
/** Of devices with taints or shared counters. */
const ADVANCED_DEVICES_MAX = 64;
const COUNTER_SETS_MAX = 8;
const COUNTERS_MAX = 32;
const CONSUMED_SETS_MAX = 2;
const ENTRIES_MAX = 32;
const ATTRIBUTE_LENGTH_MAX = 64;
const TAINTS_MAX = 16;
const CONDITIONS_MAX = 4;
const IDENTIFIER = "(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)";
/** semver.org, 2.0.0. */
const VERSION = new RegExp(
  `^(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)(?:-${IDENTIFIER}(?:\\.${IDENTIFIER})*)?(?:\\+[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*)?$`,
);
/** What is longer is no version, and not looked at. */
const VERSION_LENGTH_MAX = 256;

export function validateSlice(spec: ResourceSliceSpec, previous: ResourceSliceSpec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  checkDriverName(spec.driver, SPEC.child("driver"), errors);
  validatePool(spec.pool ?? {}, SPEC.child("pool"), errors);
  if (previous) {
    const nameAt = SPEC.child("pool").child("name");
    validateImmutable(spec.pool?.name ?? "", previous.pool?.name ?? "", nameAt, errors);
    validateImmutable(spec.driver ?? "", previous.driver ?? "", SPEC.child("driver"), errors);
    validateImmutable(spec.nodeName ?? null, previous.nodeName ?? null, SPEC.child("nodeName"), errors);
  }
  validateSlicePlacement(spec, errors);
  const { devices, sharedCounters, perDeviceNodeSelection = false } = spec;
  if (devices && sharedCounters) {
    errors.push(fieldInvalid(SPEC, "", "only one of `sharedCounters` or `devices` is allowed"));
  }
  const isAdvanced = devices?.some(({ taints, consumesCounters }) => taints?.length || consumesCounters?.length);
  const before = new Map(previous?.devices?.map((device) => [device.name ?? "", device]));
  checkSet(
    devices,
    { max: isAdvanced ? ADVANCED_DEVICES_MAX : DEVICES_MAX, keyOf: ({ name = "" }) => name },
    SPEC.child("devices"),
    (device, at) => validateDevice(device, before.get(device.name ?? ""), perDeviceNodeSelection, at, errors),
    errors,
  );
  checkSet(
    sharedCounters,
    { max: COUNTER_SETS_MAX, keyOf: ({ name = "" }) => name },
    SPEC.child("sharedCounters"),
    ({ name, counters }, at) => {
      if (checkRequired(name, at.child("name"), errors)) checkLabelName(name!, at.child("name"), errors);
      checkCounters(counters, COUNTERS_MAX, at.child("counters"), errors);
    },
    errors,
  );
  return errors;
}

function validatePool(pool: NonNullable<ResourceSliceSpec["pool"]>, path: FieldPath, errors: FieldError[]): void {
  const { name, generation = 0, resourceSliceCount = 0 } = pool;
  checkPoolName(name, path.child("name"), errors);
  if (resourceSliceCount <= 0) {
    errors.push(fieldInvalid(path.child("resourceSliceCount"), resourceSliceCount, "must be greater than zero"));
  }
  if (generation < 0) {
    errors.push(fieldInvalid(path.child("generation"), generation, "must be greater than or equal to zero"));
  }
}

/** Which nodes it is for is told in one way. */
function validateSlicePlacement(spec: ResourceSliceSpec, errors: FieldError[]): void {
  const ways = placementsOf(spec, SPEC, "must be either unset or set to a non-empty string", errors);
  const terms = spec.nodeSelector?.nodeSelectorTerms ?? [];
  if (spec.nodeSelector && terms.length !== 1) {
    const at = SPEC.child("nodeSelector").child("nodeSelectorTerms");
    errors.push(fieldInvalid(at, terms, "must have exactly one node selector term"));
  }
  if (spec.perDeviceNodeSelection) ways.push("`perDeviceNodeSelection`");
  else if (spec.perDeviceNodeSelection === false) {
    errors.push(fieldInvalid(SPEC.child("perDeviceNodeSelection"), false, "must be either unset or set to true"));
  }
  const why = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  if (ways.length === 0) errors.push(fieldRequired(SPEC, why));
  else if (ways.length > 1) {
    errors.push(fieldInvalid(SPEC, `{${ways.join(", ")}}`, `${why}, but multiple fields are set`));
  }
}

/** The ways in which a slice or a device tells of its nodes. */
function placementsOf(placement: Placement, path: FieldPath, whyEmpty: string, errors: FieldError[]): string[] {
  const { nodeName, nodeSelector, allNodes } = placement;
  const ways: string[] = [];
  if (nodeName) {
    ways.push("`nodeName`");
    complain(dnsSubdomainComplaints(nodeName), nodeName, path.child("nodeName"), errors);
  } else if (nodeName === "") errors.push(fieldInvalid(path.child("nodeName"), "", whyEmpty));
  if (nodeSelector) {
    ways.push("`nodeSelector`");
    validateNodeSelector(nodeSelector, path.child("nodeSelector"), errors);
  }
  if (allNodes) ways.push("`allNodes`");
  else if (allNodes === false) {
    errors.push(fieldInvalid(path.child("allNodes"), false, "must be either unset or set to true"));
  }
  return ways;
}

function validateDevice(
  device: Device,
  previous: Device | undefined,
  tellsItsNodes: boolean,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { name = "", attributes = {}, capacity = {}, taints, consumesCounters } = device;
  checkLabelName(name, path.child("name"), errors);
  const entries = Object.keys(attributes).length + Object.keys(capacity).length;
  if (entries > ENTRIES_MAX) {
    const why = `the total number of attributes and capacities must not exceed ${ENTRIES_MAX}`;
    errors.push(fieldInvalid(path, entries, why));
  }
  checkDeviceMap(attributes, path.child("attributes"), validateAttribute, errors);
  const isShared = device.allowMultipleAllocations === true;
  const checkCapacity = (each: DeviceCapacity, at: FieldPath): void => validateCapacity(each, isShared, at, errors);
  checkDeviceMap(capacity, path.child("capacity"), checkCapacity, errors);
  if (!previous || !sameJson(previous.taints, taints)) {
    const checkTaint = (taint: DeviceTaint, at: FieldPath): void => validateDeviceTaint(taint, at, errors);
    checkList(taints, TAINTS_MAX, path.child("taints"), checkTaint, errors);
  }
  checkSet(
    consumesCounters,
    { max: CONSUMED_SETS_MAX, keyOf: ({ counterSet = "" }) => counterSet },
    path.child("consumesCounters"),
    ({ counterSet, counters }, at) => {
      const setAt = at.child("counterSet");
      if (checkRequired(counterSet, setAt, errors)) checkLabelName(counterSet!, setAt, errors);
      checkCounters(counters, COUNTERS_MAX, at.child("counters"), errors);
    },
    errors,
  );
  validateDevicePlacement(device, tellsItsNodes, path, errors);
  validateBinding(device, path, errors);
  validateMappings(device, path.child("nodeAllocatableResourceMappings"), errors);
}

function validateDevicePlacement(device: Device, tells: boolean, path: FieldPath, errors: FieldError[]): void {
  const { nodeName, nodeSelector, allNodes } = device;
  if (!tells) {
    if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return;
    const why =
      "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    errors.push(fieldInvalid(path, null, why));
    return;
  }
  const ways = placementsOf(device, path, "must not be empty", errors);
  const why =
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  if (ways.length === 0) errors.push(fieldRequired(path, why));
  else if (ways.length > 1) errors.push(fieldInvalid(path, `{${ways.join(", ")}}`, why));
}

function validateAttribute(attribute: Attribute, path: FieldPath, errors: FieldError[]): void {
  const { bool, int, string, version } = attribute;
  if (string !== undefined && string.length > ATTRIBUTE_LENGTH_MAX) {
    errors.push(fieldTooLong(path.child("string"), ATTRIBUTE_LENGTH_MAX));
  }
  if (version !== undefined) {
    const at = path.child("version");
    if (version.length > VERSION_LENGTH_MAX || !VERSION.test(version)) {
      errors.push(fieldInvalid(at, version, "must be a string compatible with semver.org spec 2.0.0"));
    }
    if (version.length > ATTRIBUTE_LENGTH_MAX) errors.push(fieldTooLong(at, ATTRIBUTE_LENGTH_MAX));
  }
  const count = [bool, int, string, version].filter((value) => value !== undefined).length;
  if (count !== 1) errors.push(fieldInvalid(path, count === 0 ? "" : attribute, "exactly one value must be specified"));
}

/** What must be so before pods are bound, and what says that it will not be. */
function validateBinding(device: Device, path: FieldPath, errors: FieldError[]): void {
  const { bindingConditions: good = [], bindingFailureConditions: bad = [] } = device;
  const goodAt = path.child("bindingConditions");
  const badAt = path.child("bindingFailureConditions");
  checkList(good, CONDITIONS_MAX, goodAt, checkQualifiedName, errors);
  checkList(bad, CONDITIONS_MAX, badAt, checkQualifiedName, errors);
  good.forEach((name, i) => {
    if (good.indexOf(name) < i) errors.push(fieldDuplicate(goodAt.index(i), name));
  });
  bad.forEach((name, i) => {
    if (bad.indexOf(name) < i) errors.push(fieldDuplicate(badAt.index(i), name));
    if (!good.includes(name)) return;
    errors.push(fieldInvalid(badAt.index(i), name, "bindingFailureConditions must not overlap with bindingConditions"));
  });
  if (good.length === 0 && bad.length > 0) {
    errors.push(fieldInvalid(goodAt, null, "bindingConditions are required to use bindingFailureConditions"));
  }
  if (bad.length === 0 && good.length > 0) {
    errors.push(fieldInvalid(badAt, null, "bindingFailureConditions are required to use bindingConditions"));
  }
}

function validateMappings(device: Device, path: FieldPath, errors: FieldError[]): void {
  for (const [resource, mapping] of Object.entries(device.nodeAllocatableResourceMappings ?? {})) {
    const at = path.key(resource);
    const { allocationMultiplier: multiplier, capacityKey: key } = mapping;
    if (!isNativeResource(resource)) {
      errors.push(fieldInvalid(at, resource, "must be a node allocatable resource name"));
    }
    if (multiplier === undefined && key === undefined) {
      errors.push(fieldInvalid(at, "", "at least one of allocationMultiplier or capacityKey must be set"));
    }
    if (multiplier !== undefined && parseQuantity(multiplier).nanos <= 0n) {
      errors.push(fieldInvalid(at.child("allocationMultiplier"), multiplier, "must be positive"));
    }
    if (key === "") errors.push(fieldInvalid(at.child("capacityKey"), "", "capacityKey must not be an empty string"));
    else if (key !== undefined && !Object.hasOwn(device.capacity ?? {}, key)) {
      errors.push(fieldNotFound(at.child("capacityKey"), key));
    }
  }
}
