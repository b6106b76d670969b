import { sameJson } from "../equality.ts";
import { checkLabelName, checkOneOf, checkQualifiedName, checkRequired } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldTooLong, fieldTooMany } from "../field-error.ts";
import { type FieldPath, STATUS } from "../field-path.ts";
import { checkInterfaceAddress } from "../ip.ts";
import { validateImmutable } from "../object-meta.ts";
import { validateNodeSelector } from "../pod-template/placement.ts";
import { checkDriverName } from "../pod-template/volume-sources.ts";
import { type Condition, validateConditions } from "./conditions.ts";
import { checkList, checkPoolName, checkSet, sameText } from "./device-names.ts";
import {
  type ClaimDevices,
  CONFIGURATIONS_MAX,
  type Configuration,
  checkRawObject,
  checkRequestReference,
  checkRequestReferences,
  requestNames,
  validateConfiguration,
} from "./device-requests.ts";

interface AllocatedDevice {
  driver?: string;
  pool?: string;
  device?: string;
  shareID?: string;
}

interface Result extends AllocatedDevice {
  request?: string;
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
}

interface Allocation {
  devices?: { results?: Result[]; config?: (Configuration & { source?: string })[] };
  nodeSelector?: { nodeSelectorTerms?: [] };
}

interface DeviceStatus extends AllocatedDevice {
  conditions?: Condition[];
  data?: unknown;
  networkData?: { interfaceName?: string; ips?: string[]; hardwareAddress?: string };
}

export interface ClaimStatus {
  allocation?: Allocation;
  reservedFor?: { apiGroup?: string; resource?: string; name?: string; uid?: string }[];
  devices?: DeviceStatus[];
}

interface Claim {
  metadata: { deletionTimestamp?: string | null };
  spec?: ClaimDevices;
  status?: ClaimStatus;
}

const RESULTS_MAX = 32;
const RESERVATIONS_MAX = 256;
const CONDITIONS_MAX = 8;
const BINDING_CONDITIONS_MAX = 4;
const DATA_BYTES_MAX = 10 * 1024;
const ADDRESSES_MAX = 16;
const INTERFACE_NAME_LENGTH_MAX = 256;
const HARDWARE_ADDRESS_LENGTH_MAX = 128;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const idOf = ({ driver = "", pool = "", device = "", shareID }: AllocatedDevice): string =>
  [driver, pool, device, ...(shareID ? [shareID] : [])].join("/");

/** Devices are given to a claim once, and those who use them come and go (validateResourceClaimStatusUpdate). */
export function validateClaimStatus({ metadata, spec, status = {} }: Claim, previous: Claim): FieldError[] {
  const errors: FieldError[] = [];
  const had = previous.status ?? {};
  const { allocation, reservedFor = [] } = status;
  const reservedAt = STATUS.child("reservedFor");
  checkSet(
    reservedFor,
    { max: RESERVATIONS_MAX, keyOf: ({ uid = "" }) => uid },
    reservedAt,
    (consumer, at) => {
      for (const field of ["resource", "name", "uid"] as const) checkRequired(consumer[field], at.child(field), errors);
    },
    errors,
  );
  const allocated = new Set(allocation?.devices?.results?.map(idOf));
  checkSet(
    status.devices,
    { max: Number.POSITIVE_INFINITY, keyOf: idOf },
    STATUS.child("devices"),
    (device, at) => validateDeviceStatus(device, allocated, at, errors),
    errors,
  );
  if (reservedFor.length > 0 && !allocation) {
    errors.push(fieldForbidden(reservedAt, "may not be specified when `allocated` is not set"));
  } else if (metadata.deletionTimestamp) {
    const isNew = reservedFor.some((consumer) => !had.reservedFor?.some((other) => sameJson(other, consumer)));
    const why = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
    if (isNew) errors.push(fieldForbidden(reservedAt, why));
  }
  const allocationAt = STATUS.child("allocation");
  if (allocation && had.allocation) validateImmutable(allocation, had.allocation, allocationAt, errors);
  else if (allocation) validateAllocation(allocation, requestNames(spec?.devices?.requests), allocationAt, errors);
  return errors;
}

function validateAllocation(
  { devices, nodeSelector }: Allocation,
  names: ReadonlySet<string>,
  path: FieldPath,
  errors: FieldError[],
): void {
  const at = path.child("devices");
  checkList(
    devices?.results,
    RESULTS_MAX,
    at.child("results"),
    (result, at) => {
      checkRequestReference(result.request ?? "", names, at.child("request"), errors);
      checkDevice(result, at, errors);
      for (const field of ["bindingConditions", "bindingFailureConditions"] as const) {
        checkList(result[field], BINDING_CONDITIONS_MAX, at.child(field), checkQualifiedName, errors);
      }
    },
    errors,
  );
  checkList(
    devices?.config,
    // The class's and the claim's.
    2 * CONFIGURATIONS_MAX,
    at.child("config"),
    (config, at) => {
      checkOneOf(config.source, ["FromClaim", "FromClass"], at.child("source"), errors);
      checkRequestReferences(config.requests, names, at.child("requests"), errors);
      validateConfiguration(config, at, errors);
    },
    errors,
  );
  if (nodeSelector) validateNodeSelector(nodeSelector, path.child("nodeSelector"), errors);
}

function checkDevice(
  { driver, pool, device = "", shareID }: AllocatedDevice,
  path: FieldPath,
  errors: FieldError[],
): void {
  checkDriverName(driver, path.child("driver"), errors);
  checkPoolName(pool, path.child("pool"), errors);
  checkLabelName(device, path.child("device"), errors);
  if (shareID === undefined || UUID.test(shareID)) return;
  const why =
    "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";
  errors.push(fieldInvalid(path.child("shareID"), shareID, why));
}

function validateDeviceStatus(
  device: DeviceStatus,
  allocated: ReadonlySet<string>,
  path: FieldPath,
  errors: FieldError[],
): void {
  checkDevice(device, path, errors);
  if (!allocated.has(idOf(device))) {
    errors.push(fieldInvalid(path, idOf(device), "must be an allocated device in the claim"));
  }
  const { conditions = [], data, networkData } = device;
  const conditionsAt = path.child("conditions");
  if (conditions.length > CONDITIONS_MAX) errors.push(fieldTooMany(conditionsAt, conditions.length, CONDITIONS_MAX));
  validateConditions(conditions, conditionsAt, errors);
  if (data !== undefined) checkRawObject(data, DATA_BYTES_MAX, path.child("data"), errors);
  if (!networkData) return;
  const at = path.child("networkData");
  const { interfaceName = "", hardwareAddress = "", ips } = networkData;
  if (interfaceName.length > INTERFACE_NAME_LENGTH_MAX) {
    errors.push(fieldTooLong(at.child("interfaceName"), INTERFACE_NAME_LENGTH_MAX));
  }
  if (hardwareAddress.length > HARDWARE_ADDRESS_LENGTH_MAX) {
    errors.push(fieldTooLong(at.child("hardwareAddress"), HARDWARE_ADDRESS_LENGTH_MAX));
  }
  checkSet(ips, { max: ADDRESSES_MAX, keyOf: sameText }, at.child("ips"), checkInterfaceAddress, errors);
}
